using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Inference;

/// <summary>Turns batches of examples into prediction rows, and keeps what is known about all of them. Rows are valid until the next batch.</summary>
internal sealed class BatchScoring<TExample, TPrediction>(
    BatchInferencePipeline<TExample, TPrediction> pipeline, ModelScorer<TExample> scorer, ExampleSchema<TExample> schema, ModelTask task) : IDisposable
    where TExample : class where TPrediction : class
{
    private const int CancellationRows = 1_024;

    private readonly FeatureVectorHash<TExample> _features = new(schema);
    private readonly BatchContentHash _content = new();
    private readonly List<PredictionRow> _rows = [];
    private long _positive;

    public long Rows { get; private set; }

    public ScoreBins Bins { get; } = new(isProbability: task != ModelTask.Regression);

    /// <summary>Share predicted positive; 0 where nothing was scored or the task is not binary.</summary>
    public double PositiveShare => Rows == 0 ? 0 : (double)_positive / Rows;

    public IReadOnlyList<PredictionRow> Score(IReadOnlyList<Example<TExample>> examples, CancellationToken ct)
    {
        _rows.Clear();
        for (var i = 0; i < examples.Count; i++)
        {
            if (i % CancellationRows == 0)
                ct.ThrowIfCancellationRequested();
            var example = examples[i];
            var score = scorer.Score(example.Features);
            var row = new PredictionRow(example.EntityKey!, example.EventTime, PredictionRow.Finite(score.Value), PredictionRow.Finite(score.Probability), score.Label,
                PredictionJson.Write(pipeline.Decide(example.Features, score)), _features.Of(example.Features));
            _rows.Add(row);
            _content.Add(row);
            Bins.Add(float.IsNaN(score.Probability) ? score.Value : score.Probability);
            if (task == ModelTask.Binary && (float.IsNaN(score.Probability) ? score.Value > 0 : score.Probability > 0.5f))
                _positive++;
        }
        Rows += examples.Count;
        return _rows;
    }

    public string FinishHash() => _content.Finish();

    public void Dispose() => _content.Dispose();
}
