namespace AiWorkflows.Training;

/// <summary>A prediction of a backtest.</summary>
internal readonly record struct BacktestedRow(string Model, int Version, string EntityKey, DateTime EventTime, double? Score, double? Probability, string? Label);

/// <summary>What predictions of a period were worth.</summary>
/// <param name="Predictions">All of them.</param>
/// <param name="Known">Those whose label is known, which the metrics are of.</param>
/// <param name="Model">NaN metrics where they cannot be told: no label is known, or all of one class.</param>
/// <param name="Baseline">The strongest of the naive predictors on the same rows; null where no label is known.</param>
internal sealed record PeriodEvaluation(long Predictions, long Known, ModelMetrics Model, NamedEvaluation? Baseline);
