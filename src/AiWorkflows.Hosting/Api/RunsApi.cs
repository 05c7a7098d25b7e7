using System.ComponentModel;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Api;

/// <summary>Requests, lists, shows, cancels and resumes runs.</summary>
internal static class RunsApi
{
    private const int MostRows = 500;
    private static readonly string[] AllStates = [States.Requested, States.Running, States.Succeeded, States.Failed, States.Cancelled];

    public static void MapRuns(this IEndpointRouteBuilder api)
    {
        api.MapPost("/workflows/{name}/runs", RequestAsync).RequireOperator().WithName("requestRun").WithTags("Runs")
            .WithSummary("Request a run")
            .WithDescription("Of a window, or without one of whatever the workflow owes. The same request again (the same window and idempotency_key, or what is owed while its run is open) answers 200 with the run that there is.")
            .Accepts<RunBody>(isOptional: true, "application/json").Produces<RunView>(StatusCodes.Status202Accepted).Produces<RunView>()
            .ProducesProblem(StatusCodes.Status400BadRequest).ProducesProblem(StatusCodes.Status404NotFound)
            .WithExample("""{"from":"2001-06-01T00:00:00Z","to":"2001-06-02T00:00:00Z","idempotency_key":"june-1"}""");
        api.MapGet("/runs", ListAsync).RequireViewer().WithName("listRuns").WithTags("Runs")
            .WithSummary("List runs").WithDescription("Newest first, a page at a time.").Produces<RunList>().ProducesProblem(StatusCodes.Status400BadRequest);
        api.MapGet("/runs/{id:long}", ShowAsync).RequireViewer().WithName("getRun").WithTags("Runs")
            .WithSummary("Show a run").WithDescription("With its steps.").Produces<RunView>().ProducesProblem(StatusCodes.Status404NotFound);
        api.MapPost("/runs/{id:long}/cancel", (long id, HttpContext http, RunEngine engine, ILedger ledger, CancellationToken ct) => ActAsync(id, "cancelled", Callers.NameOf(http), engine.CancelAsync, ledger, ct))
            .RequireOperator().WithName("cancelRun").WithTags("Runs").WithSummary("Cancel a run").WithDescription("One that has not ended; its code is told within two seconds.")
            .Produces<RunView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
        api.MapPost("/runs/{id:long}/resume", (long id, HttpContext http, RunEngine engine, ILedger ledger, CancellationToken ct) => ActAsync(id, "resumed", Callers.NameOf(http), engine.ResumeAsync, ledger, ct))
            .RequireOperator().WithName("resumeRun").WithTags("Runs").WithSummary("Resume a run").WithDescription("One that has failed or was cancelled; what has succeeded in it is kept.")
            .Produces<RunView>().ProducesProblem(StatusCodes.Status404NotFound).ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<IResult> ListAsync(
        HttpRequest http, Catalog catalog, StoreDatabase database,
        [Description("Only runs of this workflow.")] string? workflow, [Description("Only runs in this state.")] string? state,
        [Description("Only runs with a smaller id: the next page.")] string? before, [Description("How many; 50 if it is not given, at most 500.")] string? limit, CancellationToken ct)
    {
        _ = (workflow, state, before, limit);
        var query = new ApiQuery(http, "workflow", "state", "before", "limit");
        // A workflow that the program no longer defines has runs all the same.
        var count = (int)(query.Number("limit", 1, MostRows) ?? 50);
        if (query.Text("workflow") is { } name && catalog.FindWorkflow(name) is null && await new RunQueries(database).LastAsync(name, ct) is null)
            throw ApiException.UnknownField("workflow", name, catalog.Workflows.Select(w => w.Name), "workflow");
        var rows = await new RunQueries(database).ListAsync(query.Text("workflow"), query.OneOf("state", AllStates), query.Number("before", 1, long.MaxValue), count, ct);
        return ApiJson.Result(new RunList([.. rows.Select(RunView.Of)], rows.Count == count ? rows[^1].RunId : null));
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

    /// <summary>What is asked for; without a window, whatever is owed.</summary>
    private sealed record RunBody
    {
        /// <summary>Start of the window, on the workflow's grid.</summary>
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

    public static RunView Of(Storage.Queries.RunRow run) => new(
        run.RunId, run.Workflow, Timestamps.Iso(run.WindowFrom), Timestamps.Iso(run.WindowTo), run.State, run.RequestedBy, run.TriggeredBy, run.Mode,
        Timestamps.Iso(run.RequestedAt), StageView.Iso(run.StartedAt?.Value), StageView.Iso(run.FinishedAt?.Value), run.CodeVersion, run.Error, run.Reason);

    public static RunView Of(RunRecord run, string? message = null) => new(
        run.RunId, run.Workflow, Timestamps.Iso(run.Window.From), Timestamps.Iso(run.Window.To), run.State, run.RequestedBy, run.TriggeredBy, run.Mode,
        Timestamps.Iso(run.RequestedAt), StageView.Iso(run.StartedAt), StageView.Iso(run.FinishedAt), run.CodeVersion, run.Error, message ?? run.Reason);
}

/// <summary>A page of runs, newest first.</summary>
/// <param name="NextBefore">What to give as <c>before</c> for the next page; null on the last.</param>
internal sealed record RunList(IReadOnlyList<RunView> Runs, long? NextBefore);

/// <summary>A step of a run as the API shows it.</summary>
internal sealed record StageView(
    long StageRunId, string Stage, string Step, int Partition, string State, int Attempt, int Failures, string? StartedAt, string? FinishedAt,
    long RowsRead, long RowsWritten, string? Reason, string? Error)
{
    public static StageView Of(StageRunRecord s) => new(
        s.StageRunId, s.Stage, s.Step, s.Partition, s.State, s.Attempt, s.Failures, Iso(s.StartedAt), Iso(s.FinishedAt), s.RowsRead, s.RowsWritten, s.Reason, s.Error);

    public static string? Iso(DateTime? time) => time is { } t ? Timestamps.Iso(t) : null;
}
