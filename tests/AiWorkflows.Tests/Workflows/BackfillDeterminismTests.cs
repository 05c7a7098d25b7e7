using System.Runtime.CompilerServices;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

/// <summary>How many windows run at a time, how long each stage takes and what goes wrong on the way changes nothing about what comes of a backfill.</summary>
public class BackfillDeterminismTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Random_workflows_give_the_same_state_with_one_window_at_a_time_and_with_many(int seed)
    {
        var random = new Random(seed);
        var shape = new Shape(random.Next(4), random.Next(4), random.Next(2) == 0);
        var every = TimeSpan.FromDays(random.Next(1, 3));
        var one = await StateAsync(shape, every, 1, null);
        one.ShouldContain(l => l.StartsWith("sums ", StringComparison.Ordinal));
        (await StateAsync(shape, every, 5, new Random(seed))).ShouldBe(one, $"{shape} every {every}");
    }

    private static async Task<IReadOnlyList<string>> StateAsync(Shape shape, TimeSpan every, int parallel, Random? trouble)
    {
        await using var file = await SqliteFile.MigratedAsync(inMemory: true);
        var probe = new Probe();
        foreach (var stage in new[] { "tick", "double", "sums", "spread" })
            probe.Before[stage] = async (_, ct) =>
            {
                int dice;
                lock (probe)
                    dice = trouble?.Next(12) ?? 1;
                if (dice == 0)
                    throw new IOException("It happens.");
                await Task.Delay(trouble is null ? 0 : dice * 2, ct);
            };
        await using var host = await EngineHost.StartAsync(file, ai =>
        {
            ai.Services.AddSingleton(shape);
            ai.Workflow("w", w =>
            {
                w.Window(TimeSpan.FromDays(1), Origin).Stage<TickPipeline>(maxAttempts: 50).Stage<SumsPipeline>(maxAttempts: 50).Stage<DoublePipeline>(maxAttempts: 50);
                if (shape.WithSpread)
                    w.Stage<SpreadPipeline>(maxAttempts: 50);
            });
        }, probe);
        var order = new BackfillOrder("w", Day(1), Day(14), every, parallel, false, [], "me", false);
        (await host.EndBackfillAsync((await host.Engine.RequestBackfillAsync(order, default)).Backfill.BackfillId)).ShouldAllBe(w => w.State == "succeeded");
        var state = new List<string>();
        foreach (var rows in new[]
        {
            "SELECT 'ticks ' || key || ' ' || at || ' ' || value FROM {feature_store.ticks_v1}", "SELECT 'doubles ' || key || ' ' || at || ' ' || value FROM {feature_store.doubles_v1}",
            "SELECT 'sums ' || key || ' ' || at || ' ' || value || ' ' || count FROM {feature_store.sums_v1}",
            shape.WithSpread ? "SELECT 'spreads ' || key || ' ' || at || ' ' || value FROM {feature_store.spreads_v1}" : "SELECT ''",
            "SELECT 'mark ' || pipeline || ' ' || input || ' ' || event_time FROM {workflows.watermarks}", "SELECT 'cover ' || pipeline || ' ' || window_from || ' ' || window_to FROM {workflows.coverage}",
        })
            state.AddRange((await file.Database.ReadAsync<string>(rows, null, default)).Order(StringComparer.Ordinal));
        return state;
    }
}

/// <param name="SumsBack">Days that sums reach back.</param>
/// <param name="SpreadBack">Days that spreads reach back.</param>
public sealed record Shape(int SumsBack, int SpreadBack, bool WithSpread);

[FeatureGroup("sums")]
public sealed record Sums([EntityKey] string Key, [EventTime] DateTime At, long Value, long Count);

[FeatureGroup("spreads")]
public sealed record Spread([EntityKey] string Key, [EventTime] DateTime At, long Value);

/// <summary>What was doubled up to each day, as far back as the shape says.</summary>
public sealed class SumsPipeline(IFeatureReader<Doubled> doubles, Shape shape, Probe probe) : BatchFeaturePipeline<Sums>
{
    public override string Name => "sums";

    public override TimeSpan Lookback => TimeSpan.FromDays(shape.SumsBack);

    public override async IAsyncEnumerable<Sums> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await probe.EnterAsync("sums", window, ct);
        var rows = new List<Doubled>();
        await foreach (var row in doubles.ReadAsync(window.ExtendBack(Lookback), ct))
            rows.Add(row);
        for (var day = window.From; day < window.To; day = day.AddDays(1))
            foreach (var key in rows.Where(r => r.At <= day && r.At >= day - Lookback).GroupBy(r => r.Key))
                yield return new(key.Key, day, key.Sum(r => (long)r.Value), key.Count());
    }
}

/// <summary>Sums less ticks, over other spans.</summary>
public sealed class SpreadPipeline(IFeatureReader<Sums> sums, IFeatureReader<Tick> ticks, Shape shape, Probe probe) : BatchFeaturePipeline<Spread>
{
    public override string Name => "spread";

    public override TimeSpan Lookback => TimeSpan.FromDays(shape.SpreadBack);

    public override async IAsyncEnumerable<Spread> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await probe.EnterAsync("spread", window, ct);
        var (added, taken) = (new List<Sums>(), new List<Tick>());
        await foreach (var row in sums.ReadAsync(window.ExtendBack(Lookback), ct))
            added.Add(row);
        await foreach (var row in ticks.ReadAsync(window.ExtendBack(Lookback), ct))
            taken.Add(row);
        for (var day = window.From; day < window.To; day = day.AddDays(1))
            foreach (var key in added.Where(r => r.At <= day && r.At >= day - Lookback).GroupBy(r => r.Key))
                yield return new(key.Key, day, key.Sum(r => r.Value) - taken.Where(t => t.Key == key.Key && t.At <= day && t.At >= day - Lookback).Sum(t => t.Value));
    }
}
