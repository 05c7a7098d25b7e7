using System.Collections.Concurrent;

namespace AiWorkflows.Streaming;

/// <summary>What the workers of one process tell each other: that there are new events, and how far each stream has come.</summary>
internal sealed class StreamSignals
{
    private readonly ConcurrentDictionary<(string Stream, int Partition), SemaphoreSlim> _events = [];
    private readonly ConcurrentDictionary<string, long> _latest = [];

    /// <summary>Says that a partition has new events.</summary>
    public void HasEvents(string stream, int partition)
    {
        var signal = Of(stream, partition);
        if (signal.CurrentCount == 0)
            signal.Release();
    }

    /// <summary>Waits until a partition has new events, or the stream has come further than <paramref name="clock"/>, which is looked at every so often.</summary>
    public async Task WaitAsync(string stream, int partition, DateTime? clock, TimeSpan often, CancellationToken ct)
    {
        while (!await Of(stream, partition).WaitAsync(often, ct))
            if (Latest(stream) is { } latest && (clock is null || latest > clock))
                return;
    }

    /// <summary>Says that a partition has published events up to a moment.</summary>
    public void HasCome(string stream, DateTime? latest)
    {
        if (latest is { } time)
            _latest.AddOrUpdate(stream, time.Ticks, (_, known) => Math.Max(known, time.Ticks));
    }

    /// <summary>The latest event time that any partition has published, as far as is known here; null before the first.</summary>
    public DateTime? Latest(string stream) => _latest.TryGetValue(stream, out var ticks) ? new DateTime(ticks, DateTimeKind.Utc) : null;

    private SemaphoreSlim Of(string stream, int partition) => _events.GetOrAdd((stream, partition), static _ => new SemaphoreSlim(0));
}
