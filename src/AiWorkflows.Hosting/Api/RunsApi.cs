using AiWorkflows.Hosting.Security;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Api;

/// <summary>Requests, shows, cancels and resumes runs. Errors are problem+json.</summary>
internal static class RunsApi
{
    public static void MapRuns(this IEndpointRouteBuilder api)
    {
        api.MapPost("/workflows/{name}/runs", RequestAsync).RequireOperator();
        api.MapGet("/runs/{id:long}", ShowAsync).RequireViewer();
        api.MapPost("/runs/{id:long}/cancel", (long id, HttpContext http, RunEngine engine, ILedger ledger, CancellationToken ct) => ActAsync(id, "cancelled", Callers.NameOf(http), engine.CancelAsync, ledger, ct)).RequireOperator();
        api.MapPost("/runs/{id:long}/resume", (long id, HttpContext http, RunEngine engine, ILedger ledger, CancellationToken ct) => ActAsync(id, "resumed", Callers.NameOf(http), engine.ResumeAsync, ledger, ct)).RequireOperator();
    }

    private static async Task<IResult> RequestAsync(string name, HttpRequest http, RunEngine engine, Catalog catalog, ILedger ledger, CancellationToken ct)
    {
        if (catalog.FindWorkflow(name) is null)
            throw ApiException.Unknown("workflow", name, catalog.Workflows.Select(w => w.Name));
        var body = await ApiJson.ReadAsync<RunBody>(http, ct, missing: new());
        if (body.From is null != body.To is null)
            throw ApiException.BadRequest("Give both 'from' and 'to', or neither for whatever is owed.", body.From is null ? "$.from" : "$.to");
        Window? window = body is { From: { } from, To: { } to } ? engine.RequireWindow(name, from.UtcDateTime, to.UtcDateTime) : null;
        var mode = body.Monolith switch
        {
            null => RunModes.Stages,
            "train" => RunModes.MonolithTrain,
            "infer" => RunModes.MonolithInfer,
            var other => throw ApiException.BadRequest($"'monolith' is '{ApiException.Shorten(other)}'; it can be train or infer.", "$.monolith"),
        };
        var result = await engine.RequestAsync(new(name, window, Callers.NameOf(http.HttpContext), "api", mode, body.Hindsight, body.IdempotencyKey), ct);
        return result.RunId is { } id && await ledger.FindRunAsync(id, ct) is { } run
            ? ApiJson.Result(RunView.Of(run, result.Message), result.Outcome == RequestOutcome.AlreadyOpen ? StatusCodes.Status200OK : StatusCodes.Status202Accepted)
            : ApiJson.Result(new { run_id = (long?)null, message = result.Message });
    }

    private static async Task<IResult> ShowAsync(long id, ILedger ledger, CancellationToken ct) => await ledger.FindRunAsync(id, ct) is { } run
        ? ApiJson.Result(RunView.Of(run) with { Stages = [.. (await ledger.StageRunsAsync(id, ct)).OrderBy(s => s.Ordinal).Select(StageView.Of)] })
        : throw ApiException.NotFound($"There is no run {id}.");

    private static async Task<IResult> ActAsync(long id, string done, string by, Func<long, string, CancellationToken, Task<bool>> act, ILedger ledger, CancellationToken ct)
    {
        if (await ledger.FindRunAsync(id, ct) is null)
            throw ApiException.NotFound($"There is no run {id}.");
        var acted = await act(id, by, ct);
        var run = (await ledger.FindRunAsync(id, ct))!;
        return acted
            ? ApiJson.Result(RunView.Of(run))
            : throw new ApiException(StatusCodes.Status409Conflict, $"Run {id} is {run.State}; it cannot be {done}.");
    }

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
