using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Streaming;
using AiWorkflows.Tests.Hosting;
using AiWorkflows.Workflows;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Streaming;

/// <summary>A stream, a run over its events, a backfill window by window and a look-up by key: one answer, which a computation from first principles gives too.</summary>
public sealed class OneAnswerTests : IDisposable
{
    private static readonly DateTime Start = new(2024, 3, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly TempDirectory _directory = new();

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _directory.Dispose();
    }

    [Theory]
    [InlineData(41, 3)]
    [InlineData(42, 1)]
    public async Task Stream_run_backfill_and_look_up_give_what_the_definition_says(int seed, int partitions)
    {
        var random = new Random(seed);
        var events = StreamOracleTests.Events(random, 400);
        var pushed = StreamOracleTests.Disorder(random, events);
        var until = Start.AddHours(Math.Floor((events[^1].At - Start).TotalHours));

        await using var streamed = await StartAsync("streamed", s => StreamOracleTests.Define(s, partitions));
        await PushAsync(streamed, random, pushed);
        var fromStream = await AllAsync(streamed, until);
        Pulses(events, fromStream.Pulses);
        fromStream.Queues.ShouldBe(Queues(events).Where(q => q.At < until));
        fromStream.Sittings.ShouldBe(Sittings(events).Where(s => s.At < until));

        // The stream has written what a backfill over the same windows computes, so it changes nothing.
        await BackfillAsync(streamed, "history", until, parallel: 1);
        (await AllAsync(streamed, until)).ShouldBe(fromStream);
        (await streamed.Services.GetRequiredService<StoreDatabase>().ReadFirstAsync<long>(
            "SELECT COALESCE(SUM(new_rows + tombstones), 0) FROM {feature_store.commits} WHERE run_id IS NOT NULL AND state = 'published'", null, default)).ShouldBe(0);

        foreach (var (name, every) in new[] { ("run", until - Start), ("backfill", TimeSpan.FromHours(1)) })
        {
            // Events only: here nothing is computed as they arrive.
            await using var batch = await StartAsync(name, s => s.PartitionBy(e => e.Airport, partitions).Lateness(TimeSpan.FromMinutes(25)));
            await PushAsync(batch, random, pushed);
            await BackfillAsync(batch, "history", until, parallel: 1, every);
            (await AllAsync(batch, until)).ShouldBe(fromStream, name);
        }
        await using (var parallel = await StartAsync("parallel", s => s.PartitionBy(e => e.Airport, partitions).Lateness(TimeSpan.FromMinutes(25)), folds: false))
        {
            await PushAsync(parallel, random, pushed);
            await BackfillAsync(parallel, "history", until, parallel: 4);
            (await AllAsync(parallel, until)).Pulses.ShouldBe(fromStream.Pulses);
        }
        await LooksUpAsync(streamed, random, events, fromStream, until);
    }

    [Fact]
    public async Task Windows_of_a_fold_are_never_computed_at_the_same_time()
    {
        await using (var host = await StartAsync("fold", s => StreamOracleTests.Define(s, 1)))
        {
            var engine = host.Services.GetRequiredService<RunEngine>();
            (await Should.ThrowAsync<InvalidRequestException>(() => engine.RequestBackfillAsync(Order("history", Start.AddHours(4), 2, TimeSpan.FromHours(1)), default)))
                .Message.ShouldBe("queue goes on from the last row of each key in the window before, so windows run one after another; leave out --parallel.");
        }
        await using var side = ServedHost.Build(_directory.Sub("side"), settings: [], define: ai => ai.Workflow("history", w => w
            .Window(TimeSpan.FromHours(1), Start).Overlap(OverlapPolicy.Parallel, 2).Stage<QueuePipeline>()));
        (await side.RunAsync("workflows", "list")).ShouldBe(2);
        side.Error.ShouldContain("QueuePipeline goes on from the last row of each key in the window before, so runs go one after another; remove Overlap(OverlapPolicy.Parallel).");
    }

