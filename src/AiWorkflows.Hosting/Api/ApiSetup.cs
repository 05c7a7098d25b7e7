using AiWorkflows.Hosting.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Api;

/// <summary>
/// Maps the API. An endpoint says who may call it; one that does not wants an operator. Handlers throw <see cref="ApiException"/> or
/// <see cref="InvalidRequestException"/> for what is wrong with a request, read bodies with <see cref="ApiJson"/>, and let everything else through:
/// <see cref="ApiErrors"/> makes problem+json of it.
/// </summary>
internal static class ApiSetup
{
    public static void MapApi(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup(OurPaths.Api);
        api.MapWorkflows();
        api.MapRuns();
        api.MapPredictions();
        api.MapViews();
        api.MapStreams();
        app.MapApiPage();
    }

    /// <summary>For what only reads, and for predictions.</summary>
    public static TBuilder RequireViewer<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.RequireAuthorization(AiWorkflowsPolicies.Viewer);

    /// <summary>For what changes something.</summary>
    public static TBuilder RequireOperator<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.RequireAuthorization(AiWorkflowsPolicies.Operator);

    /// <summary>What a request may look like, for the OpenAPI document.</summary>
    public static TBuilder WithExample<TBuilder>(this TBuilder endpoint, string request) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ApiExample(request));

    /// <summary>Counts the endpoint's requests as predictions instead of with the others.</summary>
    public static TBuilder LimitAsPredictions<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(PredictionLimit.Instance);
}
