namespace AiWorkflows.Workflows;

/// <summary>What a type that was added to the builder is, told from its base type.</summary>
internal enum DefinitionKind { Unknown, FeaturePipeline, View, Training, Inference }

internal static class DefinitionKinds
{
    public static DefinitionKind Of(Type type)
    {
        for (var b = type.BaseType; b is not null; b = b.BaseType)
        {
            if (!b.IsGenericType)
                continue;
            var generic = b.GetGenericTypeDefinition();
            if (generic == typeof(FeaturePipeline<>))
                return DefinitionKind.FeaturePipeline;
            if (generic == typeof(FeatureView<,>))
                return DefinitionKind.View;
            if (generic == typeof(TrainingPipeline<>))
                return DefinitionKind.Training;
            if (generic == typeof(BatchInferencePipeline<,>))
                return DefinitionKind.Inference;
        }
        return DefinitionKind.Unknown;
    }
}
