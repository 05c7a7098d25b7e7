using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>The ledger of runs, newest first. Pages go by run id: never an offset, never a total count.</summary>
internal sealed class RunsPage : DashboardPage
{
    private static readonly string[] RunStates = [States.Requested, States.Running, States.Succeeded, States.Failed, States.Cancelled];
    private static readonly string[] Triggers = ["schedule", "manual", "api", "sql", "backfill", "backtest", "data"];

    public override string Section => "runs";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var filter = new DashboardRunFilter(
            request.Value("workflow"), OneOf(request, "state", RunStates), OneOf(request, "trigger", Triggers), request.Time("from"), request.Time("to"));
        return Render(await request.Reader.RunsAsync(filter, request.Number("before")).ConfigureAwait(false), request.Reader.Catalog.Workflows, request.Context);
    }

    internal static PageContent Render(RunsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        var pager = new Pager("/runs", Narrowed(model.Filter), model.IsFirstPage, model.Older);
        return new()
        {
            Title = "Runs",
            Section = "runs",
            Subtitle = Markup.Raw("The ledger of every run. It outlives Hangfire's jobs, which expire."),
            Body = Components.Panel("Filter", Body(Form(model.Filter, workflows, context))) + Components.Panel("Runs", List(model, workflows, context),
                Markup.Text(Hint(model, pager)), pager.Links(context), part: "runs"),
            Sql = model.Filter.Workflow is { } only ? SuggestedQueries.RunsOf(only) : SuggestedQueries.Runs,
            LiveUrl = pager.LiveUrl(context),
        };
    }

    private static string Hint(RunsModel model, Pager pager) => model.LookedDownTo is { } oldest
        ? $"{Format.Count(model.Runs.Count, "run")}, newest first, of those down to run {oldest.ToString(CultureInfo.InvariantCulture)}; older ones come page by page" : pager.Hint(model.Runs.Count, "run");

    private static Markup List(RunsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        if (model.Runs.Count == 0)
            return Empty(Markup.Text(model.Filter == new DashboardRunFilter() && model.IsFirstPage
                ? "No run has been requested. Runs appear here within two seconds of their request, from wherever it came: schedule, dashboard, API, command line or SQL."
                : model.LookedDownTo is { } oldest ? $"No run down to {oldest.ToString(CultureInfo.InvariantCulture)} fits the filter; older ones come page by page." : "No run fits the filter."));
        var longest = model.Runs.Max(run => Took(run, context)?.TotalSeconds ?? 0);
        Markup[] headings =
        [
            Table.Heading("Run"), Table.Heading("Workflow"), Table.Heading("Window, UTC"), Table.Heading("State"), Table.Heading("Trigger"), Table.Heading("By"),
            Table.NumberHeading("Time"), Table.HiddenHeading("as a bar"), Table.NumberHeading("Rows written"), Table.NumberHeading("Requested"),
        ];
        return Table.Of("Runs", "", headings, model.Runs.Select(run => Row(run, model, workflows, longest, context)));
    }

    private static Markup Row(DashboardRun run, RunsModel model, IReadOnlyList<WorkflowDefinition> workflows, double longest, PageContext context)
    {
        var steps = model.Steps.GetValueOrDefault(run.RunId);
        var cell = workflows.FirstOrDefault(workflow => workflow.Name == run.Workflow)?.WindowSize;
        var took = Took(run, context);
        var why = run.State == States.Succeeded && steps?.Setbacks > 0 ? "after a retry" : run.State is States.Cancelled or States.Failed ? Why(run.Reason) : null;
        var state = Status.OfRun(run.State, steps?.Share) + (why is null ? Markup.Empty : Markup.Of($" <span class=\"aw-muted aw-small\">{Format.Shorten(why, 60)}</span>"));
        var mode = run.Mode == RunModes.Stages ? Markup.Empty : Markup.Of($" {Tag(run.Mode.Replace('_', ' '))}");
        var look = Status.Of(run.State);
        return Table.Row(Link(context.Run(run.RunId), run.RunId.ToString(CultureInfo.InvariantCulture)),
            Table.Cell(Link(context.WorkflowRuns(run.Workflow), run.Workflow) + mode), Table.Cell(Markup.Text(Format.Window(run.WindowFrom.Value, run.WindowTo.Value, cell)), "aw-nowrap"),
            Table.Cell(state), Table.Cell(run.BackfillId is { } backfill ? Link(context.Backfill(backfill), $"backfill {backfill.ToString(CultureInfo.InvariantCulture)}") : Markup.Text(run.TriggeredBy)), Table.Cell(Markup.Text(run.RequestedBy == run.TriggeredBy ? "" : Format.Shorten(run.RequestedBy, 40)), "aw-muted"),
            Table.Number(took is { } time ? Format.Duration(time) : null),
            Table.Cell(took is { } length && longest > 0 ? Bar(length.TotalSeconds / longest, look is Status.Cancel ? "idle" : look, Format.Duration(length), 90) : Markup.Empty),
            Table.Number(steps is null || run.State == States.Requested ? null : steps.RowsWritten), Table.Number(context.Time(run.RequestedAt.Value)));
    }

    /// <summary>"cancelled by ana" stands beside the word cancelled.</summary>
    private static string? Why(string? reason) => reason?.StartsWith("cancelled ", StringComparison.Ordinal) == true ? reason["cancelled ".Length..] : reason;

    private static TimeSpan? Took(DashboardRun run, PageContext context) =>
        run.StartedAt is not { } start ? null : (run.FinishedAt?.Value ?? context.Now) - start.Value;

    private static Markup Form(DashboardRunFilter filter, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        // A filter may name a workflow that this host no longer defines.
        var names = workflows.Select(workflow => workflow.Name).Concat(filter.Workflow is { } chosen ? [chosen] : []).Distinct().Order(StringComparer.Ordinal);
        return Fields.Search(context.Url("/runs"), Fields.Select("workflow", "Workflow", "all", names, filter.Workflow), Fields.Select("state", "State", "any", RunStates, filter.State),
            Fields.Select("trigger", "Requested by", "anything", Triggers, filter.Trigger), Fields.Time("from", "Window from, UTC", filter.From), Fields.Time("to", "to", filter.To), Fields.Button("Show"));
    }

    private static (string, string?)[] Narrowed(DashboardRunFilter filter) =>
    [
        ("workflow", filter.Workflow), ("state", filter.State), ("trigger", filter.Trigger),
        ("from", filter.From is { } from ? Timestamps.Display(from) : null), ("to", filter.To is { } to ? Timestamps.Display(to) : null),
    ];

    private static string? OneOf(PageRequest request, string key, string[] known) => request.Value(key) is not { } value ? null
        : known.Contains(value) ? value : throw new NoSuchPageException(NearMatches.Unknown(key, value, known).Message);
}
