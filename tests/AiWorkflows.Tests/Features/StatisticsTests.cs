using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

public sealed class StatisticsTests
{
    [FeatureGroup("measured")]
    public sealed record Measured([EntityKey] string Key, [EventTime] DateTime At, float Value, bool Flag);

    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Count_nulls_range_mean_and_deviation_equal_those_computed_by_hand()
    {
        var values = Normal(5000, 3, seed: 1);
        var statistics = Of(values.Select((v, i) => new Measured($"k{i % 3}", Start.AddSeconds(i), i % 10 == 0 ? float.NaN : v, i % 4 == 0)));
        var present = values.Where((_, i) => i % 10 != 0).Select(v => (double)v).ToArray();

        var value = statistics.Columns.Single(c => c.Name == "value");
        (value.Count, value.Nulls, value.Min, value.Max).ShouldBe((4500, 500, present.Min(), present.Max()));
        value.Mean!.Value.ShouldBe(present.Average(), 1e-9);
        value.Deviation!.Value.ShouldBe(Math.Sqrt(present.Average(v => (v - present.Average()) * (v - present.Average()))), 1e-6);
        statistics.Columns.Single(c => c.Name == "key").Top!.Select(t => (t.Value, t.Count)).ShouldBe([("k0", 1667), ("k1", 1667), ("k2", 1666)]);
        statistics.Columns.Single(c => c.Name == "flag").Top!.Select(t => (t.Value, t.Count)).ShouldBe([("false", 3750), ("true", 1250)]);
        statistics.Columns.Single(c => c.Name == "at").To.ShouldBe("2001-01-01T01:23:19Z");
        CommitStatistics.Parse(statistics.ToJson())!.ToJson().ShouldBe(statistics.ToJson());
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(100, 1)]
    [InlineData(1e-6, 2)]
    [InlineData(1e30, 3)]
    public void A_histogram_counts_every_value_once_in_at_most_twenty_bins(double scale, int seed)
    {
        var values = Normal(3000, 1, seed).Select(v => v * scale).Append(0).Append(-500 * scale).ToArray();
        var histogram = Histogram(values);

        histogram.Counts.Count.ShouldBeInRange(5, 20);
        histogram.Counts.Sum().ShouldBe(values.Length);
        for (var i = 0; i < histogram.Counts.Count; i++)
            histogram.Counts[i].ShouldBe(values.Count(v => v >= histogram.Edges[i] && v < histogram.Edges[i + 1]), $"bin {i}");
    }

    [Fact]
    public void A_single_value_has_a_single_bin() => Histogram([5, 5, 5]).Counts.ShouldBe([3]);

    [Fact]
    public void Histograms_of_days_add_up_to_counts_that_are_true_for_all_values_together()
    {
        var days = Enumerable.Range(0, 10).Select(d => Normal(500, 1 + d * 0.05, d).Select(v => v + d * 0.1).ToArray()).ToArray();

        var sum = days.Select(Histogram).Aggregate((a, b) => a.Add(b));

        var all = days.SelectMany(d => d).ToArray();
        sum.Counts.Sum().ShouldBe(all.Length);
        sum.Counts.Count.ShouldBeGreaterThan(8);
        for (var i = 0; i < sum.Counts.Count; i++)
            sum.Counts[i].ShouldBe(all.Count(v => v >= sum.Edges[i] && v < sum.Edges[i + 1]), $"bin {i}");
    }

    [Fact]
    public void A_histogram_moved_onto_other_edges_keeps_its_total()
    {
        var moved = Histogram([.. Normal(1000, 1, 3).Select(v => (double)v)]).On([-1, 0, 1, 2]);

        moved.Sum().ShouldBe(1000, 1e-6);
        moved[1].ShouldBe(341, 60);
    }

    private static Histogram Histogram(IEnumerable<double> values)
    {
        var histogram = new DyadicHistogram();
        foreach (var value in values)
            histogram.Add(value);
        return histogram.ToHistogram()!;
    }

    private static CommitStatistics Of(IEnumerable<Measured> rows)
    {
        var sink = new StatisticsSink(RowCodec<Measured>.Instance.Schema.Columns);
        foreach (var row in rows)
        {
            sink.Rows++;
            RowCodec<Measured>.Instance.Bind(row, sink);
        }
        return sink.ToStatistics();
    }

    private static float[] Normal(int count, double deviation, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()) * deviation))];
    }
}
