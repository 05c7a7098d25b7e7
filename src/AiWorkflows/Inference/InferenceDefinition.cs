using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Inference;

/// <summary>Where a batch inference stage reads from and writes to.</summary>
internal sealed record InferenceStores(IFeatureStore Features, IModelRegistry Registry, IPredictionLog Log);

/// <summary>A validated batch inference pipeline.</summary>
internal abstract class InferenceDefinition
{
    public required string Name { get; init; }

    public required Type Type { get; init; }

    public required string Model { get; init; }

    public required FeatureViewDefinition View { get; init; }

    /// <summary>Scores the spine rows of the context's window with a model version and writes an invisible batch.</summary>
    /// <exception cref="StageFailedException">The model's signature does not fit the view.</exception>
    public abstract Task<BatchSeal> ExecuteAsync(StageContext context, int modelVersion, InferenceStores stores, CancellationToken ct);

    /// <summary>Loads a model version to answer single requests: the same model, examples and decisions as in a batch.</summary>
    /// <param name="services">Constructs the pipeline, whose <c>Decide</c> is called.</param>
    /// <exception cref="StageFailedException">The model's signature does not fit the view, or it cannot be loaded.</exception>
    public abstract OnlineVersion LoadOnline(ModelVersionRecord version, byte[] artifact, IServiceProvider services);
}
