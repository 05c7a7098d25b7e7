using System.ComponentModel;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Api;

/// <summary>Shows the workflows that this program defines.</summary>
internal static class WorkflowsApi
{
    public static void MapWorkflows(this IEndpointRouteBuilder api)
    {
        api.MapGet("/workflows", ListAsync).RequireViewer().WithName("listWorkflows").WithTags("Workflows")
            .WithSummary("List workflows").WithDescription("With schedule, what they owe, and their last run.").Produces<WorkflowList>();
        api.MapGet("/workflows/{name}", ShowAsync).RequireViewer().WithName("getWorkflow").WithTags("Workflows")
            .WithSummary("Show a workflow").WithDescription("With its stages, and how far each has come.").Produces<WorkflowView>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> ListAsync(HttpRequest http, IServiceProvider services, Catalog catalog, CancellationToken ct)
    {
        _ = new ApiQuery(http);
        var overview = ActivatorUtilities.CreateInstance<WorkflowOverview>(services);
        var lines = new List<WorkflowLine>();
        foreach (var workflow in catalog.Workflows)
            lines.Add(await overview.LineAsync(workflow, ct));
        return ApiJson.Result(new WorkflowList(lines));
    }

    private static async Task<IResult> ShowAsync([Description("Name of the workflow.")] string name, HttpRequest http, IServiceProvider services, Catalog catalog, CancellationToken ct)
    {
        _ = new ApiQuery(http);
        var workflow = catalog.FindWorkflow(name) ?? throw ApiException.Unknown("workflow", name, catalog.Workflows.Select(w => w.Name));
        var overview = ActivatorUtilities.CreateInstance<WorkflowOverview>(services);
        return ApiJson.Result(new WorkflowView(
            await overview.LineAsync(workflow, ct), workflow.WindowSize.TotalSeconds, workflow.Origin, workflow.WarmUpUntil, workflow.Until, await overview.StagesAsync(workflow, ct)));
    }
}

/// <summary>The workflows of this program.</summary>
internal sealed record WorkflowList(IReadOnlyList<WorkflowLine> Workflows);

/// <summary>A workflow with its grid of windows and its stages.</summary>
internal sealed record WorkflowView(WorkflowLine Workflow, double WindowSeconds, DateTime Origin, DateTime? WarmUp, DateTime? Until, IReadOnlyList<StageLine> Stages);
