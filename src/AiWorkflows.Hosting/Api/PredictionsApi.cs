using System.Globalization;
using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Api;

/// <summary>
/// Online inference: <c>POST /api/models/{name}/predictions</c> in the V1 inference protocol (<c>instances</c> in, <c>predictions</c> out), and what a model takes.
/// Nothing is answered before it is durably logged.
/// </summary>
internal static class PredictionsApi
{
    private const int ComeAgain = 1;
    private static readonly string[] Fields = ["instances", "request_id"];

    public static void MapPredictions(this IEndpointRouteBuilder api)
    {
        api.MapPost("/models/{name}/predictions", PredictAsync).RequireViewer().LimitAsPredictions().WithName("predict").WithTags("Predictions")
            .WithSummary("Predict").WithDescription("An instance gives the keys of the entity, or its whole row; the answer names the version, and is in the log before it is sent. `version`, `alias` and `pipeline` choose.")
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict).ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .WithExample("""{"instances":[{"flight_id":1}],"request_id":"a-text-of-yours"}""");
        api.MapGet("/models/{name}", ShowAsync).RequireViewer().WithName("getModel").WithTags("Predictions")
            .WithSummary("Show a model").WithDescription("What it takes, with an example request that works.");
    }

    private static async Task<IResult> PredictAsync(string name, HttpRequest http, OnlineModels models, OnlinePredictor predictor, CancellationToken ct)
    {
        RequireModel(models, name);
        using var body = await ApiJson.ReadDocumentAsync(http, ct);
        var root = body.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
            throw ApiException.BadRequest("The body is no object; write {\"instances\": [{…}]}.", "$");
        foreach (var property in root.EnumerateObject())
            if (!Fields.Contains(property.Name))
                throw ApiException.UnknownField("field", property.Name, Fields, $"$.{property.Name}");
        if (!root.TryGetProperty("instances", out var instances))
            throw ApiException.BadRequest("There are no instances; write {\"instances\": [{…}]}.", "$.instances");
        try
        {
            return new PredictionsResult(await predictor.PredictAsync(new(name, One(http, "pipeline"), Version(http), One(http, "alias"), RequestId(http, root), instances), ct));
        }
        catch (InstanceException e)
        {
            throw ApiException.BadRequest(e.Message, $"$.{e.Field}", e);
        }
        catch (AiWorkflowsException e) when (e is NoVersionException or RequestReusedException or StageFailedException)
        {
            throw new ApiException(StatusCodes.Status409Conflict, e.Message, null, e);
        }
        catch (OverloadedException e)
        {
            throw ApiException.Unavailable(e.Message, ComeAgain, e);
        }
    }

    private static async Task<IResult> ShowAsync(string name, OnlineModels models, IModelRegistry registry, ModelExample examples, HttpRequest http, CancellationToken ct)
    {
        RequireModel(models, name);
        var pipeline = models.Pipeline(name, One(http, "pipeline"));
        var champion = await registry.FindAliasAsync(name, OnlineModels.Champion, ct);
        var version = champion is null ? null : await registry.FindVersionAsync(name, champion.Version, ct);
        return await examples.OfAsync(pipeline, version, ct);
    }

    private static void RequireModel(OnlineModels models, string name)
    {
        if (!models.Models.Contains(name))
            throw ApiException.Unknown("model", name, models.Models);
    }

    private static string? RequestId(HttpRequest http, JsonElement root)
    {
        if (root.TryGetProperty("request_id", out var id) && id.ValueKind != JsonValueKind.Null)
            return id.ValueKind == JsonValueKind.String ? id.GetString() : throw ApiException.BadRequest("The request id is no text.", "$.request_id");
        return http.Headers["Idempotency-Key"].ToString() is { Length: > 0 } key ? key : null;
    }

    private static int? Version(HttpRequest http) => One(http, "version") is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version > 0 ? version
        : throw ApiException.BadRequest($"'{ApiException.Shorten(text)}' is no version; versions are whole numbers from 1.", "version");

    private static string? One(HttpRequest http, string parameter) => http.Query[parameter] switch
    {
        { Count: 0 } => null,
        { Count: 1 } values => values[0],
        _ => throw ApiException.BadRequest($"{parameter} is given more than once.", parameter),
    };
}
