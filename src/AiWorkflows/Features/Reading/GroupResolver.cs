namespace AiWorkflows.Features;

/// <summary>What a feed delivers.</summary>
internal enum FeedMode
{
    /// <summary>The current rows, in canonical order.</summary>
    Rows,

    /// <summary>All visible versions, tombstones included, ordered by event time.</summary>
    Versions,
}

/// <summary>
/// Turns raw row versions into rows: of adjacent versions of one (event time, keys) the one with the highest visible sequence stands, unless it is a tombstone.
/// Engines may order equal event times by other rules than ours, so those are sorted again where they are not in canonical order.
/// </summary>
internal sealed class GroupResolver<TRow> where TRow : class
{
    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private readonly IRowCursor _cursor;
    private readonly VisibleCommits _commits;
    private readonly FeedMode _mode;
    private readonly Func<IRowCursor, TRow> _materialize;
    private readonly Func<IRowCursor, TRow> _materializeTombstone;
    private readonly Comparison<FeedRow<TRow>> _byKeys;

    private FeedRow<TRow> _pending;
    private long _pendingSequence;
    private bool _hasPending;
    private bool _ended;

    /// <param name="columns">The columns of the cursor: event time, all keys, then any features.</param>
    public GroupResolver(IRowCursor cursor, VisibleCommits commits, IReadOnlyList<FeatureColumn> columns, FeedMode mode)
    {
        (_cursor, _commits, _mode) = (cursor, commits, mode);
        _materialize = _codec.Materializer(columns);
        _materializeTombstone = _codec.Materializer([.. columns.Take(1 + _codec.Schema.Keys.Count)]);
        _byKeys = (a, b) => _codec.CompareKeys(a.Row, b.Row);
    }

    /// <summary>Event time and keys, and those of the features that are wanted, in the order of the schema: what a resolver needs to see.</summary>
    public static IReadOnlyList<FeatureColumn> ColumnsFor(IReadOnlySet<string>? properties)
    {
        var schema = RowCodec<TRow>.Instance.Schema;
        return properties is null ? schema.Columns : [.. schema.Columns.Where(c => c.Role != ColumnRole.Feature || properties.Contains(c.Property))];
    }

    /// <summary>Fills the batch; rows of one event time stay in one batch. False when nothing was left.</summary>
    public bool Fill(FeedBatch<TRow> batch)
    {
        if (_ended)
            return false;
        var (cursor, commits) = (_cursor, _commits);
        var (tieStart, tieIsUnordered) = (0, false);
        while (cursor.Read())
        {
            var commit = cursor.CommitId;
            var sequence = commits.Sequence(commit);
            if (sequence == 0)
                continue;
            var (time, deleted) = (cursor.Integer(0), cursor.IsDeleted);
            var row = deleted ? _materializeTombstone(cursor) : _materialize(cursor);
            var startsTime = !_hasPending || _pending.Time != time;
            var order = startsTime ? -1 : _codec.CompareKeys(_pending.Row, row);
            if (order == 0)
            {
                Supersede(batch, new(row, time, commit, deleted, IsWinner: true), sequence);
                continue;
            }
            EmitPending(batch);
            (_pending, _pendingSequence, _hasPending) = (new(row, time, commit, deleted, IsWinner: true), sequence, true);
            tieIsUnordered |= order > 0;
            if (!startsTime)
                continue;
            SortTie(batch, tieStart, tieIsUnordered);
            (tieStart, tieIsUnordered) = (batch.Count, false);
            if (batch.Count >= FeedBatch<TRow>.Size)
                return true;
        }
        EmitPending(batch);
        SortTie(batch, tieStart, tieIsUnordered);
        _ended = true;
        return batch.Count > 0;
    }

    /// <summary>Another version of the pending row: the higher sequence stands.</summary>
    private void Supersede(FeedBatch<TRow> batch, in FeedRow<TRow> version, long sequence)
    {
        var (winner, loser) = sequence > _pendingSequence ? (version, _pending) : (_pending, version);
        if (_mode == FeedMode.Versions)
            batch.Add(loser with { IsWinner = false });
        (_pending, _pendingSequence) = (winner, Math.Max(sequence, _pendingSequence));
    }

    private void EmitPending(FeedBatch<TRow> batch)
    {
        if (_hasPending && (!_pending.IsDeleted || _mode == FeedMode.Versions))
            batch.Add(_pending);
        _hasPending = false;
    }

    private void SortTie(FeedBatch<TRow> batch, int start, bool isUnordered)
    {
        if (isUnordered && _mode == FeedMode.Rows)
            batch.Writable[start..].Sort(_byKeys);
    }
}
