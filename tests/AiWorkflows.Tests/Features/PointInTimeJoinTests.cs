using System.Globalization;
using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

public sealed class PointInTimeJoinTests(ITestOutputHelper output)
{
    [FeatureGroup("pit_spine")]
    public sealed record SpineRow([EntityKey] long Id, [EventTime] DateTime At, string A, string? B, byte H);

    [FeatureGroup("pit_single")]
    public sealed record SingleKey([EntityKey] string K, [EventTime] DateTime At, float X, int? N);

    [FeatureGroup("pit_double", LagSeconds = 3)]
    public sealed record DoubleKey([EntityKey] string K, [EntityKey] byte H, [EventTime] DateTime At, float Y);

    [FeatureGroup("pit_label")]
    public sealed record LabelRow([EntityKey] long Id, [EventTime] DateTime At, float? V);

    public sealed record PitExample(
        float Plain, int? PlainNumber, float Strict, float Published, float PublishedStrictly, float Lagged, float Fixed, float LaggedPublished, bool HasPlain, float Sum, float Hour);

    public sealed class PitView : FeatureView<SpineRow, PitExample>
    {
        protected internal override void Define(FeatureViewBuilder<SpineRow, PitExample> view)
        {
            var plain = view.Join<SingleKey>((s, r) => s.A == r.K, TimeSpan.FromSeconds(5));
            var strict = view.Join<SingleKey>((s, r) => s.B == r.K, TimeSpan.FromSeconds(20), strictlyBefore: true);
            var published = view.Join<SingleKey>((s, r) => s.A == r.K, TimeSpan.FromSeconds(12), known: Known.AsPublished);
            var publishedStrictly = view.Join<SingleKey>((s, r) => r.K == s.A, TimeSpan.FromSeconds(30), strictlyBefore: true, known: Known.AsPublished);
            var lagged = view.Join<DoubleKey>((s, r) => s.A == r.K && s.H == r.H, TimeSpan.FromSeconds(8));
            var constant = view.Join<DoubleKey>((s, r) => r.H == 1 && s.A == r.K, TimeSpan.FromSeconds(15), strictlyBefore: true);
            var laggedPublished = view.Join<DoubleKey>((s, r) => s.A == r.K && s.H == r.H, TimeSpan.FromSeconds(10), known: Known.AsPublished);
            view.Label<LabelRow, float?>((s, r) => s.Id == r.Id, TimeSpan.FromSeconds(6), r => r.V);
            view.Select(s => new PitExample(
                plain.Row.X, plain.Row.N, strict.Row.X, published.Row.X, publishedStrictly.Row.X, lagged.Row.Y, constant.Row.Y, laggedPublished.Row.Y,
                plain.Exists, plain.Row.X + lagged.Row.Y, s.H));
        }
    }

    private const int Horizon = 60;
    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task Equals_a_brute_force_oracle_on_random_histories()
    {
        var examples = Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1" ? 100_000 : 20_000;
        var view = MemoryStoreExtensions.View<PitView, PitExample>();
        var compared = 0;
        for (var seed = 0; compared < examples; seed++)
            compared += await CompareAsync(view, new Random(seed), $"seed {seed}");
        output.WriteLine($"{compared} examples");
    }

    [Fact]
    public async Task A_single_look_up_by_key_finds_the_same_rows_as_the_pass()
    {
        var view = MemoryStoreExtensions.View<PitView, PitExample>();
        for (var seed = 0; seed < 12; seed++)
        {
            var history = await History.CreateAsync(new Random(1_000_000 + seed));
            foreach (var example in await view.ReadAsync(history.Store, Seconds(0, Horizon), history.AsOf))
            {
                var explained = await view.ExplainAsync(new(history.Store, history.AsOf), example.EntityKey!, example.EventTime, default);
                explained.ShouldNotBeNull().Example.ShouldBe(example.Features, $"seed {seed}, {example.EntityKey} at {example.EventTime:O}");
            }
        }
    }

    private static async Task<int> CompareAsync(FeatureViewDefinition<PitExample> view, Random random, string seed)
    {
        var history = await History.CreateAsync(random);
        var (from, to) = (random.Next(0, 10), Horizon - random.Next(0, 10));
        var knownBefore = random.Next(3) == 0 ? random.Next(from, to + 10) : int.MaxValue;
        var session = new FeatureReadSession(history.Store, history.AsOf);
        var examples = await view.ReadAsync(history.Store, Seconds(from, to), history.AsOf, knownBefore == int.MaxValue ? null : Start.AddSeconds(knownBefore));
        var spine = history.Spine.Where(v => v.Sequence > 0 && v.Sequence <= history.AsOf && v.Time >= from && v.Time < to)
            .GroupBy(v => (v.Key, v.Time)).Select(g => g.MaxBy(v => v.Sequence)!).Where(v => !v.Deleted)
            .OrderBy(v => v.Time).ThenBy(v => v.Row.Id).ToArray();
        examples.Count.ShouldBe(spine.Length, seed);
        for (var i = 0; i < spine.Length; i++)
        {
            var (row, at) = (spine[i].Row, spine[i].Time);
            var where = $"{seed}, row {row} at second {at}, as of {history.AsOf}";
            examples[i].EntityKey.ShouldBe($"[{row.Id}]", where);
            examples[i].Features.ShouldBe(history.Expect(row, at), where);
            var label = PointInTimeOracle.Label(history.Labels, row.Id.ToString(CultureInfo.InvariantCulture), at, 6, knownBefore, history.AsOf);
            examples[i].HasLabel.ShouldBe(label?.Row.V is not null, where);
            if (label?.Row.V is { } value)
                (examples[i].Label, examples[i].LabelKnownAt).ShouldBe((value, Start.AddSeconds(label.Value.Time)), where);
        }
        return examples.Count;
    }

