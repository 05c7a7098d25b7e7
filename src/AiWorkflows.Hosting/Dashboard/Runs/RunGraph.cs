using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>The stages of a run as a graph: what reads what, how far each is, and why one waits or was skipped.</summary>
internal static class RunGraph
{
    public static Markup Panel(RunModel model, IReadOnlyList<StepGroup> groups, Catalog? catalog, PageContext context)
    {
        if (groups.Count == 0)
            return Components.Panel("Stages", Empty(Markup.Of($"The run is not planned yet. Its stages appear here when a host takes it.")), part: "dag");
        var edges = Edges(model, groups);
        var ids = groups.Select(group => group.Step).ToArray();
        var shown = DagNeighbourhood.Around(ids, edges, Focus(groups), DagSvg.MaxNodes).ToHashSet();
        var nodes = groups.Where(group => shown.Contains(group.Step)).Select(group => Node(group, groups, edges, catalog, context)).ToList();
        var drawn = edges.Where(edge => shown.Contains(edge.From) && shown.Contains(edge.To)).ToList();
        var hint = shown.Count == groups.Count
            ? Markup.Raw("an arrow reads “is an input of”")
            : Markup.Of($"{shown.Count} of {groups.Count} steps, around what runs or failed; the timeline lists all");
        return Components.Panel("Stages", DagSvg.Render("Stages of the run", nodes, drawn), hint, part: "dag", failed: model.Errors["dag"]);
    }

    /// <summary>Edges between drawn steps; one that another path implies says nothing and is left out.</summary>
    internal static IReadOnlyList<(string From, string To)> Edges(RunModel model, IReadOnlyList<StepGroup> groups)
    {
        var known = groups.Select(group => group.Step).ToHashSet();
        (string From, string To)[] all = [.. model.Edges.Select(edge => (From: edge.AfterStep, To: edge.Step)).Where(edge => known.Contains(edge.From) && known.Contains(edge.To))];
        var next = all.ToLookup(edge => edge.From, edge => edge.To);
        return all.Length > 400 ? all : [.. all.Where(edge => !next[edge.From].Any(via => via != edge.To && Reaches(next, via, edge.To)))];
    }

    private static bool Reaches(ILookup<string, string> next, string from, string to)
    {
        var seen = new HashSet<string>();
        var open = new Stack<string>([from]);
        while (open.TryPop(out var step))
            foreach (var child in next[step])
            {
                if (child == to)
                    return true;
                if (seen.Add(child))
                    open.Push(child);
            }
        return false;
    }

    private static IEnumerable<string> Focus(IReadOnlyList<StepGroup> groups)
    {
        string[] matter = [.. groups.Where(g => g.State == States.Failed).Concat(groups.Where(g => g.State == States.Running)).Select(g => g.Step)];
        return matter.Length > 0 ? matter : groups.Where(g => g.State == States.Pending).Take(1).Select(g => g.Step);
    }

    private static DagNode Node(StepGroup group, IReadOnlyList<StepGroup> all, IReadOnlyList<(string From, string To)> edges, Catalog? catalog, PageContext context)
    {
        var detail = Detail(group, all, edges, context);
        var tip = $"{group.Step}: {Tip(group, detail)}";
        return new(group.Step, group.Step, Kind(group, catalog), detail, group.Look, "#" + group.Anchor, group.Share,
            group.IsPartitioned ? [.. group.Parts.Select(part => Status.Of(part.State))] : null, tip);
    }

    /// <summary>What kind of step it is, and what it makes.</summary>
    private static string Kind(StepGroup group, Catalog? catalog)
    {
        var stage = group.First.Stage;
        return group.First.Kind switch
        {
            StepKinds.Feature => Arrow("features", catalog?.FeaturePipelines.FirstOrDefault(p => p.Name == stage)?.Writes.Name),
            StepKinds.Training => Arrow("training", catalog?.Trainings.FirstOrDefault(t => t.Name == stage)?.ModelName),
            StepKinds.Inference => Arrow("inference", catalog?.Inferences.FirstOrDefault(i => i.Name == stage) is null ? null : "predictions"),
            _ => group.Step == RunPlanner.PublishOf(stage) ? Arrow("control", "all partitions")
                : group.Step.EndsWith("/outcomes", StringComparison.Ordinal) ? Arrow("control", "outcomes, metrics") : group.First.Kind,
        };

        static string Arrow(string kind, string? target) => target is null ? kind : $"{kind} → {target}";
    }

    private static string Detail(StepGroup group, IReadOnlyList<StepGroup> all, IReadOnlyList<(string From, string To)> edges, PageContext context)
    {
        var step = group.First;
        switch (group.State)
        {
            case States.Succeeded:
                return $"{Format.Count(group.RowsWritten, "row")} · {Format.Duration(group.Took(context.Now) ?? TimeSpan.Zero)}";
            case States.Running:
                return group.IsPartitioned ? $"{group.Done} of {group.Parts.Count} partitions" : group.Share is { } share ? Format.Percent(share) : step.ProgressText is { Length: > 0 } text ? text : "running";
            case States.Failed:
                return Format.FirstLine(group.Parts.FirstOrDefault(part => part.Error is not null)?.Error ?? step.Reason ?? "failed");
            case States.Pending:
                var waits = edges.Where(edge => edge.To == group.Step).Select(edge => edge.From)
                    .FirstOrDefault(from => all.First(g => g.Step == from).State is not (States.Succeeded or States.Skipped));
                return waits is not null ? $"waits for {waits}" : group.Setbacks > 0 ? "tries again soon" : "ready";
            default:
                return step.Reason ?? (group.State == States.Cancelled ? "cancelled with the run" : group.State);
        }
    }

    private static string Tip(StepGroup group, string detail) => group.Setbacks > 0 && group.State != States.Failed
        ? $"{Status.Word(group.Look)}, {detail}, after {Format.Count(group.Setbacks, "failed or lost attempt")}"
        : $"{Status.Word(group.Look)}, {detail}";
}
