using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Training;

internal sealed partial class TypedTrainingDefinition<TExample>
{
    public override async Task<PeriodEvaluation> EvaluateAsync(
        ModelVersionRecord version, IAsyncEnumerable<BacktestedRow> predictions, Window window, FeatureReadSession session, TrainingStores stores, IServiceProvider services, CancellationToken ct)
    {
        var baselines = new Baselines<TExample>(Task, Build(services).Baselines);
        var (binary, regression, classes) = (new BinaryEvaluation(), new RegressionEvaluation(), new MulticlassEvaluation());
        var (labels, count, now) = (new List<ActualLabel>(), 0L, DateTime.MinValue);
        // Both are in order of event time; of one moment the keys tell which is which.
        var ofNow = new Dictionary<string, BacktestedRow>(StringComparer.Ordinal);
        await using var said = predictions.GetAsyncEnumerator(ct);
        var more = await NextAsync();
        await foreach (var batch in Examples.ReadAsync(session, window, new(Labels: true, LabelsKnownBefore: null, EntityKeys: true), ct))
            foreach (var example in batch)
            {
                if (example.EventTime != now)
                {
                    now = example.EventTime;
                    ofNow.Clear();
                    for (; more && said.Current.EventTime <= now; more = await NextAsync())
                        if (said.Current.EventTime == now)
                            ofNow[said.Current.EntityKey] = said.Current;
                }
                if (!example.HasLabel || !ofNow.TryGetValue(example.EntityKey!, out var row))
                    continue;
                baselines.Add(example);
                labels.Add(new(example.Label, example.LabelText));
                Add(row, example);
            }
        while (more)
            more = await NextAsync();
        if (labels.Count == 0)
            return new(count, 0, new ModelMetrics(), null);
        var metrics = (Task switch
        {
            ModelTask.Binary => binary.Finish(),
            ModelTask.Regression => regression.Finish(),
            _ => classes.Finish(),
        }).Metrics;
        return new(count, labels.Count, metrics, PromotionRule.Best(Task, baselines.Evaluate(await LearntFromAsync(version, labels, stores, ct), labels)));

        async ValueTask<bool> NextAsync()
        {
            if (!await said.MoveNextAsync())
                return false;
            count++;
            return true;
        }

        void Add(in BacktestedRow row, in Example<TExample> example)
        {
            switch (Task)
            {
                case ModelTask.Binary:
                    binary.Add(row.Score ?? row.Probability ?? double.NaN, row.Probability ?? double.NaN, example.Label > 0.5);
                    break;
                case ModelTask.Regression:
                    regression.Add(row.Score ?? double.NaN, example.Label);
                    break;
                default:
                    classes.Add(row.Label == example.LabelText, double.NaN);
                    break;
            }
        }
    }

    /// <summary>The labels that the model has learnt from, which the prior follows. Where they are gone, those of the period itself: that makes a baseline stronger, never weaker.</summary>
    private async Task<LabelSummary> LearntFromAsync(ModelVersionRecord version, List<ActualLabel> period, TrainingStores stores, CancellationToken ct)
    {
        if (await stores.Registry.FindDatasetAsync(version.DatasetId, ct) is { } dataset && Path.Combine(stores.DatasetDirectory, dataset.FileName) is var path && File.Exists(path))
        {
            using var file = new DatasetFile(path);
            return LabelSummary.Of(new DatasetView(file, Schema, 0, file.RowsBefore(version.Training.To), ct), Task);
        }
        var names = period.CountBy(l => l.Text ?? (l.Number > 0.5 ? "true" : "false")).ToDictionary(c => c.Key, c => (long)c.Value, StringComparer.Ordinal);
        return new(period.Count, period.Average(l => l.Number), Task == ModelTask.Regression ? new Dictionary<string, long>() : names);
    }
}
