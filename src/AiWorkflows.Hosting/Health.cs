using AiWorkflows.Inference;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>Whether this host takes work.</summary>
internal sealed class Readiness(ILedger ledger, OnlineModels models, GroupCommit commits, ILogger<Readiness> log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private Task<bool>? _writing;
    private volatile string? _why = "starting";

    public void Started() => _why = null;

    public void Stopping() => _why = "stopping";

    /// <summary>Null where the host is ready, else the reason in a word or two.</summary>
    public async Task<string?> WhyNotAsync(CancellationToken ct)
    {
        if (_why is { } why)
            return why;
        try
        {
            // On a thread of its own: where the database is a file, looking something up waits in the call itself.
            await Task.Run(() => ledger.OpenRunsAsync(ct), ct).WaitAsync(Patience, ct);
            return models.WhyNotReady() ?? (await TakesRowsAsync(ct) ? null : "the store takes no writes");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.LogWarning(e, "The store does not answer");
            return "the store does not answer";
        }
    }

    /// <summary>Whether the prediction log takes rows. However many ask, the log is asked once at a time.</summary>
    private async Task<bool> TakesRowsAsync(CancellationToken ct)
    {
        if (Volatile.Read(ref _writing) is not { IsCompleted: false } writing)
            Volatile.Write(ref _writing, writing = commits.TakesRowsAsync());
        try
        {
            return await writing.WaitAsync(Patience, ct);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Models without champion, and queues in which steps wait although no host serves them: nothing that restarting this host would change.</summary>
    public async Task<IReadOnlyList<string>> WarningsAsync(CancellationToken ct) =>
        [.. models.WithoutChampion().Select(model => $"model {model} has no champion, so predictions are refused"), .. await UnservedAsync(ct)];

    private async Task<IReadOnlyList<string>> UnservedAsync(CancellationToken ct)
    {
        try
        {
            var waiting = await ledger.QueuesAsync(ct).WaitAsync(Patience, ct);
            return waiting.Count == 0 ? [] : [.. (await LiveHosts.ReadAsync(ledger, ct).WaitAsync(Patience, ct)).Unserved(waiting).Select(LiveHosts.Describe)];
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return [];
        }
    }
}

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it takes work and the store answers.</summary>
internal static class Health
{
    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/health/live", () => Results.Json(new { status = "live" })).AllowAnonymous()
            .WithName("live").WithTags("Health").WithSummary("Live").WithDescription("The process answers.");
        app.MapGet("/health/ready", async (Readiness readiness, CancellationToken ct) => await readiness.WhyNotAsync(ct) is { } why
            ? Results.Json(new { status = "not ready", reason = why }, statusCode: StatusCodes.Status503ServiceUnavailable)
            : await readiness.WarningsAsync(ct) is { Count: > 0 } warnings
            ? Results.Json(new { status = "ready", warnings })
            : Results.Json(new { status = "ready" })).AllowAnonymous()
            .WithName("ready").WithTags("Health").WithSummary("Ready")
            .WithDescription("The host takes work, and the store answers; else 503 with the reason. Warnings name models without champion, and queues in which steps wait although no host serves them.");
    }
}
