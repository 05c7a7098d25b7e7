using System.ComponentModel;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Api;

/// <summary>The features of an entity as a model would see them.</summary>
internal static class ViewsApi
{
    private const string Key = "key";
    private const string At = "at";
    private const string AsOf = "as_of";

    public static void MapViews(this IEndpointRouteBuilder api) => api.MapGet("/views/{name}/features", FeaturesAsync).RequireViewer().WithName("getFeatures").WithTags("Features")
        .WithSummary("Look up features").WithDescription("Those of an entity as a model would see them, each with the rows, ages and commits it was made from.")
        .Produces<ShownExample>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound);

    private static async Task<IResult> FeaturesAsync(
        [Description("Name of the feature view.")] string name, HttpRequest http, Catalog catalog, IServiceProvider services,
        [FromQuery(Name = Key), Description("An entity key as NAME=VALUE, once for each key of the view; of a view with a single key, the value alone will do.")] string[]? key,
        [FromQuery(Name = At), Description("Event time that the example is made for; default: that of the entity's latest row.")] string? at,
        [FromQuery(Name = AsOf), Description("Publication time: what was published later is not seen; default: now.")] string? asOf,
        CancellationToken ct)
    {
        _ = (key, at, asOf);
        var query = new ApiQuery(http, Key, At, AsOf);
        var view = catalog.Views.FirstOrDefault(v => v.Name == name) ?? throw ApiException.Unknown("view", name, catalog.Views.Select(v => v.Name));
        string[] pairs = [.. query.All(Key).Select(pair => view.Spine.Keys.Count == 1 && !pair.Contains('=', StringComparison.Ordinal) ? $"{view.Spine.Keys[0].Name}={pair}" : pair)];
        if (pairs.FirstOrDefault(p => p.Length > ApiLimits.LongestKey) is { } endless)
            throw ApiException.BadRequest($"'{ApiException.Shorten(endless)}' is longer than any key.", Key);
        if (pairs.Length > ApiLimits.MostKeys)
            throw ApiException.BadRequest($"There are {pairs.Length} keys; view {name} has {view.Spine.Keys.Count}.", Key);
        var (moment, publication) = (query.Time(At), query.Time(AsOf));
        try
        {
            var found = await FeatureLookup.FindAsync(services, view, pairs, moment, publication, ct)
                ?? throw ApiException.NotFound($"View {name} has no example for {string.Join(", ", pairs)}: {view.Spine.Name} has no such row.");
            return Results.Json(found, JsonShape.Options);
        }
        catch (InvalidRequestException e)
        {
            throw ApiException.BadRequest(e.Message, Key, e);
        }
    }
}

/// <summary>More than anybody means.</summary>
internal static class ApiLimits
{
    /// <summary>Characters of a key as NAME=VALUE.</summary>
    public const int LongestKey = 2_000;

    /// <summary>Keys of one entity.</summary>
    public const int MostKeys = 32;
}
