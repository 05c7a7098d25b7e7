using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Features;

/// <summary>Constructs pipelines: services come from the container, feature readers from us, so that no read goes unrecorded.</summary>
internal static class PipelineActivator
{
    /// <summary>The row types that the pipeline reads through its constructor.</summary>
    public static IReadOnlyList<Type> Reads(Type pipeline) =>
        [.. pipeline.GetConstructors().SelectMany(c => c.GetParameters()).Select(p => RowOfReader(p.ParameterType)).OfType<Type>().Distinct()];

    public static object Create(Type pipeline, IServiceProvider services, FeatureReadSession session, CancellationToken ct) =>
        ActivatorUtilities.CreateInstance(services, pipeline, [.. Reads(pipeline).Select(row => Activator.CreateInstance(typeof(SessionFeatureReader<>).MakeGenericType(row), session, ct)!)]);

    /// <summary>Constructs a pipeline or view in order to read its definition; adds to <paramref name="errors"/> and returns null where that fails.</summary>
    public static object? TryCreate(Type type, IServiceProvider services, List<string> errors)
    {
        if (type.IsAbstract || type.ContainsGenericParameters)
        {
            errors.Add($"{type.Name} is abstract or an open generic type; add a concrete class.");
            return null;
        }
        try
        {
            return ActivatorUtilities.CreateInstance(services, type, [.. Reads(type).Select(row => Activator.CreateInstance(typeof(UnboundFeatureReader<>).MakeGenericType(row))!)]);
        }
        catch (Exception e)
        {
            var cause = e is TargetInvocationException { InnerException: { } inner } ? inner : e;
            errors.Add($"{type.Name} cannot be constructed: {cause.Message} Register what it asks for in builder.Services, and give it one public constructor.");
            return null;
        }
    }

    public static async ValueTask DisposeAsync(object pipeline)
    {
        if (pipeline is IAsyncDisposable asynchronous)
            await asynchronous.DisposeAsync();
        else
            (pipeline as IDisposable)?.Dispose();
    }

    private static Type? RowOfReader(Type parameter) =>
        parameter.IsGenericType && parameter.GetGenericTypeDefinition() == typeof(IFeatureReader<>) ? parameter.GenericTypeArguments[0] : null;
}
