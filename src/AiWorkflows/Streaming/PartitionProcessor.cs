using System.Globalization;
using System.Text.Json;
using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>What became of the events of a micro-batch.</summary>
/// <param name="Events">All of them.</param>
/// <param name="Late">Those that came too late to count.</param>
/// <param name="Duplicates">Those that had come before.</param>
/// <param name="Refused">Those that cannot be read, violate an expectation, or contradict one that came before.</param>
internal readonly record struct StreamCounts(long Events, long Late, long Duplicates, long Refused)
{
    public static StreamCounts operator +(StreamCounts a, StreamCounts b) => new(a.Events + b.Events, a.Late + b.Late, a.Duplicates + b.Duplicates, a.Refused + b.Refused);
}

/// <summary>What a micro-batch publishes: the events first, then what each pipeline has made of them.</summary>
/// <param name="Latest">The latest event time of the partition.</param>
internal sealed record StreamBatch(IReadOnlyList<StreamChanges> Changes, StreamCounts Counts, DateTime? Latest)
{
    public long Rows => Changes.Sum(c => c.Written + c.Tombstones);
}

/// <summary>One partition of a stream: takes events in the order of their offsets, and gives what has to be published. For one thread at a time.</summary>
internal abstract class PartitionProcessor
{
    /// <summary>The sequence that the state was restored as of; 0 before the first event.</summary>
    public abstract long Seen { get; }

    public abstract DateTime? Latest { get; }

    /// <summary>The earliest event time that state depends on; a change after it makes the state wrong.</summary>
    public abstract DateTime DependsOn { get; }

    /// <summary>Takes the state of the partition up again from the store.</summary>
    /// <param name="latest">The latest event time that was committed; null before the first event.</param>
    /// <param name="clock">The latest of all partitions; null where there is none.</param>
    public abstract Task RestoreAsync(DateTime? latest, DateTime? clock, CancellationToken ct);

    /// <summary>Takes an event, as JSON by column name.</summary>
    public abstract Task TakeAsync(string json, CancellationToken ct);

    /// <summary>What has changed since the last flush. Its result has to be published before anything else is taken.</summary>
    /// <param name="clock">The latest event time of all partitions, where this one has nothing more to take; null otherwise.</param>
    public abstract Task<StreamBatch> FlushAsync(DateTime? clock, CancellationToken ct);
}

