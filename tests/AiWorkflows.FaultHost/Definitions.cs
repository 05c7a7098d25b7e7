using System.Runtime.CompilerServices;
using Microsoft.ML;
using Microsoft.ML.Trainers.LightGbm;

namespace AiWorkflows.FaultHost;

// A workflow small enough to be killed hundreds of times: a diamond of feature stages, then a model, then predictions and their outcomes. The same in every process.

[FeatureGroup("pulses")]
public sealed record Pulse([EntityKey] int Meter, [EventTime] DateTime At, float Value);

[FeatureGroup("sums")]
public sealed record Sum([EntityKey] int Meter, [EventTime] DateTime At, float Sum6h);

[FeatureGroup("peaks")]
public sealed record Peak([EntityKey] int Meter, [EventTime] DateTime At, float Highest);

[FeatureGroup("lows")]
public sealed record Low([EntityKey] int Meter, [EventTime] DateTime At, float Value);

[FeatureGroup("spreads")]
public sealed record Spread([EntityKey] int Meter, [EventTime] DateTime At, float Value);

[FeatureGroup("alarms")]
public sealed record Alarm([EntityKey] int Meter, [EventTime] DateTime At, bool Rang);

/// <summary>What the meters have measured.</summary>
internal static class Meters
{
    public const int Count = 12;

    public static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public static IEnumerable<Pulse> Read(Window window)
    {
        for (var at = window.From; at < window.To; at = at.AddHours(1))
            for (var meter = 0; meter < Count; meter++)
                yield return new(meter, at, Value(meter, at));
    }

    public static float Value(int meter, DateTime at)
    {
        var hours = (long)(at - Start).TotalHours;
        return ((hours * 31 + meter * 17) * 2654435761L & 0xFFFF) / 65536f + (hours + meter) % 24 / 24f;
    }
}

public sealed class PulsePipeline(Faults faults) : BatchFeaturePipeline<Pulse>
{
    public override async IAsyncEnumerable<Pulse> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await faults.ReachAsync("code pulse", ct);
        foreach (var pulse in Meters.Read(window))
            yield return pulse;
        await faults.ReachAsync("code pulse written", ct);
    }
}

public sealed class SumPipeline : AggregateFeaturePipeline<Pulse, Sum>
{
    protected internal override void Define(AggregationBuilder<Pulse, Sum> events) => events
        .By(p => p.Meter).Every(TimeSpan.FromHours(1)).Select(g => new Sum(g.Key, g.End, g.Last(TimeSpan.FromHours(6)).Sum(p => p.Value)));
}

public sealed class PeakPipeline(IFeatureReader<Pulse> pulses, Faults faults) : BatchFeaturePipeline<Peak>
{
    public override async IAsyncEnumerable<Peak> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await faults.ReachAsync("code peak", ct);
        var highest = new float[Meters.Count];
        await foreach (var pulse in pulses.ReadAsync(window, ct))
        {
            highest[pulse.Meter] = Math.Max(highest[pulse.Meter], pulse.Value);
            yield return new(pulse.Meter, pulse.At, highest[pulse.Meter]);
        }
        await faults.ReachAsync("code peak written", ct);
    }
}

/// <summary>In three partitions of eight hours.</summary>
public sealed class LowPipeline(IFeatureReader<Pulse> pulses, Faults faults) : BatchFeaturePipeline<Low>
{
    public override TimeSpan? SliceUnit => TimeSpan.FromHours(1);

    public override async IAsyncEnumerable<Low> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await faults.ReachAsync("code low", ct);
        await foreach (var pulse in pulses.ReadAsync(window, ct))
            if (pulse.Value < 0.4f)
                yield return new(pulse.Meter, pulse.At, pulse.Value);
        await faults.ReachAsync("code low written", ct);
    }
}

public sealed class SpreadPipeline(IFeatureReader<Sum> sums, IFeatureReader<Peak> peaks, Faults faults) : BatchFeaturePipeline<Spread>
{
    public override async IAsyncEnumerable<Spread> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        var peak = new Dictionary<(int, DateTime), float>();
        await foreach (var row in peaks.ReadAsync(window, ct))
            peak[(row.Meter, row.At)] = row.Highest;
        await faults.ReachAsync("code spread", ct);
        await foreach (var row in sums.ReadAsync(window, ct))
            yield return new(row.Meter, row.At, row.Sum6h - peak.GetValueOrDefault((row.Meter, row.At)));
    }
}

public sealed class AlarmPipeline(Faults faults) : BatchFeaturePipeline<Alarm>
{
    public override async IAsyncEnumerable<Alarm> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await faults.ReachAsync("code alarm", ct);
        for (var at = window.From; at < window.To; at = at.AddHours(1))
            for (var meter = 0; meter < Meters.Count; meter++)
                yield return new(meter, at, Meters.Value(meter, at.AddHours(-1)) > 0.9f);
    }
}

public sealed record AlarmExample(float Value, float Sum, float Spread);

public sealed class AlarmView : FeatureView<Pulse, AlarmExample>
{
    protected internal override void Define(FeatureViewBuilder<Pulse, AlarmExample> view)
    {
        var sum = view.Join<Sum>(on: (p, s) => p.Meter == s.Meter, maxAge: TimeSpan.FromHours(12));
        var spread = view.Join<Spread>(on: (p, s) => p.Meter == s.Meter, maxAge: TimeSpan.FromHours(12));
        view.Label<Alarm, bool>(on: (p, a) => p.Meter == a.Meter, within: TimeSpan.FromHours(2), value: a => a.Rang);
        view.Select(p => new AlarmExample(p.Value, sum.Row.Sum6h, spread.Row.Value));
    }
}

public sealed class AlarmTraining : TrainingPipeline<AlarmExample>
{
    protected internal override void Define(TrainingBuilder<AlarmExample> train) => train
        .Model("alarm").Split(history: TimeSpan.FromDays(3), holdout: TimeSpan.FromDays(1))
        .Baseline("constant", _ => 0.5).PromoteWhen((_, _) => true)
        .Fit((ml, columns) => ml.Transforms.Concatenate("Features", columns.Numeric).Append(ml.BinaryClassification.Trainers.LightGbm(
            new LightGbmBinaryTrainer.Options { LabelColumnName = columns.Label, NumberOfIterations = 5, NumberOfLeaves = 5, Seed = 1, Deterministic = true, NumberOfThreads = 1 })));
}

public sealed record AlarmPrediction(float Probability);

public sealed class AlarmScoring : BatchInferencePipeline<AlarmExample, AlarmPrediction>
{
    public override string Model => "alarm";

    public override AlarmPrediction Decide(AlarmExample example, Score score) => new(score.Probability);
}

internal static class Definitions
{
    /// <summary>Days before <see cref="WarmUp"/> are one run of features only; each later one is a run of all stages.</summary>
    public static readonly DateTime WarmUp = Meters.Start.AddDays(4);

    public static void Add(AiWorkflowsBuilder ai, int days, TimeSpan? limit)
    {
        ai.Add<AlarmView>();
        ai.Workflow("meters", w => w
            .Every("0 0 29 2 *").Window(TimeSpan.FromDays(1), Meters.Start).WarmUp(WarmUp).Until(WarmUp.AddDays(days)).CatchUp(CatchUpPolicy.EachWindow)
            .Stage<PulsePipeline>(maxAttempts: 5).Stage<SumPipeline>().Stage<PeakPipeline>(timeLimit: limit).Stage<LowPipeline>(partitions: 3).Stage<SpreadPipeline>().Stage<AlarmPipeline>()
            .Stage<AlarmTraining>().Stage<AlarmScoring>());
    }
}
