using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Workflows;

[FeatureGroup("ticks")]
public sealed record Tick([EntityKey] string Key, [EventTime] DateTime At, int Value);

[FeatureGroup("doubles")]
public sealed record Doubled([EntityKey] string Key, [EventTime] DateTime At, int Value);

[FeatureGroup("tick_outcomes")]
public sealed record TickOutcome([EntityKey] string Key, [EventTime] DateTime At, float Value);

public sealed record TickExample(float Value, float Doubled);

public sealed record TickPrediction(float Value);

/// <summary>Lets a test look into stages and interfere with them: what a stage does there happens before it does its work.</summary>
public sealed class Probe
{
    public ConcurrentQueue<(string Stage, Window Window)> Executions { get; } = [];

    public ConcurrentDictionary<string, Func<Window, CancellationToken, Task>> Before { get; } = [];

    public int CountOf(string stage) => Executions.Count(e => e.Stage == stage);

    public async Task EnterAsync(string stage, Window window, CancellationToken ct)
    {
        Executions.Enqueue((stage, window));
        if (Before.TryGetValue(stage, out var act))
            await act(window, ct);
    }
}

public sealed class TickPipeline(Probe probe) : BatchFeaturePipeline<Tick>
{
    public override async IAsyncEnumerable<Tick> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await probe.EnterAsync("tick", window, ct);
        for (var at = window.From; at < window.To; at = at.AddHours(6))
            foreach (var key in new[] { "a", "b" })
                yield return new(key, at, at.Hour + key[0]);
    }
}

public sealed class OutcomePipeline(Probe probe, ILogger<OutcomePipeline> log) : BatchFeaturePipeline<TickOutcome>
{
    public override string Name => "outcome";

    public override async IAsyncEnumerable<TickOutcome> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await probe.EnterAsync("outcome", window, ct);
        log.LogWarning("Outcomes of {Days} days", window.Length.Days);
        for (var at = window.From; at < window.To; at = at.AddHours(6))
            foreach (var key in new[] { "a", "b" })
                yield return new(key, at, at.Hour % 12);
    }
}

public sealed class DoublePipeline(IFeatureReader<Tick> ticks, Probe probe) : BatchFeaturePipeline<Doubled>
{
    public override async IAsyncEnumerable<Doubled> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await probe.EnterAsync("double", window, ct);
        await foreach (var tick in ticks.ReadAsync(window, ct))
            yield return new(tick.Key, tick.At, tick.Value * 2);
    }
}

public sealed class TickView : FeatureView<Tick, TickExample>
{
    protected internal override void Define(FeatureViewBuilder<Tick, TickExample> view)
    {
        var doubled = view.Join<Doubled>(on: (t, d) => t.Key == d.Key, maxAge: TimeSpan.FromDays(1));
        view.Label<TickOutcome, float>(on: (t, o) => t.Key == o.Key, within: TimeSpan.FromHours(6), value: o => o.Value);
        view.Select(t => new TickExample(t.Value, doubled.Row.Value));
    }
}

public sealed class TrainPipeline : TrainingPipeline<TickExample>
{
    protected internal override void Define(TrainingBuilder<TickExample> train) => train.Model("tick-model");
}

public sealed class ScorePipeline : BatchInferencePipeline<TickExample, TickPrediction>
{
    public override string Model => "tick-model";

    public override TickPrediction Decide(TickExample example, Score score) => new(score.Value);
}
