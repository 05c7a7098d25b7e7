using System.Reflection;
using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Inference;

/// <summary>Validates batch inference pipelines.</summary>
internal static class InferenceDefinitions
{
    /// <summary>The definition, or null with everything that is wrong added to <paramref name="errors"/>; also null, without an error, for a type that is no inference pipeline.</summary>
    public static InferenceDefinition? TryCreate(Type pipeline, IReadOnlyList<FeatureViewDefinition> views, IServiceProvider services, List<string> errors)
    {
        if (PipelineTypes.Arguments(pipeline, typeof(BatchInferencePipeline<,>)) is not [var example, var prediction])
            return null;
        return (InferenceDefinition?)typeof(InferenceDefinitions).GetMethod(nameof(Create), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(example, prediction).Invoke(null, [pipeline, views, services, errors]);
    }

    private static TypedInferenceDefinition<TExample, TPrediction>? Create<TExample, TPrediction>(
        Type type, IReadOnlyList<FeatureViewDefinition> views, IServiceProvider services, List<string> errors) where TExample : class where TPrediction : class
    {
        if (PipelineTypes.Construct<BatchInferencePipeline<TExample, TPrediction>>(type, services, errors) is not { } pipeline)
            return null;
        var before = errors.Count;
        if (string.IsNullOrEmpty(pipeline.Model))
            errors.Add($"{type.Name}.Model is empty; name the model whose champion scores.");
        else if (!PipelineTypes.IsName(pipeline.Model))
            errors.Add($"{type.Name}.Model: '{pipeline.Model}' is no name of a model; use lower-case letters, digits and hyphens, starting with a letter.");
        var view = PipelineTypes.ViewOf<TExample>(type, views, errors);
        if (view is { LabelType: null })
            errors.Add($"{type.Name} scores view '{view.Name}', which has no label, so no model can have been trained on it; declare one with view.Label<TRow, TLabel>(…).");
        else if (view?.LabelType is { } label && ModelTasks.TryOf(label) is null)
            errors.Add($"{type.Name}: the label of view '{view.Name}' is {ColumnTypes.Display(label)}; make it bool (yes or no), float (a number), or a string or an enum (classes).");
        if (errors.Count > before)
            return null;
        var schema = ExampleSchema<TExample>.TryCreate(view!.LabelType, errors);
        return schema is null ? null : new(pipeline, view, schema);
    }
}
