using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>What a run has made, and the jobs that made it.</summary>
internal static class RunOutputs
{
    private const int NameLength = 60;

    public static Markup Published(RunModel model, PageContext context)
    {
        if (model.Outputs.Count == 0)
            return Components.Panel("Published", Empty(Markup.Text(model.Run.IsOpen
                ? "Nothing yet. Commits, batches of predictions and model versions appear here when they become visible."
                : "This run has published nothing.")), part: "published", failed: model.Errors["published"]);
        Markup[] headings = [Table.Heading("Name"), Table.Heading("Commit"), Table.Heading("Kind"), Table.NumberHeading("Rows"), Table.NumberHeading("Seq")];
        var rows = model.Outputs.GroupBy(output => (output.Type, output.Name, output.State)).Select(group => Row([.. group], context));
        return Components.Panel("Published", Table.Of("What the run has made", "aw-tight", headings, rows), part: "published", failed: model.Errors["published"]);
    }

    /// <summary>Partitions of one step are one line.</summary>
    private static Markup Row(DashboardOutput[] outputs, PageContext context)
    {
        var first = outputs[0];
        var ids = outputs.Length == 1 ? Format.Number(first.Id) : $"{Format.Number(outputs.Min(output => output.Id))}–{Format.Number(outputs.Max(output => output.Id))}";
        var id = first.State != "published" ? Muted($"{outputs.Length} sealed") : Mono(first.Type == "version" ? "v" + ids : ids);
        var quarantined = outputs.Sum(output => output.Quarantined);
        var text = first.Type switch
        {
            "commit" => Link(context.Url("/features/" + Uri.EscapeDataString(first.Name)), Format.Shorten(first.Name, NameLength)),
            "version" => Link(context.Url("/models/" + Uri.EscapeDataString(first.Name)), Format.Shorten(first.Name, NameLength)),
            "batch" => Link(context.Url("/predictions"), Format.Shorten(first.Name, NameLength)),
            _ => Markup.Text(first.Name),
        };
        var name = quarantined == 0 ? text : text + Note(Markup.Of($"{Format.Count(quarantined, "row")} quarantined"));
        var kind = first.Type == "version" ? Markup.Of($"<span data-tip=\"Rows: those it was trained on\">{first.Kind}</span>") : Markup.Text(first.Kind);
        return Table.Row(name, Table.Cell(id), Table.Cell(kind), Table.Number(outputs.Sum(output => output.Rows)),
            Table.Number(outputs.Max(output => output.PublishedSeq) is { } seq ? Format.Number(seq) : "–"));
    }

    public static Markup Jobs(RunModel model, PageContext context)
    {
        var jobs = model.Steps.Where(step => step.JobId is not null).ToArray();
        var here = jobs.Count(step => step.Engine == model.EngineId);
        var text = jobs.Length == 0 ? "No job yet: a step's job is created when the steps before it are done."
            : here == 0 ? $"{Format.Count(jobs.Length, "job")}, all of another engine instance, which is gone; the ledger stays."
            : $"{Format.Count(here, "job")}; each is a continuation of the one that made it ready, and is kept until it expires. The ledger stays.";
        return Components.Panel("Hangfire jobs", Body(Markup.Of(
            $"<p class=\"aw-small\">{text}</p>{Link(context.Url("/jobs/processing"), "Processing")} · {Link(context.Url("/jobs/succeeded"), "Succeeded")} · {Link(context.Url("/jobs/failed"), "Failed")}")), part: "jobs");
    }
}
