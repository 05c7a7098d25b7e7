using Shouldly;

namespace AiWorkflows.Tests.Streaming;

/// <summary>Whatever order events come in, however they are cut and whatever restarts: a stream gives the rows of the batch.</summary>
public sealed class StreamOracleTests
{
    private static readonly DateTime Start = new(2024, 3, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Lateness = TimeSpan.FromMinutes(25);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 4)]
    [InlineData(4, 1)]
    [InlineData(5, 2)]
    [InlineData(6, 5)]
    [InlineData(7, 1)]
    [InlineData(8, 4)]
    public async Task Random_events_give_the_rows_of_the_batch_to_the_bit(int seed, int partitions)
    {
        var random = new Random(seed);
        var events = Events(random, 600);
        await using var host = Host(partitions);
        var counts = await PushAsync(host, random, Disorder(random, events));
        counts.Late.ShouldBe(0);
        counts.Refused.ShouldBe(0);
        counts.Duplicates.ShouldBe(counts.Events - events.Count);
        host.Rows<Movement>().ShouldBe(events.Order(Canonical));
        await ShouldEqualBatchAsync(host, events);
    }

    [Theory]
    [InlineData(11, 1)]
    [InlineData(12, 3)]
    public async Task Late_events_are_kept_in_quarantine_and_counted_and_the_rest_gives_the_rows_of_the_batch(int seed, int partitions)
    {
        var random = new Random(seed);
        var events = Events(random, 500);
        await using var host = Host(partitions);
        // Wider than the lateness: who is late then is decided by the order alone.
        var pushed = Disorder(random, events, Lateness * 3).Select((e, i) => (Event: e, Index: i)).ToList();
        var counts = await PushAsync(host, random, [.. pushed.Select(p => p.Event)]);
        counts.Late.ShouldBeGreaterThan(0);
        var late = host.Quarantined<Movement>();
        late.ShouldAllBe(q => q.Rule == "late");
        late.Count.ShouldBe((int)counts.Late);
        var taken = host.Rows<Movement>();
        taken.ShouldNotContain(e => late.Any(l => l.Row.Equals(e)) && !events.Contains(e));
        events.Except(taken).ShouldBe(late.Select(l => l.Row).Except(taken), ignoreOrder: true);
        await ShouldEqualBatchAsync(host, taken);
    }

    [Fact]
    public async Task The_restarts_decide_nothing()
    {
        var events = Events(new Random(21), 400);
        var pushed = Disorder(new Random(22), events, Lateness * 2);
        await using var steady = Host(2);
        await using var restarted = Host(2);
        var first = await PushAsync(steady, new Random(23), pushed, restarts: false);
        var second = await PushAsync(restarted, new Random(24), pushed, restarts: true);
        second.ShouldBe(first);
        restarted.Rows<Movement>().ShouldBe(steady.Rows<Movement>());
        restarted.Rows<Pulse>().ShouldBe(steady.Rows<Pulse>());
        restarted.Rows<Queue>().ShouldBe(steady.Rows<Queue>());
        restarted.Rows<Sitting>().ShouldBe(steady.Rows<Sitting>());
        restarted.Quarantined<Movement>().ShouldBe(steady.Quarantined<Movement>(), ignoreOrder: true);
    }

    [Fact]
    public async Task A_stream_goes_on_where_the_batch_has_ended()
    {
        var random = new Random(31);
        var events = Events(random, 500);
        var middle = Start.AddMinutes(300);
        await using var host = Host(1);
        host.Given(events.Where(e => e.At < middle));
        var history = new Window(Start, middle);
        await host.RunAsync<PulsePipeline>(history, TestContext.Current.CancellationToken);
        await host.RunAsync<QueuePipeline>(history, TestContext.Current.CancellationToken);
        await host.RunAsync<SittingPipeline>(history, TestContext.Current.CancellationToken);
        await PushAsync(host, random, Disorder(random, [.. events.Where(e => e.At >= middle)]));
        await ShouldEqualBatchAsync(host, events);
    }

    [Fact]
    public async Task An_event_that_contradicts_an_earlier_one_is_kept_in_quarantine()
    {
        await using var host = Host(1);
        var e = new Movement("LHR", 1, Start, 5, "BA");
        (await host.PushAsync("movements", e, e, e with { Delay = 6 })).ShouldBe(new StreamedEvents(3, 0, 1, 1));
        var refused = host.Quarantined<Movement>().ShouldHaveSingleItem();
        refused.Rule.ShouldBe("duplicate");
        refused.Row.Delay.ShouldBe(6);
        host.Rows<Movement>().ShouldHaveSingleItem().ShouldBe(e);
    }

    [Fact]
    public async Task What_a_batch_of_events_would_keep_out_a_stream_keeps_out_too()
    {
        await using var host = new WorkflowTestHost(ai => ai.Stream<Movement>("movements", s => Define(s, 1)).Add<MovementsPipeline>());
        var good = new Movement("LHR", 1, Start, 5, "BA");
        var absurd = good with { Id = 2, At = Start.AddYears(50), Delay = 100_000 };
        (await host.PushAsync("movements", good, absurd, absurd)).ShouldBe(new StreamedEvents(3, 0, 0, 2));
        host.RestartStreams();
        // Not late: the time of an event that was kept out is not the clock of the partition.
        (await host.PushAsync("movements", good with { Id = 3 }, good with { Id = 4, Carrier = "XX" }, good)).ShouldBe(new StreamedEvents(3, 0, 1, 1));
        host.Quarantined<Movement>().Select(q => (q.Row.Id, q.Rule, q.Reason)).ShouldBe(
            [(2, "delay in [-60, 10000]", "found 100000"), (2, "delay in [-60, 10000]", "found 100000"), (4, "(m.Carrier != \"XX\")", $"found {good with { Id = 4, Carrier = "XX" }}")], ignoreOrder: true);
        host.Rows<Movement>().Select(e => e.Id).ShouldBe([1, 3]);
        host.Rows<Queue>().ShouldHaveSingleItem().Count.ShouldBe(2);
    }

    [Fact]
    public async Task An_event_counts_from_the_end_of_its_hop_on_at_once_and_is_corrected_by_a_later_one()
    {
        await using var host = Host(1);
        await host.PushAsync("movements", new Movement("LHR", 1, Start.AddMinutes(3), 5, "BA"));
        host.Rows<Pulse>().ShouldHaveSingleItem().ShouldSatisfyAllConditions(p => p.At.ShouldBe(Start.AddMinutes(10)), p => p.LastTwo.ShouldBe(1));
        await host.PushAsync("movements", new Movement("LHR", 2, Start.AddMinutes(14), 7, "BA"));
        await host.PushAsync("movements", new Movement("LHR", 3, Start.AddMinutes(1), 9, "BA"));
        host.Rows<Pulse>().Select(p => (p.At, p.LastTwo)).ShouldBe([(Start.AddMinutes(10), 2), (Start.AddMinutes(20), 3)]);
    }

    [Fact]
    public async Task What_left_a_span_shows_in_a_quiet_partition_too()
    {
        await using var host = Host(4);
        await host.PushAsync("movements", new Movement("LHR", 1, Start.AddMinutes(3), 5, "BA"));
        foreach (var airport in new[] { "CDG", "AMS", "FRA", "MAD", "OSL" })
            await host.PushAsync("movements", new Movement(airport, 1, Start.AddMinutes(45), 5, "BA"));
        host.Rows<Pulse>().Where(p => p.Airport == "LHR").Select(p => (p.At, p.LastTwo)).ShouldBe([(Start.AddMinutes(10), 1), (Start.AddMinutes(30), 0)]);
    }

    internal static Comparer<Movement> Canonical { get; } = Comparer<Movement>.Create((a, b) =>
        a.At != b.At ? a.At.CompareTo(b.At) : a.Airport != b.Airport ? string.CompareOrdinal(a.Airport, b.Airport) : a.Id.CompareTo(b.Id));

    internal static EventStreamBuilder<Movement> Define(EventStreamBuilder<Movement> stream, int partitions) =>
        stream.PartitionBy(e => e.Airport, partitions).Lateness(Lateness).Feed<PulsePipeline>().Feed<QueuePipeline>().Feed<SittingPipeline>();

    private static WorkflowTestHost Host(int partitions) => new(ai => ai.Stream<Movement>("movements", s => Define(s, partitions)));

    internal static List<Movement> Events(Random random, int count)
    {
        string[] airports = ["AMS", "CDG", "FRA", "LHR", "MAD", "ÅRE"];
        string?[] carriers = ["BA", "KL", "LH", null];
        var (events, at) = (new List<Movement>(), Start);
        for (var i = 0; i < count; i++)
        {
            // Several at one moment, and now and then nothing for long.
            at += random.Next(10) switch { 0 => TimeSpan.Zero, 1 when random.Next(8) == 0 => TimeSpan.FromMinutes(random.Next(120)), _ => TimeSpan.FromSeconds(random.Next(120)) };
            events.Add(new(airports[random.Next(random.Next(1, 7))], i, at, random.Next(20) == 0 ? double.NaN : random.NextDouble() * 60 - 10, carriers[random.Next(4)]));
        }
        return events;
    }

    /// <summary>Shuffles within half the lateness to either side, and doubles one in ten.</summary>
    internal static List<Movement> Disorder(Random random, IReadOnlyList<Movement> events, TimeSpan? within = null)
    {
        var width = (within ?? Lateness).TotalSeconds;
        var doubled = events.Concat(events.Where(_ => random.Next(10) == 0));
        return [.. doubled.Select(e => (Event: e, Order: e.At.AddSeconds(random.NextDouble() * width * 0.999))).OrderBy(e => e.Order).Select(e => e.Event)];
    }

    private static async Task<StreamedEvents> PushAsync(WorkflowTestHost host, Random random, List<Movement> events, bool restarts = true)
    {
        var counts = new StreamedEvents(0, 0, 0, 0);
        for (var next = 0; next < events.Count;)
        {
            var size = Math.Min(events.Count - next, random.Next(1, random.Next(2, 80)));
            var pushed = await host.PushAsync("movements", events.GetRange(next, size));
            counts = new(counts.Events + pushed.Events, counts.Late + pushed.Late, counts.Duplicates + pushed.Duplicates, counts.Refused + pushed.Refused);
            next += size;
            if (restarts && random.Next(6) == 0)
                host.RestartStreams();
        }
        return counts;
    }

    /// <summary>The same pipelines over the same events in one batch, up to the hop that the stream has come to.</summary>
    internal static async Task<WorkflowTestHost> BatchAsync(IReadOnlyList<Movement> events)
    {
        var batch = new WorkflowTestHost(ai => ai.Add<PulsePipeline>().Add<QueuePipeline>().Add<SittingPipeline>());
        batch.Given(events);
        var latest = events.Max(e => e.At);
        var hop = TimeSpan.FromMinutes(10).Ticks;
        var window = new Window(Start, new DateTime((latest.Ticks / hop + 1) * hop + 10, DateTimeKind.Utc));
        await batch.RunAsync<PulsePipeline>(window);
        await batch.RunAsync<QueuePipeline>(window);
        await batch.RunAsync<SittingPipeline>(window);
        return batch;
    }

    private static async Task ShouldEqualBatchAsync(WorkflowTestHost streamed, IReadOnlyList<Movement> events)
    {
        await using var batch = await BatchAsync(events);
        streamed.Rows<Pulse>().ShouldBe(batch.Rows<Pulse>());
        streamed.Rows<Queue>().ShouldBe(batch.Rows<Queue>());
        streamed.Rows<Sitting>().ShouldBe(batch.Rows<Sitting>());
        streamed.Rows<Pulse>().Count.ShouldBeGreaterThan(20);
    }
}
