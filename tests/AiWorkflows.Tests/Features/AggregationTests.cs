using System.Globalization;
using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

public sealed class AggregationTests
{
    [FeatureGroup("agg_events")]
    public sealed record Event([EntityKey] long Id, [EventTime] DateTime At, string? Airport, byte Hour, float Delay, string? Carrier);

    [FeatureGroup("agg_rows")]
    public sealed record Row(
        [EntityKey] string Airport, [EntityKey] byte Hour, [EventTime] DateTime At, int Count, int LateCount, float Sum, float Mean, float MeanLate, float Min, float Max,
        float Share, float ShareOfLate, float First, float Last, int Distinct, float Deviation, float MeanLong, int CountLong);

    public sealed class EventsPipeline : AggregateFeaturePipeline<Event, Row>
    {
        protected internal override void Define(AggregationBuilder<Event, Row> events)
        {
            var late = 15f;
            var shorter = TimeSpan.FromMinutes(30);
            events.By(e => new { e.Airport, e.Hour }).Every(TimeSpan.FromMinutes(15)).Select(g => new Row(
                g.Key.Airport!, g.Key.Hour, g.End,
                g.Last(shorter).Count(), g.Last(shorter).Count(e => e.Delay > late), g.Last(shorter).Sum(e => e.Delay), g.Last(shorter).Mean(e => e.Delay),
                g.Last(shorter).Mean(e => e.Delay, e => e.Delay > late), g.Last(shorter).Min(e => e.Delay), g.Last(shorter).Max(e => e.Delay),
                g.Last(shorter).Share(e => e.Delay > late), g.Last(shorter).Share(e => e.Carrier == "x", e => e.Delay > late), g.Last(shorter).First(e => e.Delay), g.Last(shorter).Last(e => e.Delay),
                g.Last(shorter).DistinctCount(e => e.Carrier), g.Last(shorter).StandardDeviation(e => e.Delay),
                g.Last(TimeSpan.FromHours(2)).Mean(e => e.Delay), g.Last(TimeSpan.FromHours(2)).Count()));
        }
    }

    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Hop = TimeSpan.FromMinutes(15);
    private readonly InMemoryFeatureStore _store = new(TimeProvider.System);
    private readonly FeaturePipelineDefinition _pipeline = MemoryStoreExtensions.Pipeline<EventsPipeline>();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Equals_brute_force(int seed)
    {
        var events = Events(seed, 600);
        await _store.CommitAsync(events);
        var window = new Window(Start.AddHours(3), Start.AddHours(20));

        await _store.RunAsync(_pipeline, window);

        var rows = await _store.ReadAsync<Row>(window);
        var expected = Expected(events, window);
        rows.Select(r => (r.Airport, r.Hour, r.At)).ShouldBe(expected.Select(r => (r.Airport, r.Hour, r.At)));
        rows.Count.ShouldBeGreaterThan(300);
        foreach (var (row, e) in rows.Zip(expected))
            Close(row, e);
    }

    [Fact]
    public async Task One_window_gives_the_same_rows_to_the_bit_as_hour_by_hour_or_any_other_cut()
    {
        await _store.CommitAsync(Events(4, 900));
        var window = new Window(Start, Start.AddHours(24));
        await _store.RunAsync(_pipeline, window);
        var whole = await _store.ReadAsync<Row>(window);

        foreach (var minutes in new[] { 15, 50, 60, 300 })
        {
            var cut = new InMemoryFeatureStore(TimeProvider.System);
            await cut.CommitAsync(Events(4, 900));
            for (var at = window.From; at < window.To; at = at.AddMinutes(minutes))
                await cut.RunAsync(_pipeline, new(at, at.AddMinutes(minutes) < window.To ? at.AddMinutes(minutes) : window.To));
            (await cut.ReadAsync<Row>(window)).ShouldBe(whole, $"windows of {minutes} minutes");
        }
    }

    [Fact]
    public async Task A_row_comes_only_at_hops_at_which_an_event_entered_or_left_a_span()
    {
        await _store.CommitAsync(new Event(1, Start.AddHours(5).AddMinutes(1), "LAX", 1, 20, null));

        await _store.RunAsync(_pipeline, new(Start, Start.AddHours(24)));

        (await _store.ReadAsync<Row>(new(Start, Start.AddHours(24)))).Select(r => (r.At.TimeOfDay.ToString(@"hh\:mm", CultureInfo.InvariantCulture), r.Count, r.CountLong))
            .ShouldBe([("05:15", 1, 1), ("05:45", 0, 1), ("07:15", 0, 0)]);
    }

