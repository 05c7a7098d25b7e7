using System.Threading.RateLimiting;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Security;

/// <summary>
/// Counts attempts that failed, by address. Nobody guesses a key; what is limited is the work and the rows of the audit that trying would cost. A good
/// key is let in all the same, so that nobody is locked out by his neighbour.
/// </summary>
internal sealed class Attempts(ILedger ledger, ILogger<Attempts> log) : IDisposable
{
    private const int PerMinute = 10;
    private const int PerMinuteOfAll = 60;
    private readonly Buckets _ofAddress = Of(PerMinute);
    private readonly Buckets _ofAll = Of(PerMinuteOfAll);

    /// <summary>Notes a failure. Null while the address has attempts left, else the seconds until it has again.</summary>
    /// <param name="keyId">The part of a key that may be shown, if it was one.</param>
    public async Task<int?> FailedAsync(HttpContext context, string how, string? keyId)
    {
        using var lease = _ofAddress.Take(Callers.NetworkOf(context));
        if (!lease.IsAcquired)
            return lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : 60;
        using var room = _ofAll.Take("");
        if (!room.IsAcquired)
            return null;
        try
        {
            Caller.Current = new(Callers.Of(context).Name, Callers.AddressOf(context));
            await ledger.AuditAsync("unknown", "login-failed", how, keyId, CancellationToken.None);
        }
        catch (Exception e)
        {
            log.LogWarning(e, "A failed attempt of {Address} could not be recorded", Callers.AddressOf(context));
        }
        return null;
    }

    public void Dispose()
    {
        _ofAddress.Dispose();
        _ofAll.Dispose();
    }

    private static Buckets Of(int perMinute) => new(perMinute, 1, TimeSpan.FromMinutes(1.0 / perMinute));
}
