using AiWorkflows.Hosting.Cli;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;
using Format = AiWorkflows.Hosting.Dashboard.Rendering.Format;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>One workflow: where it stands, what its stages read from each other, and running a window or a stretch of history of it.</summary>
internal sealed class WorkflowPage : DashboardPage
{
    public override string Section => "workflows";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var all = request.Reader.Catalog.Workflows;
        var workflow = all.FirstOrDefault(w => w.Name == request.Name) ?? throw new NoSuchPageException(NearMatches.Unknown("workflow", request.Name, all.Select(w => w.Name)).Message);
        return Render(await request.Reader.WorkflowsAsync().ConfigureAwait(false), workflow, request.Context);
    }

    internal static PageContent Render(WorkflowsModel model, WorkflowDefinition workflow, PageContext context) => new()
    {
        Title = workflow.Name,
        Section = "workflows",
        Crumb = Link(context.Url("/workflows"), "Workflows"),
        Subtitle = Markup.Text($"{Format.Count(workflow.Stages.Count, "stage")}, {Format.Grid(workflow.WindowSize)} from {Timestamps.Display(workflow.Origin)}{(workflow.Until is { } until ? $" until {Timestamps.Display(until)}" : "")}{(workflow.WarmUpUntil is { } warm ? $"; until {Timestamps.Display(warm)} only features are computed" : "")}."),
        Actions = Link(context.WorkflowRuns(workflow.Name), "All its runs", "btn btn-default btn-sm"),
        Body = Markup.Of(
            $"""
            {Components.Panel("Now", WorkflowRows.Render(model, [workflow], context), part: "workflow")}{Forms(workflow, context)}{Components.Panel("Stages", Stages(workflow, model, context), Markup.Raw("in an order in which they can be executed; after: what they read"), part: "stages")}
            """),
        LiveUrl = context.Workflow(workflow.Name) + "/parts",
        Sql = SuggestedQueries.RunsOf(workflow.Name),
    };

    private static Markup Forms(WorkflowDefinition workflow, PageContext context)
    {
        if (context.IsReadOnly)
            return Markup.Empty;
        var cell = SpanText.Of(workflow.WindowSize);
        var run = Form(context.Workflow(workflow.Name) + "/run", Fields.Text("from", "From, UTC", null, "2001-06-01", 14) + Fields.Text("to", "to", null, "2001-06-02", 14)
            + Fields.Select("hindsight", "What a model's training may have seen", "is not scored", [("yes", "is scored and flagged")], null), "Run");
        var backfill = Form(context.Workflow(workflow.Name) + "/backfill", Fields.Text("from", "From, UTC", null, "2001-01-01", 14, required: true, id: "history-from") + Fields.Text("to", "to", null, "2001-06-01", 14, required: true, id: "history-to")
            + Fields.Text("every", "Windows of", cell, cell, 5, required: true) + Fields.Text("parallel", "At a time", "1", "1", 4) + Fields.Select("train", "Models", "the champion of this moment", [("yes", "trained in each window")], null), "Request backfill");
        return Markup.Of(
            $"""
            <div class="aw-grid"><div class="aw-c6">{Components.Panel("Run a window", Body(run), Markup.Raw("left empty: whatever is owed"))}</div><div class="aw-c6">{Components.Panel("Backfill", Body(backfill), Markup.Raw("history, window by window; it appears under Backfills"), id: "backfill")}</div></div>
            """);
    }

    private static Markup Form(string url, Markup fields, string button) => Markup.Of(
        $"<form class=\"aw-form\" data-aw-post=\"{url}\">{fields}<button class=\"btn btn-primary btn-sm\" type=\"submit\">{button}</button><output></output></form>");

    private static Markup Stages(WorkflowDefinition workflow, WorkflowsModel model, PageContext context) => Table.Of("Stages", "aw-tight",
        [Table.Heading("Stage"), Table.Heading("Kind"), Table.Heading("After"), Table.Heading("Makes"), Table.NumberHeading("Complete up to"), Table.NumberHeading("Tries")],
        workflow.Stages.Select(stage => Table.Row(Markup.Text(stage.Name), Table.Cell(stage.Kind), Table.Cell(string.Join(", ", stage.After)), Table.Cell(Makes(stage, context)),
            Table.Number(model.Watermarks.TryGetValue(stage.Name, out var mark) ? Timestamps.Display(mark) : "–"), Table.Number(stage.MaxAttempts))));

    private static Markup Makes(StageDefinition stage, PageContext context) => stage switch
    {
        { Feature: { } feature } => Link(context.FeatureGroup(feature.Writes.Name), feature.Writes.Name),
        { Training: { } training } => Link(context.Model(training.ModelName), training.ModelName),
        { Inference: { } inference } => Link(context.Url("/predictions?model=" + Uri.EscapeDataString(inference.Model)), $"predictions by {inference.Model}"),
        _ => Markup.Empty,
    };
}
