using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Training;

/// <summary>Where a training stage reads from and keeps its files.</summary>
/// <param name="DatasetDirectory">Absolute path of the folder for Arrow files; content-addressed.</param>
internal sealed record TrainingStores(IFeatureStore Features, IModelRegistry Registry, string DatasetDirectory);

/// <summary>What a training stage publishes.</summary>
/// <param name="Alias">Champion moves to the new version (0); null where the rule says no.</param>
internal sealed record TrainingResult(DatasetRecord Dataset, ModelVersionRecord Model, AliasChange? Alias);

/// <summary>What came of retraining from what was recorded.</summary>
internal sealed record ReproductionResult(bool DatasetIdentical, bool ModelIdentical, string RecordedContentSha256, string ContentSha256, string Explanation);

/// <summary>A validated training pipeline.</summary>
internal abstract class TrainingDefinition
{
    public required string Name { get; init; }

    public required Type Type { get; init; }

    public required string ModelName { get; init; }

    public required FeatureViewDefinition View { get; init; }

    /// <summary>Materialises the dataset, trains, evaluates and decides on promotion. The window's start is the cut-off.</summary>
    /// <exception cref="StageFailedException">Training or holdout lacks rows or a class; the message holds the counts.</exception>
    public abstract Task<TrainingResult> ExecuteAsync(StageContext context, TrainingStores stores, CancellationToken ct);

    /// <summary>How good predictions of a version in a window were, beside the naive predictors of the pipeline on the same rows: those whose label is known by now.</summary>
    /// <param name="predictions">In canonical order.</param>
    public abstract Task<PeriodEvaluation> EvaluateAsync(
        ModelVersionRecord version, IAsyncEnumerable<BacktestedRow> predictions, Window window, FeatureReadSession session, TrainingStores stores, IServiceProvider services, CancellationToken ct);

    /// <summary>Retrains a version from its recorded sequence, window, parameters and seed, and compares dataset and model content.</summary>
    public abstract Task<ReproductionResult> ReproduceAsync(ModelVersionRecord version, DatasetRecord dataset, TrainingStores stores, IServiceProvider services, CancellationToken ct);
}
