using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

public sealed class GroupResolverTests
{
    [FeatureGroup("resolved")]
    public sealed record Row([EntityKey] string Key, [EventTime] DateTime At, int? Value);

    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly GroupSchema Schema = RowCodec<Row>.Instance.Schema;

    [Fact]
    public void An_engine_that_orders_equal_event_times_by_rules_of_its_own_is_put_right()
    {
        var random = new Random(5);
        var rows = Enumerable.Range(0, 30_000).Select(i => new Row($"k{i}", Start.AddSeconds(random.Next(50)), i)).OrderBy(r => r.At).ThenBy(_ => random.Next()).ToArray();

        var read = Resolve(rows.Select(r => (r, Commit: 1L, Deleted: false)), [1]);

        read.Select(r => r.Row).ShouldBe(rows.OrderBy(r => r.At).ThenBy(r => r.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void The_version_with_the_highest_visible_sequence_stands_whatever_its_commit_id_and_place()
    {
        // Commit 3 was published first, then 1, then 2; commit 4 not at all.
        long[] published = [3, 1, 2];
        Row R(string key, int value) => new(key, Start, value);

        Resolve([(R("a", 1), 1, false), (R("a", 2), 2, false), (R("a", 3), 3, false), (R("a", 4), 4, false)], published).Single().Row.Value.ShouldBe(2);
        Resolve([(R("a", 2), 2, true), (R("a", 1), 1, false), (R("a", 4), 4, false)], published).ShouldBeEmpty();
        Resolve([(R("a", 1), 1, false), (R("a", 3), 3, true), (R("b", 4), 4, false), (R("c", 3), 3, false)], published).Select(r => r.Row.Value).ShouldBe([1, 3]);
    }

    [Fact]
    public void Where_versions_are_wanted_all_visible_ones_come_and_the_one_that_stands_is_marked()
    {
        Row R(int value) => new("a", Start, value);

        var versions = Resolve([(R(1), 1, false), (R(2), 2, true), (R(3), 3, false), (R(4), 4, false)], [3, 1, 2], FeedMode.Versions);

        versions.Select(v => (v.CommitId, v.IsDeleted, v.IsWinner)).ShouldBe([(1, false, false), (3, false, false), (2, true, true)], ignoreOrder: true);
    }

    private static List<FeedRow<Row>> Resolve(IEnumerable<(Row Row, long Commit, bool Deleted)> versions, long[] published, FeedMode mode = FeedMode.Rows)
    {
        var visible = new VisibleCommits([.. published.Select((id, i) => new PublishedCommit(id, i + 1, Start, new(Start, Start)))]);
        var resolver = new GroupResolver<Row>(new Cursor([.. versions]), visible, Schema.Columns, mode);
        var rows = new List<FeedRow<Row>>();
        for (var batch = new FeedBatch<Row>(); resolver.Fill(batch); batch.Clear())
            rows.AddRange(batch.Rows);
        return rows;
    }

    private sealed class Cursor((Row Row, long Commit, bool Deleted)[] versions) : IRowCursor
    {
        private int _at = -1;

        public long CommitId => versions[_at].Commit;

        public bool IsDeleted => versions[_at].Deleted;

        public bool Read() => ++_at < versions.Length;

        public bool IsNull(int ordinal) => versions[_at].Row.Value is null;

        public long Integer(int ordinal) => ordinal == 0 ? Timestamps.ToMicros(versions[_at].Row.At) : versions[_at].Row.Value ?? 0;

        public double Real(int ordinal) => 0;

        public string Text(int ordinal) => versions[_at].Row.Key;

        public byte[] Blob(int ordinal) => [];

        public void Dispose() { }
    }
}
