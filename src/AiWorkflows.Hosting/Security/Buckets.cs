using System.Threading.RateLimiting;

namespace AiWorkflows.Hosting.Security;

/// <summary>Buckets of tokens, one for each name. The framework looks after them ten times a second once there are any, so there are none until somebody takes a token: an idle host sleeps.</summary>
internal sealed class Buckets(int size, int perPeriod, TimeSpan period) : IDisposable
{
    private readonly Lazy<PartitionedRateLimiter<string>> _limiter = new(() => PartitionedRateLimiter.Create<string, string>(name => RateLimitPartition.GetTokenBucketLimiter(name, _ => new()
    {
        TokenLimit = size,
        TokensPerPeriod = perPeriod,
        ReplenishmentPeriod = period,
        QueueLimit = 0,
    })));

    public RateLimitLease Take(string name) => _limiter.Value.AttemptAcquire(name);

    public void Dispose()
    {
        if (_limiter.IsValueCreated)
            _limiter.Value.Dispose();
    }
}
