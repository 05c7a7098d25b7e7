namespace AiWorkflows.Features;

internal sealed class TypedGroupJoins<TSpine, TRow, TKey> : GroupJoins<TSpine> where TSpine : class where TRow : class where TKey : notnull
{
    private readonly Func<TRow, TKey> _rowKey = JoinKey.OfRow<TRow, TKey>(RowCodec<TRow>.Instance.Schema);
    private RowLookup<TRow>? _lookup;
    private Func<TKey, IReadOnlyList<object>>? _canonical;

    public required IReadOnlyList<JoinPlan<TSpine, TKey>> Joins { get; init; }

    public override JoinSource<TSpine> Open(IFeatureStore store, IReadOnlyList<PublishedCommit> commits, Window window, StageProgress? progress, CancellationToken ct)
    {
        var visible = new VisibleCommits(commits);
        var mode = Joins.Any(j => j.AsPublished) ? FeedMode.Versions : FeedMode.Rows;
        return new TypedJoinSource<TSpine, TRow, TKey>(this, _rowKey, visible, new GroupFeed<TRow>(store, commits, Properties, window, mode, progress, ct));
    }

    public override async Task<IReadOnlyList<JoinedRow>> SeekAsync(FeatureReadSession session, TSpine spine, long time, object?[] rows, CancellationToken ct)
    {
        var found = new List<JoinedRow>();
        foreach (var join in Joins)
        {
            var row = join.Key(spine, out var key) ? await SeekAsync(session, join, key, time, ct) : null;
            rows[join.Index] = row?.Row;
            found.Add(new JoinedRow(
                join.Alias, Schema.Name, Schema.Version, row is not null,
                row is { } r ? Timestamps.FromMicros(r.Time) : null,
                row is { } a ? Timestamps.SpanFromMicros(time - a.Time) : null,
                row?.CommitId,
                row is null ? new Dictionary<string, object?>() : Columns(row.Value.Row)));
        }
        return found;
    }

    public override void Find(OnlineLookup lookup, TSpine spine, long time, IFoundRow?[] found)
    {
        var columns = _lookup ??= new(Properties);
        var canonical = _canonical ??= key => CanonicalKey.Of(Schema, key);
        foreach (var join in Joins)
            if (join.Key(spine, out var key))
                found[join.Index] = join.AsPublished ? lookup.Add(columns, canonical(key), WindowOf(join, time), KnownFor(join, time))
                    : lookup.AddKnown(this, key, canonical, columns, Earliest(join, time), KnownFor(join, time));
    }

    private static long Earliest(JoinPlan<TSpine, TKey> join, long time) => Math.Max(Timestamps.ToMicros(DateTime.MinValue), time - join.MaxAge);

    private static Window WindowOf(JoinPlan<TSpine, TKey> join, long time) =>
        new(Timestamps.FromMicros(Earliest(join, time)), Timestamps.FromMicros(time + 1));

    private async Task<FeedRow<TRow>?> SeekAsync(FeatureReadSession session, JoinPlan<TSpine, TKey> join, TKey key, long time, CancellationToken ct)
    {
        var window = WindowOf(join, time);
        var commits = await session.OpenAsync(Schema, window, ct);
        if (commits.Count == 0)
            return null;
        return await Task.Run(() => RowSeek<TRow>.Latest(
            session.Store, new VisibleCommits(commits), Properties, CanonicalKey.Of(Schema, key), window, KnownFor(join, time)), ct);
    }

    private KnownWhen KnownFor(JoinPlan<TSpine, TKey> join, long time) => new(time, Timestamps.ToMicros(Schema.Lag), join.StrictlyBefore, join.AsPublished);

    private Dictionary<string, object?> Columns(TRow row) =>
        Schema.Columns.Where(c => c.Role != ColumnRole.Feature || Properties is null || Properties.Contains(c.Property))
            .ToDictionary(c => c.Name, c => typeof(TRow).GetProperty(c.Property)!.GetValue(row));
}
