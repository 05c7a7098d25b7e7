using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Raw data that comes late or is corrected, and what follows from it.</summary>
public class LateInputTests
{
    [Fact]
    public void Reopened_cells_equal_those_of_a_look_at_every_cell_on_random_histories()
    {
        var random = new Random(17);
        for (var i = 0; i < 2_000; i++)
        {
            var grid = new WindowGrid(TimeSpan.FromHours(random.Next(3) switch { 0 => 6, 1 => 24, _ => 48 }), Origin);
            var lookback = TimeSpan.FromHours(random.Next(5) * 10);
            SeenWindow[] covered = [.. Enumerable.Range(0, random.Next(6)).Select(_ => Seen(random, grid))];
            TouchedDay[] touched = [.. Enumerable.Range(0, random.Next(6)).Select(_ => new TouchedDay(Day(random.Next(1, 14)), random.Next(1, 9)))];
            var expected = new List<ReopenedCell>();
            for (var from = Origin; from < Day(30); from += grid.Size)
            {
                var cell = new Window(from, from + grid.Size);
                if (covered.Where(c => c.Window.Contains(cell)).Select(c => (long?)c.AsOfSeq).Max() is { } asOf
                    && touched.Where(t => new Window(t.Day, t.Day.AddDays(1) + lookback).Overlaps(cell)).Select(t => (long?)t.Seq).Max() is { } seq && seq > asOf)
                    expected.Add(new(cell, seq));
            }
            LateInput.Cells(covered, touched, lookback, grid).ShouldBe(expected, $"case {i}");
        }

        static SeenWindow Seen(Random random, WindowGrid grid)
        {
            var from = Origin + random.Next(10) * grid.Size;
            return new(new(from, from + random.Next(1, 5) * grid.Size), random.Next(0, 9));
        }
    }

    [Theory]
    [InlineData(1, CatchUpPolicy.OneRun)]
    [InlineData(2, CatchUpPolicy.EachWindow)]
    [InlineData(3, CatchUpPolicy.Latest)]
    [InlineData(4, CatchUpPolicy.OneRun)]
    public async Task Late_and_corrected_raw_data_over_many_ticks_ends_in_the_features_of_one_computation_over_the_final_data(int seed, CatchUpPolicy policy)
    {
        var random = new Random(seed);
        var shape = new Shape(random.Next(3), random.Next(3), WithSpread: true);
        var raw = new RawTicks();
        await using var file = await SqliteFile.MigratedAsync(inMemory: true);
        await using (var host = await EngineHost.StartAsync(file, Define(shape, raw, policy), now: Day(2)))
            for (var day = 2; day <= 12; day++)
            {
                // Whatever lies within the look-back of the cell that is closed now may still change.
                for (var n = random.Next(1, 6); n > 0; n--)
                    raw.Change(random, Day(Math.Max(1, day - 3)), Day(day));
                host.Get<BusinessClock>().MoveTo(Day(day));
                await CatchUpTests.TickToTheEndAsync(host);
                (await host.Engine.OwedAsync("w", RunModes.Stages, default)).ShouldBeEmpty();
            }
        await using var once = await SqliteFile.MigratedAsync(inMemory: true);
        await using (var host = await EngineHost.StartAsync(once, Define(shape, raw, CatchUpPolicy.OneRun), now: Day(12)))
            await CatchUpTests.TickToTheEndAsync(host);
        var expected = await FeaturesAsync(once);
        expected.Count.ShouldBeGreaterThan(20);
        (await FeaturesAsync(file)).ShouldBe(expected, shape.ToString());
        (await file.Database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.reopened}", null, default)).ShouldBe(0);
    }

