using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>All workflows of this host: is it all right, and what happens next.</summary>
internal sealed class WorkflowsPage : DashboardPage
{
    public override string Section => "workflows";

    public override async Task<PageContent> LoadAsync(PageRequest request) =>
        Render(await request.Reader.WorkflowsAsync().ConfigureAwait(false), request.Reader.Catalog.Workflows, request.Context);

    internal static PageContent Render(WorkflowsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        var grid = workflows.Count == 0
            ? Components.Panel("Workflows", NoWorkflow)
            : Components.Panel("Workflows", WorkflowRows.Render(model, workflows, context), right: Legend(("ok", "succeeded"), ("retry", "after a retry"), ("run", "running"),
                ("bad", "failed"), ("cancel", "cancelled"), ("skip", "skipped"), ("wait", "waiting"), ("none", "not requested")), part: "workflows");
        return new()
        {
            Title = "Workflows",
            Section = "workflows",
            Subtitle = workflows.Count == 0 ? Markup.Empty : Markup.Of(
                $"{Format.Count(workflows.Count, "workflow")} on {Format.Count(model.Totals.Hosts, "host")}. A cell is one window of event time; open it to see its latest run."),
            Body = Markup.Of(
                $"""
                {Part("facts", model.Errors["facts"] is { IsEmpty: false } failed ? failed : WorkflowFacts.Render(model))}{grid}<div class="aw-grid"><div class="aw-c6">{Components.Panel("Needs attention", Attention.Render(model, workflows, context), part: "attention")}</div><div class="aw-c6">{Components.Panel("Running and next", RunningAndNext.Render(model, workflows, context), part: "running")}</div></div>
                """),
            LiveUrl = context.Url("/workflows/parts"),
            Sql = Storage.Queries.SuggestedQueries.Workflows,
        };
    }

    private static readonly Markup NoWorkflow = Markup.Of(
        $"""
        <div class="aw-empty"><svg width="120" height="52" viewBox="0 0 120 52" aria-hidden="true"><g fill="none" stroke="currentColor" stroke-width="1.5"><rect x="1" y="16" width="28" height="20" rx="4"/><rect x="46" y="1" width="28" height="20" rx="4"/><rect x="46" y="31" width="28" height="20" rx="4" stroke-dasharray="3 3"/><rect x="91" y="16" width="28" height="20" rx="4" stroke-dasharray="3 3"/><path d="M29 26C38 26 37 11 46 11M29 26C38 26 37 41 46 41M74 11C83 11 82 26 91 26M74 41C83 41 82 26 91 26"/></g></svg>
        <h2>This host declares no workflow yet</h2><p>A workflow is a DAG of pipelines with a schedule. Declare one at start-up; stages may be listed in any order, their edges follow from what reads what.</p>
        <pre>{"builder.AddAiWorkflows(ai => ai\n    .Workflow(\"flight-delays\", w => w.Every(\"0 * * * *\").Window(TimeSpan.FromDays(1), origin: new(2001, 1, 1))\n        .Stage<OutcomePipeline>().Stage<DelayTraining>().Stage<DelayScoring>()));"}</pre>
        <p>Then restart the host.</p></div>
        """);
}
