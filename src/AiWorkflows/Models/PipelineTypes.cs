using AiWorkflows.Features;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Models;

/// <summary>What the validation of training and inference pipelines has in common.</summary>
internal static class PipelineTypes
{
    /// <summary>Type arguments of the open generic base class that <paramref name="type"/> derives from; empty where it does not.</summary>
    public static Type[] Arguments(Type type, Type openBase)
    {
        for (var t = type; t is not null; t = t.BaseType)
            if (t.IsGenericType && t.GetGenericTypeDefinition() == openBase)
                return t.GetGenericArguments();
        return [];
    }

    public static TPipeline? Construct<TPipeline>(Type type, IServiceProvider services, List<string> errors) where TPipeline : class
    {
        try
        {
            using var scope = services.CreateScope();
            return (TPipeline)ActivatorUtilities.GetServiceOrCreateInstance(scope.ServiceProvider, type);
        }
        catch (Exception e)
        {
            errors.Add($"{type.Name} could not be constructed: {(e.InnerException ?? e).Message} Register what its constructor asks for in the services.");
            return null;
        }
    }

    /// <summary>The one view that makes the examples.</summary>
    public static FeatureViewDefinition<TExample>? ViewOf<TExample>(Type pipeline, IReadOnlyList<FeatureViewDefinition> views, List<string> errors) where TExample : class
    {
        var making = views.OfType<FeatureViewDefinition<TExample>>().ToArray();
        if (making.Length == 1)
            return making[0];
        errors.Add(making.Length == 0
            ? $"{pipeline.Name} uses {typeof(TExample).Name}, which no view makes; add a FeatureView<TSpine, {typeof(TExample).Name}> with Add<…>()."
            : $"{pipeline.Name} uses {typeof(TExample).Name}, which {making.Length} views make ({string.Join(", ", making.Select(v => v.Type.Name))}); give each view its own example type.");
        return null;
    }

    /// <summary>Names in the registry and of stages: kebab case.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 100 && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
