using System.Reflection;
using AiWorkflows.Features;
using AiWorkflows.Models;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Training;

/// <summary>Validates training pipelines.</summary>
internal static class TrainingDefinitions
{
    /// <summary>The definition, or null with everything that is wrong added to <paramref name="errors"/>; also null, without an error, for a type that is no training pipeline.</summary>
    public static TrainingDefinition? TryCreate(Type pipeline, IReadOnlyList<FeatureViewDefinition> views, IServiceProvider services, List<string> errors)
    {
        if (PipelineTypes.Arguments(pipeline, typeof(TrainingPipeline<>)) is not [var example])
            return null;
        return (TrainingDefinition?)typeof(TrainingDefinitions).GetMethod(nameof(Create), BindingFlags.NonPublic | BindingFlags.Static)!
            .MakeGenericMethod(example).Invoke(null, [pipeline, views, services, errors]);
    }

    private static TypedTrainingDefinition<TExample>? Create<TExample>(
        Type type, IReadOnlyList<FeatureViewDefinition> views, IServiceProvider services, List<string> errors) where TExample : class
    {
        if (PipelineTypes.Construct<TrainingPipeline<TExample>>(type, services, errors) is not { } pipeline)
            return null;
        var before = errors.Count;
        var train = new TrainingBuilder<TExample>();
        try
        {
            pipeline.Define(train);
        }
        catch (Exception e)
        {
            errors.Add($"{type.Name}.Define threw {e.GetType().Name}: {e.Message}");
            return null;
        }
        if (train.ModelName is null)
            errors.Add($"{type.Name}.Define never calls Model; name the model in the registry, for example train.Model(\"flight-delay\").");
        else if (!PipelineTypes.IsName(train.ModelName))
            errors.Add($"{type.Name}: '{train.ModelName}' is no name of a model; use lower-case letters, digits and hyphens, starting with a letter.");
        if (train.Estimator is null)
            errors.Add($"{type.Name}.Define never calls Fit; give it the ML.NET estimator, for example train.Fit((ml, columns) => …).");
        var view = PipelineTypes.ViewOf<TExample>(type, views, errors);
        if (view is { LabelType: null })
            errors.Add($"{type.Name} trains on view '{view.Name}', which has no label; declare one with view.Label<TRow, TLabel>(…).");
        var task = view?.LabelType is { } label ? ModelTasks.TryOf(label) : null;
        if (view?.LabelType is { } other && task is null)
            errors.Add($"{type.Name}: the label of view '{view.Name}' is {ColumnTypes.Display(other)}; make it bool (yes or no), float (a number), or a string or an enum (classes).");
        CheckSplit(type, train, view, errors);
        CheckBaselines(type, train, task, errors);
        var schema = view is not null && (view.LabelType is null || task is not null) ? ExampleSchema<TExample>.TryCreate(view.LabelType, errors) : null;
        return errors.Count > before ? null : new(pipeline, train.ModelName!, view!, schema!);
    }

    private static void CheckSplit<TExample>(Type type, TrainingBuilder<TExample> train, FeatureViewDefinition? view, List<string> errors) where TExample : class
    {
        if (train.History == TimeSpan.Zero && train.Holdout == TimeSpan.Zero)
            errors.Add($"{type.Name}.Define never calls Split; say how far back it learns and what it is judged on, for example train.Split(history: TimeSpan.FromDays(180), holdout: TimeSpan.FromDays(30)).");
        else if (train.History <= TimeSpan.Zero || train.Holdout <= TimeSpan.Zero)
            errors.Add($"{type.Name}: Split(history: {train.History}, holdout: {train.Holdout}) must be positive.");
        else if (view is not null && train.History <= train.Holdout + view.LabelWithin)
            errors.Add($"{type.Name}: Split leaves nothing to train on; history {train.History} must be longer than holdout {train.Holdout} and the label's horizon {view.LabelWithin} together.");
        else if (view is not null && train.Holdout <= view.LabelWithin)
            errors.Add($"{type.Name}: the holdout {train.Holdout} must be longer than the label's horizon {view.LabelWithin}; labels of its last part are not known at the cut-off.");
    }

    private static void CheckBaselines<TExample>(Type type, TrainingBuilder<TExample> train, ModelTask? task, List<string> errors) where TExample : class
    {
        foreach (var name in train.Baselines.Select(b => b.Name).Append(Baselines<TExample>.Prior).GroupBy(n => n).Where(g => g.Count() > 1))
            errors.Add($"{type.Name}: baseline '{name.Key}' is declared twice{(name.Key == Baselines<TExample>.Prior ? " (the prior is always there)" : "")}; rename one.");
        if (task == ModelTask.Multiclass && train.Baselines.Count > 0)
            errors.Add($"{type.Name}: a baseline is a number, but the label is a class; remove Baseline, the model is compared with the commonest class.");
    }
}
