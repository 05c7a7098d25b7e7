using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Training;

namespace AiWorkflows.Workflows;

/// <summary>How types become validated definitions. Each returns null after it has added to the errors what is wrong.</summary>
internal sealed record DefinitionFactories(
    Func<Type, IServiceProvider, List<string>, FeaturePipelineDefinition?> Pipeline,
    Func<Type, IServiceProvider, List<string>, FeatureViewDefinition?> View,
    Func<Type, IReadOnlyList<FeatureViewDefinition>, IServiceProvider, List<string>, TrainingDefinition?> Training,
    Func<Type, IReadOnlyList<FeatureViewDefinition>, IServiceProvider, List<string>, InferenceDefinition?> Inference)
{
    public static DefinitionFactories Standard { get; } = new(
        FeatureDefinitions.TryCreatePipeline,
        FeatureDefinitions.TryCreateView,
        TrainingDefinitions.TryCreate,
        InferenceDefinitions.TryCreate);
}
