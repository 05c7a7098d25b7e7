using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>One run: what happens, what happened, and what of it can be seen by others.</summary>
internal sealed class RunPage : DashboardPage
{
    public override string Section => "runs";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var text = request.Uri.Groups["id"].Value;
        var model = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? await request.Reader.RunAsync(id, RunLog.FilterOf(request)).ConfigureAwait(false) : null;
        return model is null ? throw new NoSuchPageException($"There is no run {text} in the ledger.") : Render(model, request.Reader.Catalog, request.Context);
    }

    internal static PageContent Render(RunModel model, Catalog? catalog, PageContext context)
    {
        var run = model.Run;
        var groups = StepGroup.Of(model.Steps);
        return new()
        {
            Title = $"Run {run.RunId.ToString(CultureInfo.InvariantCulture)}",
            Section = "runs",
            Crumb = Markup.Of($"{Link(context.Url("/workflows"), "Workflows")} / {Link(context.WorkflowRuns(run.Workflow), run.Workflow)}"),
            Heading = Markup.Of($"Run {run.RunId} {Status.OfRun(run.State, model.Share)}{Markup.When(run.Mode != RunModes.Stages, Tag(run.Mode.Replace('_', ' ')))}{Markup.When(run.Hindsight, Tag("hindsight", "warn"))}"),
            Subtitle = Subtitle(run),
            Actions = Actions(run, groups, context),
            Body = Markup.Of(
                $"""
                {Part("notice", RunNotice.Render(model, groups))}{Part("facts", RunFacts.Render(model, groups, context))}{CancelForm(run, context)}{RunGraph.Panel(model, groups, catalog, context)}{RunTimeline.Panel(model, groups, context)}<div class="aw-grid"><div class="aw-c8">{RunLog.Panel(model, context)}</div><div class="aw-c4">{RunOutputs.Published(model, context)}{RunOutputs.Jobs(model, context)}</div></div>
                """),
            LiveUrl = context.Run(run.RunId) + "/parts",
            EveryMilliseconds = 2000,
            Sql = Storage.Queries.SuggestedQueries.StepsOf(run.RunId),
            Ended = !run.IsOpen,
        };
    }

    private static Markup Subtitle(Storage.Queries.DashboardRun run)
    {
        var who = run.TriggeredBy == "schedule" ? "the schedule" : $"{run.RequestedBy} ({run.TriggeredBy})";
        var code = run.CodeVersion is { } version
            ? Markup.Of($" · code <span class=\"aw-mono\" data-tip=\"{version}\">{Format.Code(version)}</span>") : Markup.Empty;
        return Markup.Of($"Window {Timestamps.Display(run.WindowFrom.Value)} to {Timestamps.Display(run.WindowTo.Value)} UTC · requested by {who}{code}");
    }

    private static Markup CancelForm(Storage.Queries.DashboardRun run, PageContext context) => Markup.When(run.IsOpen && !context.IsReadOnly, Models.ModelForms.Panel(
        "cancel", $"Cancel run {run.RunId.ToString(CultureInfo.InvariantCulture)}", "What it is writing is discarded; what it has published stays. It can be resumed from where it was.", context.Run(run.RunId) + "/cancel", Markup.Empty, "Cancel run", "btn-default aw-danger"));

    private static Markup Actions(Storage.Queries.DashboardRun run, IReadOnlyList<StepGroup> groups, PageContext context)
    {
        var compare = Link(context.Run(run.RunId) + "/compare", "Compare", "btn btn-default btn-sm");
        if (context.IsReadOnly)
            return compare;
        if (run.IsOpen)
            return compare + Link("#cancel", "Cancel run…", "btn btn-default btn-sm aw-danger");
        if (run.State is not (States.Failed or States.Cancelled))
            return compare;
        var from = groups.FirstOrDefault(group => group.State == States.Failed) ?? groups.FirstOrDefault(group => group.State == States.Cancelled);
        return Action(context.Run(run.RunId) + "/resume", from is null ? "Resume" : "Resume from " + Format.Shorten(from.Step, 40), "btn-primary btn-sm") + compare;
    }
}
