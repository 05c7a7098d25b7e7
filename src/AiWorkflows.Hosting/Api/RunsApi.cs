using System.Text.Json;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Api;

/// <summary>Requests, shows, cancels and resumes runs. Errors are problem+json.</summary>
internal static class RunsApi
{
    private const string By = "api";
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    public static void MapRuns(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api").AddEndpointFilter(ErrorsAsProblemsAsync);
        api.MapPost("/workflows/{name}/runs", RequestAsync);
        api.MapGet("/runs/{id:long}", ShowAsync);
        api.MapPost("/runs/{id:long}/cancel", (long id, RunEngine engine, ILedger ledger, CancellationToken ct) => ActAsync(id, "cancelled", engine.CancelAsync, ledger, ct));
        api.MapPost("/runs/{id:long}/resume", (long id, RunEngine engine, ILedger ledger, CancellationToken ct) => ActAsync(id, "resumed", engine.ResumeAsync, ledger, ct));
    }

    private static async Task<IResult> RequestAsync(string name, HttpRequest http, RunEngine engine, Catalog catalog, ILedger ledger, CancellationToken ct)
    {
        if (catalog.FindWorkflow(name) is null)
            return NotFound(NearMatches.Unknown("workflow", name, catalog.Workflows.Select(w => w.Name)).Message);
        var body = await BodyAsync(http, ct);
        if (body.From is null != body.To is null)
            throw new InvalidRequestException("Give both 'from' and 'to', or neither for whatever is owed.");
        Window? window = body is { From: { } from, To: { } to } ? engine.RequireWindow(name, from.UtcDateTime, to.UtcDateTime) : null;
        var mode = body.Monolith switch
        {
            null => RunModes.Stages,
            "train" => RunModes.MonolithTrain,
            "infer" => RunModes.MonolithInfer,
            var other => throw new InvalidRequestException($"'monolith' is '{other}'; it can be train or infer."),
        };
        var result = await engine.RequestAsync(new(name, window, By, "api", mode, body.Hindsight, body.IdempotencyKey), ct);
        return result.RunId is { } id && await ledger.FindRunAsync(id, ct) is { } run
            ? Results.Json(RunView.Of(run, result.Message), Json, statusCode: result.Outcome == RequestOutcome.AlreadyOpen ? StatusCodes.Status200OK : StatusCodes.Status202Accepted)
            : Results.Json(new { run_id = (long?)null, message = result.Message }, Json);
    }

    private static async Task<IResult> ShowAsync(long id, ILedger ledger, CancellationToken ct) => await ledger.FindRunAsync(id, ct) is { } run
        ? Results.Json(RunView.Of(run) with { Stages = [.. (await ledger.StageRunsAsync(id, ct)).OrderBy(s => s.Ordinal).Select(StageView.Of)] }, Json)
        : NotFound($"There is no run {id}.");

    private static async Task<IResult> ActAsync(long id, string done, Func<long, string, CancellationToken, Task<bool>> act, ILedger ledger, CancellationToken ct)
    {
        if (await ledger.FindRunAsync(id, ct) is null)
            return NotFound($"There is no run {id}.");
        var acted = await act(id, By, ct);
        var run = (await ledger.FindRunAsync(id, ct))!;
        return acted
            ? Results.Json(RunView.Of(run), Json)
            : Results.Problem($"Run {id} is {run.State}; it cannot be {done}.", statusCode: StatusCodes.Status409Conflict);
    }

    private static async Task<RunBody> BodyAsync(HttpRequest http, CancellationToken ct)
    {
        // A chunked body has no length, so the length does not tell whether there is one.
        if (http.ContentLength == 0 || http.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return new();
        if (!http.HasJsonContentType())
            throw new InvalidRequestException("Send application/json, or no body at all.");
        try
        {
            return await http.ReadFromJsonAsync<RunBody>(Json, ct) ?? new();
        }
        catch (JsonException e)
        {
            throw new InvalidRequestException($"The body cannot be read: {e.Message}", e);
        }
    }

    private static async ValueTask<object?> ErrorsAsProblemsAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (InvalidRequestException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status400BadRequest);
        }
    }

    private static IResult NotFound(string detail) => Results.Problem(detail, statusCode: StatusCodes.Status404NotFound);

    private sealed record RunBody
    {
        public DateTimeOffset? From { get; init; }

        public DateTimeOffset? To { get; init; }

        public string? Monolith { get; init; }

        public bool Hindsight { get; init; }

        public string? IdempotencyKey { get; init; }
    }
}

/// <summary>A run as the API shows it.</summary>
internal sealed record RunView(
    long RunId, string Workflow, string WindowFrom, string WindowTo, string State, string RequestedBy, string TriggeredBy, string Mode,
    string RequestedAt, string? StartedAt, string? FinishedAt, string? CodeVersion, string? Error, string? Message)
{
    public IReadOnlyList<StageView>? Stages { get; init; }

    public static RunView Of(RunRecord run, string? message = null) => new(
        run.RunId, run.Workflow, Timestamps.Iso(run.Window.From), Timestamps.Iso(run.Window.To), run.State, run.RequestedBy, run.TriggeredBy, run.Mode,
        Timestamps.Iso(run.RequestedAt), StageView.Iso(run.StartedAt), StageView.Iso(run.FinishedAt), run.CodeVersion, run.Error, message ?? run.Reason);
}

/// <summary>A step of a run as the API shows it.</summary>
internal sealed record StageView(
    long StageRunId, string Stage, string Step, int Partition, string State, int Attempt, int Failures, string? StartedAt, string? FinishedAt,
    long RowsRead, long RowsWritten, string? Reason, string? Error)
{
    public static StageView Of(StageRunRecord s) => new(
        s.StageRunId, s.Stage, s.Step, s.Partition, s.State, s.Attempt, s.Failures, Iso(s.StartedAt), Iso(s.FinishedAt), s.RowsRead, s.RowsWritten, s.Reason, s.Error);

    public static string? Iso(DateTime? time) => time is { } t ? Timestamps.Iso(t) : null;
}
