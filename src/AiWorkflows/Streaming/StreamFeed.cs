using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>The moment that a partition has come to.</summary>
/// <param name="Clock">Rows are given up to the hop that contains it.</param>
/// <param name="Floor">No event before it is taken any more.</param>
/// <param name="Lookup">What keys are looked up in that are not in memory; null where nothing is.</param>
internal readonly record struct StreamMoment(DateTime Clock, DateTime Floor, OnlineLookup? Lookup);

/// <summary>New and changed rows of one group, on their way into one commit.</summary>
internal sealed record StreamChanges(
    GroupSchema Group, IRowBatch Rows, long Written, long Tombstones, long Added, DateTime? Min, DateTime? Max, IReadOnlyList<QuarantinedRow> Quarantine)
{
    public bool IsEmpty => Rows.Count == 0 && Quarantine.Count == 0;

    /// <summary>The event times that the commit is about; where it only keeps rows out, the moment that the stream has come to.</summary>
    public Window WindowAt(DateTime? latest)
    {
        var (from, to) = (Min ?? latest ?? DateTime.UnixEpoch, Max ?? latest ?? DateTime.UnixEpoch);
        return new(from, to.AddMicroseconds(1));
    }
}

/// <summary>What one pipeline makes of the events of one partition. For one thread; no input and no output beside its arguments.</summary>
internal abstract class StreamFeed<TEvent> where TEvent : class
{
    /// <summary>The earliest event that rows at or after <paramref name="floor"/> are made of.</summary>
    public abstract DateTime ReachesBack(DateTime floor);

    /// <summary>Begins anew: <see cref="Add"/> brings the events back in canonical order, and the next flush compares with what is stored.</summary>
    public abstract Task RestoreAsync(StreamMoment moment, IFeatureStore store, long asOfSeq, CancellationToken ct);

    /// <summary>Takes an event that is neither late nor known; in any order.</summary>
    public abstract void Add(TEvent e);

    /// <summary>Computes what has changed, and forgets what cannot change any more.</summary>
    public abstract StreamChanges Flush(StreamMoment moment);
}

/// <summary>A row that was computed, and whether it is in the store or was kept out by an expectation.</summary>
internal readonly record struct Given<TRow>(TRow Row, bool IsStored) where TRow : class;

/// <summary>What all feeds have in common: only what differs from what was given before is written.</summary>
internal abstract class RowFeed<TEvent, TRow>(FeaturePipeline<TRow> pipeline) : StreamFeed<TEvent> where TEvent : class where TRow : class
{
    private readonly ExpectationCheck<TRow> _expectations = new(pipeline);
    private ChangedRows<TRow> _changes = new();
    private List<TRow> _stored = [];
    private bool _restoring;

    protected RowCodec<TRow> Codec { get; } = RowCodec<TRow>.Instance;

    public sealed override async Task RestoreAsync(StreamMoment moment, IFeatureStore store, long asOfSeq, CancellationToken ct)
    {
        _changes = new();
        _stored = [];
        _restoring = true;
        Clear(moment);
        var window = new Window(moment.Floor, DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));
        var commits = await store.CommitsAsync(Codec.Schema, asOfSeq, window, ct);
        using var feed = new GroupFeed<TRow>(store, commits, null, window, FeedMode.Rows, progress: null, ct);
        while (await feed.NextAsync(ct) is { } batch)
        {
            for (var i = 0; i < batch.Count; i++)
                _stored.Add(batch[i].Row);
            feed.Return(batch);
        }
    }

    public sealed override StreamChanges Flush(StreamMoment moment)
    {
        Compute(moment);
        (_restoring, _stored) = (false, []);
        var changes = _changes.ToChanges(Codec.Schema);
        _changes = new();
        return changes;
    }

    protected abstract void Clear(StreamMoment moment);

    protected abstract void Compute(StreamMoment moment);

    /// <summary>Writes a row down where it is not what was given before for its key and event time.</summary>
    protected Given<TRow> Give(TRow computed, Given<TRow>? before)
    {
        var row = Codec.Canonicalize(computed);
        var silent = false;
        if (before is null && _restoring)
        {
            var index = _stored.BinarySearch(row, Comparer<TRow>.Create(Codec.Compare));
            // What is not in the store though the stream had come so far was kept out before.
            before = index >= 0 ? new(_stored[index], true) : null;
            silent = index < 0;
        }
        if (before is { } known && Codec.SameFeatures(known.Row, row))
            return known;
        if (_expectations.Reject(row) is { } rejected)
        {
            if (!silent)
                _changes.Quarantine.Add(rejected);
            if (before is { IsStored: true })
                _changes.Add(row, deleted: true, isNew: false);
            return new(row, false);
        }
        _changes.Add(row, deleted: false, isNew: before is not { IsStored: true });
        return new(row, true);
    }
}

/// <summary>Collects the rows of one commit.</summary>
internal sealed class ChangedRows<TRow> where TRow : class
{
    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private readonly PendingRows<TRow> _rows = new(16);
    private long _written;
    private long _tombstones;
    private long _added;
    private long _min = long.MaxValue;
    private long _max = long.MinValue;

    public List<QuarantinedRow> Quarantine { get; } = [];

    public void Add(TRow row, bool deleted, bool isNew)
    {
        _rows.Add(row, deleted);
        if (deleted)
            _tombstones++;
        else
            _written++;
        _added += deleted ? -1 : isNew ? 1 : 0;
        var time = _codec.EventTime(row);
        (_min, _max) = (Math.Min(_min, time), Math.Max(_max, time));
    }

    public StreamChanges ToChanges(GroupSchema group) => new(
        group, _rows, _written, _tombstones, _added, _rows.Count == 0 ? null : Timestamps.FromMicros(_min), _rows.Count == 0 ? null : Timestamps.FromMicros(_max), Quarantine);
}
