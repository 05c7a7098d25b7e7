using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>Whether this host takes work.</summary>
internal sealed class Readiness(ILedger ledger, ILogger<Readiness> log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
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
            await ledger.OpenRunsAsync(ct).WaitAsync(Patience, ct);
            return null;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.LogWarning(e, "The store does not answer");
            return "the store does not answer";
        }
    }
}

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it takes work and the store answers.</summary>
internal static class Health
{
    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/health/live", () => Results.Json(new { status = "live" })).AllowAnonymous()
            .WithName("live").WithTags("Health").WithSummary("The process answers.");
        app.MapGet("/health/ready", async (Readiness readiness, CancellationToken ct) => await readiness.WhyNotAsync(ct) is { } why
            ? Results.Json(new { status = "not ready", reason = why }, statusCode: StatusCodes.Status503ServiceUnavailable)
            : Results.Json(new { status = "ready" })).AllowAnonymous()
            .WithName("ready").WithTags("Health").WithSummary("The host takes work, and the store answers; else 503 with the reason.");
    }
}
