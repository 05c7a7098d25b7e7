namespace AiWorkflows.Features;

/// <summary>Turns the types that users write into validated definitions. Every mistake is added to a list; none is thrown.</summary>
internal static partial class FeatureDefinitions
{
    /// <summary>The closed form of a generic base class of <paramref name="type"/>, or null.</summary>
    public static Type? BaseOf(Type type, Type open)
    {
        for (var candidate = type; candidate is not null; candidate = candidate.BaseType)
            if (candidate.IsGenericType && candidate.GetGenericTypeDefinition() == open)
                return candidate;
        return null;
    }

    /// <summary>The definition of a feature pipeline; null where the type is none, or is wrong (then <paramref name="errors"/> says how).</summary>
    public static FeaturePipelineDefinition? TryCreatePipeline(Type pipeline, IServiceProvider services, List<string> errors)
    {
        if (BaseOf(pipeline, typeof(FeaturePipeline<>)) is not { } common)
            return null;
        var own = new List<string>();
        var definition = CreatePipeline(pipeline, common.GenericTypeArguments[0], services, own);
        AddNew(errors, own);
        return own.Count == 0 ? definition : null;
    }

    /// <summary>Stages and views are named in kebab case.</summary>
    internal static bool IsKebab(string? name) =>
        name is { Length: > 0 and <= 60 } && char.IsAsciiLetterLower(name[0]) && name[^1] != '-' && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>A row type that several definitions use is reported once.</summary>
    internal static void AddNew(List<string> errors, List<string> found) => errors.AddRange(found.Where(e => !errors.Contains(e)).ToArray());

    private static FeaturePipelineDefinition? CreatePipeline(Type pipeline, Type row, IServiceProvider services, List<string> errors)
    {
        var aggregate = BaseOf(pipeline, typeof(AggregateFeaturePipeline<,>));
        var fold = BaseOf(pipeline, typeof(StreamFeaturePipeline<,>));
        if (aggregate is null && fold is null && BaseOf(pipeline, typeof(BatchFeaturePipeline<>)) is null)
        {
            errors.Add($"{pipeline.Name} derives from FeaturePipeline<{row.Name}> directly; derive from BatchFeaturePipeline<{row.Name}>, AggregateFeaturePipeline<…, {row.Name}> or StreamFeaturePipeline<…, {row.Name}>.");
            return null;
        }
        var writes = GroupSchema.TryCreate(row, errors);
        var readTypes = PipelineActivator.Reads(pipeline);
        if ((aggregate ?? fold) is { } events)
            readTypes = [.. readTypes.Append(events.GenericTypeArguments[0]).Distinct()];
        foreach (var read in readTypes)
            GroupSchema.TryCreate(read, errors);
        if (readTypes.Contains(row))
            errors.Add($"{pipeline.Name} reads {row.Name}, which it writes itself; a pipeline sees only what others have published, so split it in two groups.");
        var instance = PipelineActivator.TryCreate(pipeline, services, errors);
        if (errors.Count > 0 || instance is null || writes is null)
            return null;
        try
        {
            return (FeaturePipelineDefinition?)typeof(PipelineFactory<>).MakeGenericType(row)
                .GetMethod(nameof(PipelineFactory<>.Create))!.Invoke(null, [instance, aggregate, fold, writes, readTypes.Select(GroupSchema.Of).ToArray(), errors]);
        }
        finally
        {
            PipelineActivator.DisposeAsync(instance).AsTask().GetAwaiter().GetResult();
        }
    }
}