    [Fact]
    public async Task What_is_computed_again_without_a_change_publishes_nothing()
    {
        var raw = new RawTicks();
        raw.Change(new Random(1), Day(1), Day(9));
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, Define(new(2, 2, true), raw, CatchUpPolicy.OneRun), now: Day(8));
        await CatchUpTests.TickToTheEndAsync(host);
        var commits = await CommitsAsync(file);
        host.Get<BusinessClock>().MoveTo(Day(9));
        await CatchUpTests.TickToTheEndAsync(host);
        host.Probe.Executions.ShouldContain(e => e.Stage == "raw" && e.Window == Days(6, 9), "two days are looked at again with the new one");
        (await CommitsAsync(file)).ShouldBe(commits + 4, "one for the new day of each group");
        (await host.Ledger.LatestRunIdAsync("w", default)).ShouldBe(2, "nothing follows from it");
    }

    [Fact]
    public async Task A_change_reaches_as_far_forward_as_the_pipeline_looks_back_and_models_and_predictions_stay()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        await host.FollowAsync();
        var (models, batches) = (await CountAsync("SELECT COUNT(*) FROM {model_registry.versions}"), await CountAsync("SELECT COUNT(*) FROM {prediction_log.batches}"));

        // Somebody publishes ticks of the seventh day once more, with other values.
        host.Probe.Executions.Clear();
        await CorrectAsync(host, Days(7, 8));
        var runs = await host.FollowAsync();
        runs.ShouldHaveSingleItem().Window.ShouldBe(Days(7, 8));
        host.Probe.Executions.Select(e => (e.Stage, e.Window)).ShouldBe([("double", Days(7, 8))]);
        (await host.StepsAsync(runs[0].RunId))["score"].Reason.ShouldBe("already covered");
        (await CountAsync("SELECT COUNT(*) FROM {model_registry.versions}")).ShouldBe(models);
        (await CountAsync("SELECT COUNT(*) FROM {prediction_log.batches}")).ShouldBe(batches);
        (await CountAsync("SELECT COUNT(*) FROM {feature_store.doubles_v1} WHERE value > 1000")).ShouldBe(1);

        Task<long> CountAsync(string sql) => file.Database.ReadFirstAsync<long>(sql, null, default);
    }

    /// <summary>A patch of one tick, as a replay from quarantine writes it.</summary>
    private static async Task CorrectAsync(EngineHost host, Window window)
    {
        var quarantine = host.Get<AiWorkflows.Features.IQuarantine>();
        var attempt = await quarantine.BeginAsync(new("w", "tick", window, "me", "test", "1"), default);
        var definition = host.Get<Catalog>().FeaturePipeline("tick");
        var row = new AiWorkflows.Features.QuarantinedRecord(0, $$"""{"key":"a","at":"{{Timestamps.Iso(window.From)}}","value":5000}""");
        var result = await definition.ReplayAsync([row], accept: true, host.Get<IServiceProvider>(), host.Get<EngineStores>().Features, w => Task.FromResult(
            new AiWorkflows.Features.CommitRequest(definition.Writes, AiWorkflows.Features.CommitKind.Patch, w, attempt, "1")), default);
        (await host.Ledger.WinAsync(new(attempt) { Commit = result.Commit }, default)).Outcome.ShouldBe(PublishOutcome.Published);
        await host.Ledger.AdvanceAsync(attempt.RunId, "", 0, default);
    }

    private static Action<AiWorkflowsBuilder> Define(Shape shape, RawTicks raw, CatchUpPolicy policy) => ai =>
    {
        ai.Services.AddSingleton(shape).AddSingleton(raw);
        ai.Workflow("w", w => w.Every("0 * * * *").Window(TimeSpan.FromDays(1), Origin).CatchUp(policy).LookBack(TimeSpan.FromDays(2))
            .Stage<RawTickPipeline>().Stage<DoublePipeline>().Stage<SumsPipeline>().Stage<SpreadPipeline>());
    };

    private static Task<long> CommitsAsync(SqliteFile file) => file.Database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'published'", null, default);

    private static async Task<IReadOnlyList<string>> FeaturesAsync(SqliteFile file)
    {
        var rows = new List<string>();
        foreach (var (group, more) in new[] { ("ticks", ""), ("doubles", ""), ("sums", " || ' ' || count"), ("spreads", "") })
            rows.AddRange((await file.Database.ReadAsync<string>($$"""SELECT '{{group}} ' || at || ' ' || key || ' ' || value{{more}} FROM {feature_store.{{group}}_v1}""", null, default)).Order(StringComparer.Ordinal));
        return rows;
    }
}

/// <summary>What the outside world says at this moment.</summary>
public sealed class RawTicks
{
    private readonly ConcurrentDictionary<(string Key, DateTime At), int> _rows = [];

    public IEnumerable<Tick> Read(Window window) => _rows.Where(r => window.Contains(r.Key.At)).Select(r => new Tick(r.Key.Key, r.Key.At, r.Value));

    /// <summary>Adds, corrects and takes away rows.</summary>
    public void Change(Random random, DateTime from, DateTime to)
    {
        for (var n = random.Next(1, 8); n > 0; n--)
        {
            var at = from + TimeSpan.FromHours(random.Next(0, (int)(to - from).TotalHours / 6) * 6);
            var key = ($"k{random.Next(2)}", at);
            if (random.Next(4) == 0)
                _rows.TryRemove(key, out _);
            else
                _rows[key] = random.Next(1000);
        }
    }
}

public sealed class RawTickPipeline(RawTicks raw, Probe probe) : BatchFeaturePipeline<Tick>
{
    public override string Name => "raw";

    public override async IAsyncEnumerable<Tick> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await probe.EnterAsync("raw", window, ct);
        foreach (var tick in raw.Read(window))
            yield return tick;
    }
}
