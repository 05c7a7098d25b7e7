using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Inference;
using AiWorkflows.Streaming;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Api;

/// <summary>Takes events in (<c>POST /api/streams/{name}/events</c>), and shows how streams stand. Nothing is answered before it is durable, and of a request all events are taken or none.</summary>
internal static class StreamsApi
{
    private const int MostEvents = 50_000;
    private const int LongestKey = 128;
    private const int ComeAgain = 1;

    public static void MapStreams(this IEndpointRouteBuilder api)
    {
        api.MapPost("/streams/{name}/events", PushAsync).RequireOperator().WithName("pushEvents").WithTags("Streams")
            .WithSummary("Push events")
            .WithDescription("A JSON array of events, or `application/x-ndjson` with one on each line; each an object by column name. All are taken, durably, or none; with an `Idempotency-Key` the same request again brings nothing new. "
                + "503 with Retry-After while too much is waiting.")
            .Produces<PushedEvents>().ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType).ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .WithExample("""[{"airport":"LHR","id":1,"at":"2001-06-30T17:05:00Z"}]""");
        api.MapGet("/streams", async (StreamReports reports, CancellationToken ct) => Results.Json(new { streams = await reports.ListAsync(ct) }, JsonShape.Options))
            .RequireViewer().WithName("listStreams").WithTags("Streams").WithSummary("List streams").WithDescription("Lag, rate, watermark, late events, and who works on each partition.");
        api.MapGet("/streams/{name}", async (string name, StreamReports reports, Catalog catalog, CancellationToken ct) =>
                Results.Json(await reports.FindAsync(name, ct) ?? throw ApiException.Unknown("stream", name, catalog.Streams.Select(s => s.Name)), JsonShape.Options))
            .RequireViewer().WithName("getStream").WithTags("Streams").WithSummary("Show a stream").WithDescription("As in the list.")
            .Produces<StreamReport>().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<IResult> PushAsync(string name, HttpRequest http, Catalog catalog, StreamIntake intake, CancellationToken ct)
    {
        var stream = catalog.Streams.FirstOrDefault(s => s.Name == name) ?? throw ApiException.Unknown("stream", name, catalog.Streams.Select(s => s.Name));
        var key = http.Headers["Idempotency-Key"].ToString() is { Length: > 0 } given ? given : null;
        if (key?.Length > LongestKey || key?.Any(char.IsControl) == true)
            throw ApiException.BadRequest($"The idempotency key is a text of at most {LongestKey} characters.", "Idempotency-Key");
        var events = new List<(int, string)>();
        try
        {
            await foreach (var (e, path) in EventsAsync(http, ct))
            {
                if (events.Count == MostEvents)
                    throw ApiException.BadRequest($"There are more than {MostEvents} events; send them in several requests.", "$");
                events.Add(stream.Read(e, path));
            }
        }
        catch (InstanceException e)
        {
            throw ApiException.BadRequest(e.Message, e.Field, e);
        }
        if (events.Count == 0)
            return ApiJson.Result(new PushedEvents(0, false));
        try
        {
            return ApiJson.Result(new PushedEvents(events.Count, !await intake.AppendAsync(new(name, key, events), ct)));
        }
        catch (OverloadedException e)
        {
            throw ApiException.Unavailable(e.Message, ComeAgain, e);
        }
    }

    private static async IAsyncEnumerable<(JsonElement Event, string Path)> EventsAsync(HttpRequest http, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        if (ApiJson.IsLines(http))
        {
            var number = 0;
            foreach (var line in await ApiJson.ReadLinesAsync(http, ct))
                using (line)
                    yield return (line.RootElement, $"$[{number++}]");
            yield break;
        }
        using var body = await ApiJson.ReadDocumentAsync(http, ct);
        if (body.RootElement.ValueKind != JsonValueKind.Array)
            throw ApiException.BadRequest("The body is no array; write [{…}, {…}], or send application/x-ndjson with an event on each line.", "$");
        var index = 0;
        foreach (var e in body.RootElement.EnumerateArray())
            yield return (e, $"$[{index++}]");
    }

    /// <summary>What became of a request.</summary>
    /// <param name="Accepted">Events of the request; they are durable.</param>
    /// <param name="Repeated">Whether the same request had been taken before, so that this one brought nothing new.</param>
    private sealed record PushedEvents(int Accepted, bool Repeated);
}