    private Task<ServedHost> StartAsync(string name, Func<EventStreamBuilder<Movement>, EventStreamBuilder<Movement>> stream, bool folds = true) => ServedHost.StartAsync(
        _directory.Sub(name), settings: new() { ["AiWorkflows:Clock"] = "2024-03-05T00:00:00Z" }, define: ai => ai
            .Stream<Movement>("movements", s => stream(s))
            .Workflow("history", w => { w.Window(TimeSpan.FromHours(1), Start).Stage<PulsePipeline>(); if (folds) w.Stage<QueuePipeline>().Stage<SittingPipeline>(); }));

    private static async Task PushAsync(ServedHost host, Random random, List<Movement> events)
    {
        var (stream, intake) = ((StreamDefinition<Movement>)host.Services.GetRequiredService<Catalog>().Stream("movements"), host.Services.GetRequiredService<StreamIntake>());
        for (var next = 0; next < events.Count;)
        {
            var some = events.GetRange(next, Math.Min(events.Count - next, random.Next(1, 60)));
            await intake.AppendAsync(new("movements", null, [.. some.Select(e => (stream.PartitionOf(e), RowCodec<Movement>.Instance.Json(e)))]), default);
            next += some.Count;
        }
        await UntilAsync(async () => (await host.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200)).GetProperty("lag_events").GetInt64() == 0);
    }

    private static BackfillOrder Order(string workflow, DateTime until, int parallel, TimeSpan every) => new(workflow, Start, until, every, parallel, Train: false, [], "test", Again: false);

    private static async Task BackfillAsync(ServedHost host, string workflow, DateTime until, int parallel, TimeSpan? every = null)
    {
        var backfill = await host.Services.GetRequiredService<RunEngine>().RequestBackfillAsync(Order(workflow, until, parallel, every ?? TimeSpan.FromHours(1)), default);
        var database = host.Services.GetRequiredService<StoreDatabase>();
        var id = new { backfill.Backfill.BackfillId };
        await UntilAsync(async () => await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.runs} WHERE backfill_id = @BackfillId AND state IN ('requested', 'running')", id, default) == 0);
        (await database.ReadAsync<string>("SELECT error FROM {workflows.runs} WHERE backfill_id = @BackfillId AND state <> 'succeeded'", id, default)).ShouldBeEmpty();
    }

    private static async Task<Answer> AllAsync(ServedHost host, DateTime until) => new(
        [.. (await StreamsApiTests.RowsAsync<Pulse>(host)).Where(p => p.At < until)], [.. (await StreamsApiTests.RowsAsync<Queue>(host)).Where(q => q.At < until)],
        [.. (await StreamsApiTests.RowsAsync<Sitting>(host)).Where(s => s.At < until)]);

    private static async Task LooksUpAsync(ServedHost host, Random random, List<Movement> events, Answer rows, DateTime until)
    {
        var online = host.Services.GetRequiredService<OnlineFeatures>();
        var (pulses, queues, sittings) = (new RowLookup<Pulse>(null), new RowLookup<Queue>(null), new RowLookup<Sitting>(null));
        var found = 0;
        for (var i = 0; i < 300; i++)
        {
            var airport = events[random.Next(events.Count)].Airport;
            var at = Start.AddSeconds(random.Next((int)(until - Start).TotalSeconds));
            var window = new Window(at.AddHours(-2), at.AddMicroseconds(1));
            using var lookup = online.Open();
            var pulse = lookup.Add(pulses, [airport], window, KnownWhen.Always);
            var queue = lookup.Add(queues, [airport], window, KnownWhen.Always);
            var sitting = lookup.Add(sittings, [airport], window, KnownWhen.Always);
            await lookup.FindAsync(default);
            (pulse.Found?.Row).ShouldBe(rows.Pulses.LastOrDefault(p => p.Airport == airport && window.Contains(p.At)));
            (queue.Found?.Row).ShouldBe(rows.Queues.LastOrDefault(q => q.Airport == airport && window.Contains(q.At)));
            (sitting.Found?.Row).ShouldBe(rows.Sittings.LastOrDefault(s => s.Airport == airport && window.Contains(s.At)));
            found += queue.Found is null ? 0 : 1;
        }
        found.ShouldBeGreaterThan(100);
    }

    /// <summary>Each row, and each row that there has to be, in the plainest way.</summary>
    private static void Pulses(List<Movement> events, IReadOnlyList<Pulse> rows)
    {
        var hop = TimeSpan.FromMinutes(10);
        foreach (var row in rows)
        {
            Movement[] Last(int minutes) => [.. events.Where(e => e.Airport == row.Airport && e.At >= row.At.AddMinutes(-minutes) && e.At < row.At).Order(StreamOracleTests.Canonical)];
            var (two, seven) = (Last(20), Last(70));
            double[] delays = [.. seven.Select(e => e.Delay).Where(d => !double.IsNaN(d))];
            (row.LastTwo, row.LastSeven, row.Carriers).ShouldBe((two.Length, seven.Length, seven.Select(e => e.Carrier).OfType<string>().Distinct().Count()));
            if (delays.Length == 0)
                row.Mean.ShouldBe(float.NaN);
            else
                row.Mean.ShouldBe((float)delays.Average(), 1e-4);
            row.Most.ShouldBe((float)two.Select(e => e.Delay).Where(d => !double.IsNaN(d)).DefaultIfEmpty(double.NaN).Max());
        }
        var kept = rows.Select(r => (r.Airport, r.At)).ToHashSet();
        var last = rows[^1].At;
        foreach (var (airport, end) in events.Select(e => (e.Airport, End: new DateTime((e.At.Ticks / hop.Ticks + 1) * hop.Ticks, DateTimeKind.Utc))).Distinct().Where(e => e.End <= last))
            // More than twelve in twenty minutes go to quarantine.
            kept.Contains((airport, end)).ShouldBe(events.Count(e => e.Airport == airport && e.At >= end.AddMinutes(-20) && e.At < end) <= 12, $"{airport} {end:O}");
    }

    private static IEnumerable<Queue> Queues(List<Movement> events) => Folded<Queue>(events, (last, e) =>
        new Queue(e.Airport, e.At, (last?.Count ?? 0) + 1, (last?.Smoothed ?? 0) * 0.9 + e.Delay / 3), q => double.IsNaN(q.Smoothed) || q.Smoothed is >= -1000 and <= 60);

    private static IEnumerable<Sitting> Sittings(List<Movement> events) => Folded<Sitting>(events, (last, e) =>
        last is null || e.At - last.At > TimeSpan.FromMinutes(8) ? new Sitting(e.Airport, e.At, 1, e.At) : last with { At = e.At, Count = last.Count + 1 }, _ => true);

    /// <summary>One event after the other, one row for each moment; a row that is kept out is not gone on from.</summary>
    private static IEnumerable<TRow> Folded<TRow>(List<Movement> events, Func<TRow?, Movement, TRow> apply, Func<TRow, bool> isKept) where TRow : class => events
        .GroupBy(e => e.Airport)
        .SelectMany(of =>
        {
            var (rows, last) = (new List<(DateTime At, TRow Row)>(), (TRow?)null);
            foreach (var moment in of.GroupBy(e => e.At).OrderBy(m => m.Key))
            {
                var row = moment.OrderBy(e => e.Id).Aggregate(last, apply)!;
                if (!isKept(row))
                    continue;
                rows.Add((moment.Key, row));
                last = row;
            }
            return rows.Select(r => (of.Key, r.At, r.Row));
        })
        .OrderBy(r => r.At).ThenBy(r => r.Key, StringComparer.Ordinal).Select(r => r.Row);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
            await Task.Delay(30, patience.Token);
    }

    private sealed record Answer(IReadOnlyList<Pulse> Pulses, IReadOnlyList<Queue> Queues, IReadOnlyList<Sitting> Sittings)
    {
        public bool Equals(Answer? other) => other is not null && Pulses.SequenceEqual(other.Pulses) && Queues.SequenceEqual(other.Queues) && Sittings.SequenceEqual(other.Sittings);

        public override int GetHashCode() => HashCode.Combine(Pulses.Count, Queues.Count, Sittings.Count);
    }
}
