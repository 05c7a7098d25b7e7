using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Training;

namespace AiWorkflows.Monitoring;

/// <summary>Live metrics of the model versions that predicted one day.</summary>
internal sealed class DailyMetrics(string pipeline, ModelTask task, DateTime day)
{
    private readonly Dictionary<(string Model, int Version), Collected> _versions = [];

    public void Add(in ScoredRow row)
    {
        if (!_versions.TryGetValue((row.Model, row.Version), out var collected))
            _versions[(row.Model, row.Version)] = collected = new(task);
        collected.Add(row);
    }

    /// <summary>
    /// Per version <c>coverage</c> (share of predictions whose outcome is known) and, of those known: binary <c>auc, log_loss, brier, positive_rate</c>;
    /// classes <c>accuracy</c>; numbers <c>mae, rmse</c>. Null where the day cannot tell (one class only, nothing known).
    /// </summary>
    public IEnumerable<DailyMetric> Finish() =>
        from version in _versions.OrderBy(v => v.Key.Model, StringComparer.Ordinal).ThenBy(v => v.Key.Version)
        from metric in version.Value.Finish()
        select new DailyMetric(pipeline, version.Key.Model, version.Key.Version, day, metric.Name,
            double.IsFinite(metric.Value) ? metric.Value : null, version.Value.Predictions, version.Value.Outcomes);

    private sealed class Collected(ModelTask task)
    {
        private readonly BinaryEvaluation _binary = new();
        private readonly RegressionEvaluation _regression = new();
        private readonly MulticlassEvaluation _classes = new();

        public long Predictions { get; private set; }

        public long Outcomes { get; private set; }

        public void Add(in ScoredRow row)
        {
            Predictions++;
            if (row.Actual is not { } actual)
                return;
            Outcomes++;
            switch (task)
            {
                case ModelTask.Binary:
                    _binary.Add(row.Score ?? row.Probability ?? double.NaN, row.Probability ?? double.NaN, actual > 0.5);
                    break;
                case ModelTask.Regression:
                    _regression.Add(row.Score ?? double.NaN, actual);
                    break;
                default:
                    _classes.Add(row.Label == row.ActualText, double.NaN);
                    break;
            }
        }

        public IEnumerable<(string Name, double Value)> Finish()
        {
            yield return ("coverage", Predictions == 0 ? double.NaN : (double)Outcomes / Predictions);
            switch (task)
            {
                case ModelTask.Binary:
                    var binary = _binary.Finish().Metrics;
                    yield return ("auc", binary.Auc);
                    yield return ("log_loss", binary.LogLoss);
                    yield return ("brier", binary.Brier);
                    yield return ("positive_rate", binary.PositiveRate);
                    break;
                case ModelTask.Regression:
                    var regression = _regression.Finish().Metrics;
                    yield return ("mae", regression.MeanAbsoluteError);
                    yield return ("rmse", regression.RootMeanSquaredError);
                    break;
                default:
                    yield return ("accuracy", _classes.Finish().Metrics.Accuracy);
                    break;
            }
        }
    }
}
