using AiWorkflows.Features;
using AiWorkflows.Training;

namespace AiWorkflows.Inference;

internal sealed record BatchRequest(
    string Pipeline, string Role, string Model, int Version, string View, int ViewVersion, Window Window, long AsOfSeq, bool Hindsight,
    DateTime PredictedAt, AttemptRef Attempt, string CodeVersion);

/// <summary>Roles of the batches that stages write, as they are stored.</summary>
internal static class BatchRoles
{
    public const string Champion = "champion";
    public const string Backtest = "backtest";

    public static string Of(StageContext context) => context.Backfill is { Backtest: true } ? Backtest : Champion;
}

/// <summary>One prediction, in canonical order of the spine within its batch.</summary>
internal readonly record struct PredictionRow(string EntityKey, DateTime EventTime, double? Score, double? Probability, string? Label, string Output, long FeatureHash)
{
    /// <summary>A number as it is logged: what is no number is missing.</summary>
    public static double? Finite(float value) => float.IsFinite(value) ? value : null;
}

/// <summary>An open, invisible batch of one attempt.</summary>
internal interface IBatchWriter : IAsyncDisposable
{
    long BatchId { get; }

    /// <exception cref="FencedException">The attempt has lost its lease or its run has ended.</exception>
    Task WriteAsync(IReadOnlyList<PredictionRow> rows, CancellationToken ct);
}

/// <summary>What a stage knows about its batch when it seals it. If the current batch of the same pipeline, role, window, version and hindsight has the same content, the new one is discarded.</summary>
internal sealed record BatchSeal(
    long BatchId, BatchRequest Request, long Rows, string ContentHash, string ScoreBinsJson, double PositiveShare,
    IReadOnlyList<FeatureInput> Inputs, IReadOnlyList<long> Commits);

/// <summary>A published batch.</summary>
internal sealed record BatchRecord(
    long BatchId, string Pipeline, string Role, string Model, int Version, string View, int ViewVersion, Window Window, long AsOfSeq, bool Hindsight,
    DateTime PredictedAt, long? RunId, long Rows, string CodeVersion);

/// <summary>A prediction with what was logged about it.</summary>
internal sealed record LoggedPrediction(BatchRecord Batch, int Ordinal, PredictionRow Row)
{
    public long PredictionId => (Batch.BatchId << 32) + Ordinal;
}

/// <summary>What became of a spine row.</summary>
internal readonly record struct OutcomeRow(string EntityKey, DateTime EventTime, double Actual, string? ActualText, DateTime ActualAt);

/// <summary>An event that an online prediction was made about.</summary>
/// <param name="EventTime">The moment of which its features were known.</param>
/// <param name="Inputs">The spine row as JSON.</param>
internal sealed record AnsweredEvent(string EntityKey, DateTime EventTime, string Inputs);

/// <summary>One live metric of one model version on one day.</summary>
internal sealed record DailyMetric(string Pipeline, string Model, int Version, DateTime Day, string Metric, double? Value, long Predictions, long Outcomes);

/// <summary>A current prediction with its outcome where that is known; what live metrics are computed from.</summary>
internal readonly record struct ScoredRow(string Model, int Version, DateTime EventTime, double? Score, double? Probability, string? Label, double? Actual, string? ActualText);

/// <summary>The prediction log. Batches are published by the ledger's <c>win</c>.</summary>
internal interface IPredictionLog
{
    /// <exception cref="FencedException">The attempt has lost its lease or its run has ended.</exception>
    Task<IBatchWriter> OpenBatchAsync(BatchRequest request, CancellationToken ct);

    /// <summary>Null where there is no such published prediction.</summary>
    Task<LoggedPrediction?> FindAsync(long predictionId, CancellationToken ct);

    /// <summary>Inserts or corrects outcomes, in short transactions; returns how many rows changed.</summary>
    Task<long> UpsertOutcomesAsync(string view, IReadOnlyList<OutcomeRow> rows, long knownSeq, CancellationToken ct);

    /// <summary>The span of event time of the pipeline's current predictions that still lack an outcome; null when none does.</summary>
    /// <param name="since">Predictions about events before this are waited for no longer.</param>
    Task<Window?> PendingOutcomesAsync(string pipeline, string view, DateTime since, CancellationToken ct);

    /// <summary>What was answered online and still lacks an outcome, by event time and key: each event of an entity once. Shadows are of the same events.</summary>
    /// <param name="since">As in <see cref="PendingOutcomesAsync"/>.</param>
    /// <param name="after">The last one of the page before; null for the first page.</param>
    /// <param name="limit">Rows of a page.</param>
    Task<IReadOnlyList<AnsweredEvent>> PendingAnswersAsync(string pipeline, string view, DateTime since, AnsweredEvent? after, int limit, CancellationToken ct);

    /// <summary>The pipeline's current champion predictions without hindsight in the window, ordered by event time, with outcomes where known.</summary>
    IAsyncEnumerable<ScoredRow> ScoredAsync(string pipeline, Window window, CancellationToken ct);

    /// <summary>What a run of a backtest has predicted with a pipeline, in canonical order.</summary>
    IAsyncEnumerable<BacktestedRow> BacktestedAsync(long runId, string pipeline, CancellationToken ct);

    Task ReplaceMetricsAsync(IReadOnlyList<DailyMetric> metrics, CancellationToken ct);
}