    [Fact]
    public async Task An_event_at_the_end_of_a_span_belongs_to_the_next_row()
    {
        await _store.CommitAsync(new Event(1, Start.AddHours(5), "LAX", 1, 20, null));

        await _store.RunAsync(_pipeline, new(Start, Start.AddHours(6)));

        (await _store.ReadAsync<Row>(new(Start, Start.AddHours(6)))).First().At.ShouldBe(Start.AddHours(5) + Hop);
    }

    [Fact]
    public async Task What_it_reads_begins_one_hop_before_its_longest_span_and_only_the_columns_used_are_read()
    {
        var window = new Window(Start.AddHours(10), Start.AddHours(11));
        await _store.CommitAsync(Events(1, 10));

        var seal = await _store.RunAsync(_pipeline, window);

        seal.Inputs.ShouldBe([new FeatureInput("agg_events", 1, 1, new(Start.AddHours(7).AddMinutes(45), Start.AddHours(10).AddMinutes(45)))]);
        _pipeline.Lookback.ShouldBe(TimeSpan.FromMinutes(135));
        var plan = _pipeline.GetType().GetProperty("Plan")!.GetValue(_pipeline)!;
        ((IReadOnlySet<string>)plan.GetType().GetProperty("EventProperties")!.GetValue(plan)!).Order().ShouldBe(["Airport", "Carrier", "Delay", "Hour"]);
    }

    [Fact]
    public async Task A_key_that_appears_once_gives_a_row_for_entering_and_one_for_leaving_each_span()
    {
        await _store.CommitAsync(Enumerable.Range(0, 3000).Select(i => new Event(i, Start.AddMinutes(i), $"K{i}", 0, 1, null)).ToArray());

        await _store.RunAsync(_pipeline, new(Start, Start.AddDays(4)));

        (await _store.ReadAsync<Row>(new(Start, Start.AddDays(4)))).Count.ShouldBe(9000);
    }

    private static Event[] Events(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Event(
            i, Start.AddMinutes(random.Next(24 * 60)), random.Next(12) == 0 ? null : $"{(char)('A' + random.Next(3))}", (byte)random.Next(2),
            random.Next(8) == 0 ? float.NaN : random.Next(-200, 600) / 10f, random.Next(4) == 0 ? null : $"{(char)('x' + random.Next(3))}"))];
    }

    private static List<Row> Expected(Event[] events, Window window)
    {
        var rows = new List<Row>();
        var ordered = events.Where(e => e.Airport is not null).OrderBy(e => e.At).ThenBy(e => e.Id).ToArray();
        for (var end = window.From; end < window.To; end += Hop)
            foreach (var key in ordered.GroupBy(e => (e.Airport, e.Hour)).OrderBy(g => g.Key))
            {
                Event[] In(DateTime to, double hours) => [.. key.Where(e => e.At >= to.AddHours(-hours) && e.At < to)];
                var (shorter, longer) = (In(end, 0.5), In(end, 2));
                if (shorter.SequenceEqual(In(end - Hop, 0.5)) && longer.SequenceEqual(In(end - Hop, 2)))
                    continue;
                float[] Values(Event[] of) => [.. of.Select(e => e.Delay).Where(v => !float.IsNaN(v))];
                float Mean(float[] of) => of.Length == 0 ? float.NaN : (float)of.Average(v => (double)v);
                var (values, late) = (Values(shorter), shorter.Where(e => e.Delay > 15).ToArray());
                rows.Add(new(
                    key.Key.Airport!, key.Key.Hour, end, shorter.Length, late.Length, (float)values.Sum(v => (double)v), Mean(values), Mean(Values(late)),
                    values.Length == 0 ? float.NaN : values.Min(), values.Length == 0 ? float.NaN : values.Max(),
                    shorter.Length == 0 ? float.NaN : (float)late.Length / shorter.Length,
                    late.Length == 0 ? float.NaN : (float)late.Count(e => e.Carrier == "x") / late.Length,
                    shorter.FirstOrDefault()?.Delay ?? float.NaN, shorter.LastOrDefault()?.Delay ?? float.NaN,
                    shorter.Select(e => e.Carrier).OfType<string>().Distinct().Count(),
                    values.Length == 0 ? float.NaN : (float)Math.Sqrt(values.Average(v => Math.Pow(v - values.Average(x => (double)x), 2))),
                    Mean(Values(longer)), longer.Length));
            }
        return rows;
    }

    /// <summary>Sums over panes differ from sums over events in the last bits.</summary>
    private static void Close(Row row, Row expected)
    {
        foreach (var p in typeof(Row).GetProperties())
            if (p.GetValue(row) is float found && p.GetValue(expected) is float wanted)
                (float.IsNaN(found) == float.IsNaN(wanted) && !(Math.Abs(found - wanted) > 1e-4)).ShouldBeTrue($"{p.Name} of {row} should be {wanted}");
            else
                p.GetValue(row).ShouldBe(p.GetValue(expected), p.Name);
    }
}