/// <inheritdoc/>
internal sealed class PartitionProcessor<TEvent>(StreamDefinition<TEvent> stream, int partition, IReadOnlyList<StreamFeed<TEvent>> feeds, ExpectationCheck<TEvent>? expectations, IFeatureStore store, OnlineFeatures online)
    : PartitionProcessor where TEvent : class
{
    /// <summary>Rules under which events are kept in quarantine.</summary>
    public const string LateRule = "late";
    public const string DuplicateRule = "duplicate";
    public const string UnreadableRule = "unreadable";

    private static readonly DateTime Earliest = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);
    private static readonly DateTime Never = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);

    private readonly RowCodec<TEvent> _codec = RowCodec<TEvent>.Instance;
    private readonly EventMemory<TEvent> _memory = new(stream.Lateness);
    private readonly long _lateness = Timestamps.ToMicros(stream.Lateness);
    private ChangedRows<TEvent> _events = new();
    private StreamCounts _counts;
    private DateTime? _clock;
    private long? _latest;
    private bool _isRestored;
    private long _seen;

    public override long Seen => _seen;

    public override DateTime? Latest => Timestamps.FromMicros(_latest);

    public override DateTime DependsOn => _latest is { } latest ? LowerBound(latest) : Never;

    public override async Task RestoreAsync(DateTime? latest, DateTime? clock, CancellationToken ct)
    {
        (_events, _counts, _clock, _isRestored) = (new(), default, clock, false);
        _latest = latest is { } time ? Timestamps.ToMicros(time) : null;
        if (_latest is { } known)
            await RestoreAsync(known, ct);
    }

    public override Task TakeAsync(string json, CancellationToken ct)
    {
        if (Unreadable.Of(json) is var (text, reason))
        {
            Refuse(text, UnreadableRule, reason);
            _counts += new StreamCounts(1, 0, 0, 1);
            return Task.CompletedTask;
        }
        TEvent e;
        try
        {
            e = _codec.FromJson(json);
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            Refuse(json, UnreadableRule, error.Message);
            _counts += new StreamCounts(1, 0, 0, 1);
            return Task.CompletedTask;
        }
        return TakeAsync(e, ct);
    }

    /// <summary>Takes an event.</summary>
    public async Task TakeAsync(TEvent given, CancellationToken ct)
    {
        TEvent e;
        try
        {
            e = _codec.Canonicalize(given);
        }
        catch (StageFailedException error)
        {
            Refuse(JsonSerializer.Serialize(given), UnreadableRule, error.Message);
            _counts += new StreamCounts(1, 0, 0, 1);
            return;
        }
        // First of all: a time that is wrong must not become the clock of the partition.
        if (expectations?.Reject(e) is { } rejected)
        {
            _events.Quarantine.Add(rejected);
            _counts += new StreamCounts(1, 0, 0, 1);
            return;
        }
        var time = _codec.EventTime(e);
        if (!_isRestored)
            await RestoreAsync(_latest ?? time, ct);
        var latest = _latest ??= time;
        if (time >= _memory.Since(latest) && _memory.Find(e, time) is { } known)
        {
            if (!_codec.SameFeatures(known, e))
                Refuse(_codec.Json(e), DuplicateRule, $"another event of the same keys and time came before: {_codec.Json(known)}");
            _counts += _codec.SameFeatures(known, e) ? new StreamCounts(1, 0, 1, 0) : new StreamCounts(1, 0, 0, 1);
            return;
        }
        if (time < latest - _lateness)
        {
            Refuse(_codec.Json(e), LateRule, string.Create(CultureInfo.InvariantCulture,
                $"{Timestamps.SpanFromMicros(latest - _lateness - time)} later than the lateness of {stream.Lateness} allows: the latest event was at {Timestamps.Iso(Timestamps.FromMicros(latest))}"));
            _counts += new StreamCounts(1, 1, 0, 0);
            return;
        }
        _latest = Math.Max(latest, time);
        _memory.Add(e, time);
        _events.Add(e, deleted: false, isNew: true);
        foreach (var feed in feeds)
            feed.Add(e);
        _counts += new StreamCounts(1, 0, 0, 0);
    }

    public override async Task<StreamBatch> FlushAsync(DateTime? clock, CancellationToken ct)
    {
        var changes = new List<StreamChanges> { _events.ToChanges(_codec.Schema) };
        _events = new();
        if (_latest is { } latest && _isRestored)
        {
            using var lookup = online.Open();
            await lookup.FindAsync(ct);
            var moment = MomentAt(latest, clock) with { Lookup = lookup };
            changes.AddRange(feeds.Select(f => f.Flush(moment)));
            _memory.Forget(latest);
        }
        var batch = new StreamBatch([.. changes.Where(c => !c.IsEmpty)], _counts, Latest);
        _counts = default;
        return batch;
    }

    private void Refuse(string json, string rule, string reason) => _events.Quarantine.Add(new(json, rule, reason));

    private StreamMoment MomentAt(long latest, DateTime? clock)
    {
        var own = Timestamps.FromMicros(latest);
        return new(clock > own ? clock.Value : own, Floor(latest), null);
    }

    private static DateTime Minus(DateTime time, TimeSpan span) => time - Earliest > span ? time - span : Earliest;

    private DateTime Floor(long latest) => Minus(Timestamps.FromMicros(latest), stream.Lateness);

    private DateTime LowerBound(long latest)
    {
        var floor = Floor(latest);
        var remembered = Timestamps.FromMicros(Math.Max(Timestamps.ToMicros(Earliest), _memory.Since(latest)));
        return feeds.Select(f => f.ReachesBack(floor)).Append(remembered).Min();
    }

    /// <summary>Events of the past come back from the event group: they, the rows and the offset were published together, so nothing else has to be kept.</summary>
    private async Task RestoreAsync(long latest, CancellationToken ct)
    {
        var moment = MomentAt(latest, _clock);
        var seq = _seen = await store.CurrentSeqAsync(ct);
        foreach (var feed in feeds)
            await feed.RestoreAsync(moment, store, seq, ct);
        _memory.Clear();
        var (since, floors) = (_memory.Since(latest), feeds.Select(f => Timestamps.ToMicros(f.ReachesBack(moment.Floor))).ToArray());
        var window = new Window(LowerBound(latest), Never);
        var commits = await store.CommitsAsync(_codec.Schema, seq, window, ct);
        using var past = new GroupFeed<TEvent>(store, commits, null, window, FeedMode.Rows, progress: null, ct);
        while (await past.NextAsync(ct) is { } batch)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                var (e, time) = (batch[i].Row, batch[i].Time);
                if (stream.PartitionOf(e) != partition)
                    continue;
                if (time >= since)
                    _memory.Add(e, time);
                for (var f = 0; f < floors.Length; f++)
                    if (time >= floors[f])
                        feeds[f].Add(e);
            }
            past.Return(batch);
        }
        _isRestored = true;
    }
}
