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
    private int _tieStart;
    private bool _tieUnordered;

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
        (_tieStart, _tieUnordered) = (0, false);
        while (_cursor.Read())
        {
            var commit = _cursor.CommitId;
            var sequence = _commits.Sequence(commit);
            if (sequence == 0)
                continue;
            var (time, deleted) = (_cursor.Integer(0), _cursor.IsDeleted);
            var row = new FeedRow<TRow>(deleted ? _materializeTombstone(_cursor) : _materialize(_cursor), time, commit, deleted, IsWinner: false);
            if (_hasPending && _pending.Time == time && _codec.CompareKeys(_pending.Row, row.Row) == 0)
            {
                var (winner, loser) = sequence > _pendingSequence ? (row, _pending) : (_pending, row);
                if (_mode == FeedMode.Versions)
                    batch.Add(loser);
                (_pending, _pendingSequence) = (winner, Math.Max(sequence, _pendingSequence));
                continue;
            }
            var startsTime = _hasPending && _pending.Time != time;
            EmitPending(batch);
            (_pending, _pendingSequence, _hasPending) = (row, sequence, true);
            if (startsTime && batch.Count >= FeedBatch<TRow>.Size)
            {
                SortTie(batch);
                return true;
            }
        }
        EmitPending(batch);
        SortTie(batch);
        _ended = true;
        return batch.Count > 0;
    }

    private void EmitPending(FeedBatch<TRow> batch)
    {
        if (!_hasPending)
            return;
        _hasPending = false;
        if (_mode == FeedMode.Versions)
        {
            batch.Add(_pending with { IsWinner = true });
            return;
        }
        if (_pending.IsDeleted)
            return;
        if (batch.Count > 0)
        {
            ref var last = ref batch[batch.Count - 1];
            if (last.Time != _pending.Time)
            {
                SortTie(batch);
                _tieStart = batch.Count;
            }
            else if (!_tieUnordered && _codec.CompareKeys(last.Row, _pending.Row) > 0)
                _tieUnordered = true;
        }
        batch.Add(_pending with { IsWinner = true });
    }

    private void SortTie(FeedBatch<TRow> batch)
    {
        if (_tieUnordered)
            batch.Writable[_tieStart..].Sort(_byKeys);
        _tieUnordered = false;
    }
}
