using AiWorkflows.Streaming;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>A store whose answers are lost now and then, before or after it has done what was asked, or that cannot be reached any more.</summary>
internal sealed class FaultyStreams(IStreamStore inner, Random random) : IStreamStore
{
    public bool IsDead { get; set; }

    public bool IsCalm { get; set; }

    public int Faults { get; private set; }

    public Task RegisterAsync(IReadOnlyList<StreamDefinition> streams, bool onlyHost, CancellationToken ct) => inner.RegisterAsync(streams, onlyHost, ct);

    public Task<StreamBeat> BeatAsync(string owner, string host, TimeSpan ttl, CancellationToken ct) => CallAsync(() => inner.BeatAsync(owner, host, ttl, ct));

    public Task<StreamClaim?> ClaimAsync(string stream, int partition, string owner, string host, TimeSpan ttl, CancellationToken ct) => CallAsync(() => inner.ClaimAsync(stream, partition, owner, host, ttl, ct));

    public Task<SourceClaim?> ClaimSourceAsync(string stream, int source, string owner, string host, TimeSpan ttl, CancellationToken ct) => inner.ClaimSourceAsync(stream, source, owner, host, ttl, ct);

    public Task<IReadOnlyList<(string Stream, int Partition, long Head)>> HeadsAsync(CancellationToken ct) => CallAsync(() => inner.HeadsAsync(ct));

    public Task ReleaseAsync(StreamClaim claim, CancellationToken ct) => CallAsync(() => inner.ReleaseAsync(claim, ct));

    public Task ReleaseSourceAsync(SourceClaim claim, CancellationToken ct) => inner.ReleaseSourceAsync(claim, ct);

    public Task GoneAsync(string owner, CancellationToken ct) => CallAsync(() => inner.GoneAsync(owner, ct));

    public Task FailAsync(StreamClaim claim, string error, CancellationToken ct) => CallAsync(() => inner.FailAsync(claim, error, ct));

    public Task FailSourceAsync(SourceClaim claim, string? error, CancellationToken ct) => inner.FailSourceAsync(claim, error, ct);

    public Task<IReadOnlyList<bool>> AppendAsync(IReadOnlyList<StreamAppend> requests, CancellationToken ct) => inner.AppendAsync(requests, ct);

    public Task<IReadOnlyList<TakenEvent>> ReadAsync(string stream, int partition, long after, int limit, CancellationToken ct) => CallAsync(() => inner.ReadAsync(stream, partition, after, limit, ct));

    public async Task<StreamPublished> PublishAsync(StreamPublication publication, CancellationToken ct)
    {
        var fault = IsCalm ? 9 : random.Next(10);
        if (IsDead || fault == 0)
            throw Fault("before");
        var result = await inner.PublishAsync(publication, ct);
        if (IsDead || fault == 1)
            throw Fault("after");
        return result;
    }

    public Task<IReadOnlyList<PartitionState>> PartitionsAsync(CancellationToken ct) => CallAsync(() => inner.PartitionsAsync(ct));

    public Task<IReadOnlyList<SourceState>> SourcesAsync(CancellationToken ct) => inner.SourcesAsync(ct);

    public Task<IReadOnlyList<StreamMinute>> MinutesAsync(string stream, TimeSpan since, CancellationToken ct) => inner.MinutesAsync(stream, since, ct);

    public Task<long> CollectAsync(TimeSpan keep, CancellationToken ct) => inner.CollectAsync(keep, ct);

    public Task<long> CompactAsync(IReadOnlyList<ViewReads> views, TimeSpan age, CancellationToken ct) => inner.CompactAsync(views, age, ct);

    private Task<T> CallAsync<T>(Func<Task<T>> call) => IsDead ? throw Fault("dead") : call();

    private Task CallAsync(Func<Task> call) => IsDead ? throw Fault("dead") : call();

    private IOException Fault(string when)
    {
        Faults++;
        return new IOException($"lost {when} the commit");
    }
}
