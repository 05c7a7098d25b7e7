using System.Runtime.CompilerServices;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;

namespace AiWorkflows.Tests.Workflows;

[FeatureGroup("part_events")]
public sealed record PartEvent([EntityKey] long Id, [EventTime] DateTime At, string Place, float Value);

[FeatureGroup("part_sums")]
public sealed record PartSum([EntityKey] string Place, [EventTime] DateTime At, float Sum3h, int Count1h);

[FeatureGroup("part_peaks")]
public sealed record PartPeak([EntityKey] string Place, [EventTime] DateTime At, float Peak6h);

public sealed record PartExample(float Value, float Sum, float Count, float Peak);

public sealed record PartPrediction(float Value);

/// <summary>Where the events come from; a test changes it between runs.</summary>
public sealed class PartSource
{
    public List<PartEvent> Events { get; } = [];
}

public sealed class PartEventsPipeline(PartSource source) : BatchFeaturePipeline<PartEvent>
{
    public override TimeSpan? SliceUnit => TimeSpan.FromHours(1);

    public override async IAsyncEnumerable<PartEvent> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.Yield();
        foreach (var e in source.Events.Where(e => window.Contains(e.At)))
            yield return e;
    }
}

public sealed class PartSumsPipeline : AggregateFeaturePipeline<PartEvent, PartSum>
{
    protected internal override void Define(AggregationBuilder<PartEvent, PartSum> events) => events.By(e => e.Place).Every(TimeSpan.FromMinutes(15)).Select(g =>
        new PartSum(g.Key, g.End, g.Last(TimeSpan.FromHours(3)).Sum(e => e.Value), g.Last(TimeSpan.FromHours(1)).Count()));
}

/// <summary>The highest sum of the last six hours, by hand.</summary>
public sealed class PartPeaksPipeline(IFeatureReader<PartSum> sums) : BatchFeaturePipeline<PartPeak>
{
    private static readonly TimeSpan Reach = TimeSpan.FromHours(6);

    public override TimeSpan Lookback => Reach;

    public override TimeSpan? SliceUnit => TimeSpan.FromMinutes(1);

    public override async IAsyncEnumerable<PartPeak> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        var seen = new List<PartSum>();
        await foreach (var sum in sums.ReadAsync(window.ExtendBack(Reach), ct))
        {
            seen.Add(sum);
            if (window.Contains(sum.At))
                yield return new(sum.Place, sum.At, seen.Where(s => s.Place == sum.Place && s.At > sum.At - Reach).Max(s => s.Sum3h));
        }
    }
}

public sealed class PartView : FeatureView<PartEvent, PartExample>
{
    protected internal override void Define(FeatureViewBuilder<PartEvent, PartExample> view)
    {
        var sum = view.Join<PartSum>(on: (e, s) => e.Place == s.Place, maxAge: TimeSpan.FromHours(12));
        var peak = view.Join<PartPeak>(on: (e, p) => e.Place == p.Place, maxAge: TimeSpan.FromHours(12));
        view.Select(e => new PartExample(e.Value, sum.Row.Sum3h, sum.Exists ? sum.Row.Count1h : -1, peak.Row.Peak6h));
    }
}

public sealed class PartTraining : TrainingPipeline<PartExample>
{
    protected internal override void Define(TrainingBuilder<PartExample> train) => train.Model("part-model");
}

public sealed class PartScoring : BatchInferencePipeline<PartExample, PartPrediction>
{
    public override string Model => "part-model";

    public override PartPrediction Decide(PartExample example, Score score) => new(score.Value);
}

/// <summary>Scores the examples of a view, each with the sum of its features: what the engine does, with a model that needs no training.</summary>
internal sealed class SummingInference : InferenceDefinition
{
    public override OnlineVersion LoadOnline(ModelVersionRecord version, byte[] artifact, IServiceProvider services) => throw new NotSupportedException();

    public override async Task<BatchSeal> ExecuteAsync(StageContext context, int modelVersion, InferenceStores stores, CancellationToken ct)
    {
        var session = new FeatureReadSession(stores.Features, context.AsOfSeq, context.Progress);
        var request = new BatchRequest(
            Name, "champion", Model, modelVersion, View.Name, View.Version, context.Window, context.AsOfSeq, context.Hindsight, context.Window.From, context.Attempt, context.CodeVersion);
        await using var batch = await stores.Log.OpenBatchAsync(request, ct);
        using var hash = new BatchContentHash();
        var rows = 0;
        await foreach (var examples in ((FeatureViewDefinition<PartExample>)View).ReadAsync(session, context.Window, new(Labels: false, LabelsKnownBefore: null, EntityKeys: true), ct))
        {
            PredictionRow[] predictions = [.. examples.Select(e => new PredictionRow(e.EntityKey!, e.EventTime,
                float.IsNaN(e.Features.Sum) ? -1 : e.Features.Value + e.Features.Sum + 1000 * e.Features.Count + e.Features.Peak, null, null, "{}", 0))];
            foreach (var prediction in predictions)
                hash.Add(prediction);
            await batch.WriteAsync(predictions, ct);
            rows += predictions.Length;
        }
        return new(batch.BatchId, request, rows, hash.Finish(), "[]", 0, session.Inputs, session.Commits);
    }
}