    private static Window Seconds(int from, int to) => new(Start.AddSeconds(from), Start.AddSeconds(to));

    /// <summary>A random history of commits: duplicates, late rows, corrections, tombstones, missing values, ties, commits that never become visible.</summary>
    private sealed class History
    {
        public InMemoryFeatureStore Store { get; } = new(TimeProvider.System);

        public List<Version<SpineRow>> Spine { get; } = [];

        public List<Version<SingleKey>> Single { get; } = [];

        public List<Version<DoubleKey>> Double { get; } = [];

        public List<Version<LabelRow>> Labels { get; } = [];

        public int AsOf { get; private set; }

        public static async Task<History> CreateAsync(Random random)
        {
            var history = new History();
            var (unique, published) = (0, 0);
            string Key() => ((char)('a' + random.Next(4))).ToString();
            DateTime At(int second) => Start.AddSeconds(second);
            for (var commit = random.Next(8, 20); commit > 0; commit--)
            {
                published += random.Next(1, 10);
                var publish = random.Next(8) > 0;
                switch (random.Next(5))
                {
                    case 0 or 1:
                        await history.AddAsync(history.Single, random, publish, published, random.Next(1, 40), second =>
                            new SingleKey(Key(), At(second), random.Next(9) == 0 ? float.NaN : ++unique, random.Next(3) == 0 ? null : unique), r => r.K);
                        break;
                    case 2:
                        await history.AddAsync(history.Double, random, publish, published, random.Next(1, 40), second =>
                            new DoubleKey(Key(), (byte)random.Next(3), At(second), ++unique), r => $"{r.K}/{r.H}");
                        break;
                    case 3:
                        await history.AddAsync(history.Labels, random, publish, published, random.Next(1, 60), second =>
                            new LabelRow(random.Next(30), At(second), random.Next(6) == 0 ? null : ++unique), r => r.Id.ToString(CultureInfo.InvariantCulture));
                        break;
                    default:
                        await history.AddAsync(history.Spine, random, publish, published, random.Next(50, 150), second =>
                            new SpineRow(random.Next(30), At(second), Key(), random.Next(4) == 0 ? null : Key(), (byte)random.Next(3)), r => r.Id.ToString(CultureInfo.InvariantCulture));
                        break;
                }
            }
            history.AsOf = (int)history.Store.CurrentSeq - (random.Next(3) == 0 ? random.Next(3) : 0);
            return history;
        }

        public PitExample Expect(SpineRow s, int at)
        {
            var pair = $"{s.A}/{s.H}";
            var plain = PointInTimeOracle.Join(Single, s.A, at, 5, asOf: AsOf);
            var lagged = PointInTimeOracle.Join(Double, pair, at, 8, lag: 3, asOf: AsOf);
            return new(
                plain?.X ?? float.NaN,
                plain?.N,
                PointInTimeOracle.Join(Single, s.B, at, 20, strictly: true, asOf: AsOf)?.X ?? float.NaN,
                PointInTimeOracle.Join(Single, s.A, at, 12, asPublished: true, asOf: AsOf)?.X ?? float.NaN,
                PointInTimeOracle.Join(Single, s.A, at, 30, strictly: true, asPublished: true, asOf: AsOf)?.X ?? float.NaN,
                lagged?.Y ?? float.NaN,
                PointInTimeOracle.Join(Double, $"{s.A}/1", at, 15, lag: 3, strictly: true, asOf: AsOf)?.Y ?? float.NaN,
                PointInTimeOracle.Join(Double, pair, at, 10, lag: 3, asPublished: true, asOf: AsOf)?.Y ?? float.NaN,
                plain is not null,
                plain is null || lagged is null ? float.NaN : plain.X + lagged.Y,
                s.H);
        }

        private async Task AddAsync<TRow>(List<Version<TRow>> versions, Random random, bool publish, int published, int count, Func<int, TRow> create, Func<TRow, string> key)
            where TRow : class
        {
            var rows = Enumerable.Range(0, count).Select(_ => (Second: random.Next(Horizon + 10), Deleted: random.Next(6) == 0))
                .Select(r => (Row: create(r.Second), r.Second, r.Deleted)).DistinctBy(r => (key(r.Row), r.Second)).ToArray();
            await Store.CommitAsync(rows.Select(r => (r.Row, r.Deleted)), Start.AddSeconds(published), publish);
            var sequence = publish ? (int)Store.CurrentSeq : 0;
            versions.AddRange(rows.Select(r => new Version<TRow>(r.Row, key(r.Row), r.Second, sequence, published, r.Deleted)));
        }
    }
}
