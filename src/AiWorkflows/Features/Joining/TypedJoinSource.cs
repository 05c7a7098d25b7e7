namespace AiWorkflows.Features;

/// <summary>Feeds the rows of a group into what is known of it: the latest row per key, and the versions by publication where a join asks for those.</summary>
internal sealed class TypedJoinSource<TSpine, TRow, TKey> : JoinSource<TSpine> where TSpine : class where TRow : class where TKey : notnull
{
    private readonly Func<TRow, TKey> _rowKey;
    private readonly VisibleCommits _commits;
    private readonly GroupFeed<TRow> _feed;
    private readonly JoinPlan<TSpine, TKey>[] _joins;
    private readonly LatestRows<TRow, TKey>? _latest;
    private readonly PublishedVersions<TRow, TKey>? _versions;
    private readonly long _lag;
    private FeedBatch<TRow>? _batch;
    private int _position;
    private long _next;

    public TypedJoinSource(TypedGroupJoins<TSpine, TRow, TKey> group, Func<TRow, TKey> rowKey, VisibleCommits commits, GroupFeed<TRow> feed)
    {
        (_rowKey, _commits, _feed) = (rowKey, commits, feed);
        _joins = [.. group.Joins];
        _lag = Timestamps.ToMicros(group.Schema.Lag);
        if (_joins.Any(j => !j.AsPublished))
            _latest = new(_joins.Where(j => !j.AsPublished).Max(j => j.MaxAge), _joins.Any(j => j.StrictlyBefore && !j.AsPublished));
        if (_joins.Any(j => j.AsPublished))
            _versions = new(_joins.Where(j => j.AsPublished).Max(j => j.MaxAge));
        _next = long.MinValue;
    }

    public override void Advance(long time)
    {
        // While a batch is under way, _next is the moment from which its next row is known.
        while (_next <= time)
        {
            if (_batch is null || _position == _batch.Count)
            {
                if (_batch is not null)
                    _feed.Return(_batch);
                (_batch, _position) = (_feed.Next(), 0);
                if (_batch is null)
                {
                    _next = long.MaxValue;
                    break;
                }
            }
            var rows = _batch.Rows;
            while (_position < rows.Length && rows[_position].Time + _lag <= time)
                Take(rows[_position++]);
            _next = _position < rows.Length ? rows[_position].Time + _lag : long.MinValue;
        }
        _latest?.Forget(time);
        _versions?.Advance(time);
    }

    public override void Find(TSpine spine, long time, object?[] rows)
    {
        foreach (var join in _joins)
        {
            if (!join.Key(spine, out var key))
                rows[join.Index] = null;
            else if (join.AsPublished)
                rows[join.Index] = _versions!.Find(key, time, join.MaxAge, join.StrictlyBefore);
            else
                rows[join.Index] = _latest!.Find(key, time, join.MaxAge, join.StrictlyBefore ? time - _lag : long.MaxValue);
        }
    }

    public override void Dispose() => _feed.Dispose();

    private void Take(in FeedRow<TRow> row)
    {
        var key = _rowKey(row.Row);
        if (_latest is not null && row is { IsWinner: true, IsDeleted: false })
            _latest.Put(key, row.Row, row.Time);
        _versions?.Put(key, row, Math.Max(row.Time + _lag, _commits.PublishedAt(row.CommitId)), _commits.Sequence(row.CommitId));
    }
}
