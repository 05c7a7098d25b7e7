using System.Linq.Expressions;
using System.Reflection;
using AiWorkflows.Streaming;

namespace AiWorkflows.Features;

/// <summary>Reads the definition of a feature pipeline from an instance of it.</summary>
internal static class PipelineFactory<TRow> where TRow : class
{
    /// <param name="aggregate">The closed base type of an aggregation.</param>
    /// <param name="fold">The closed base type of a fold.</param>
    public static FeaturePipelineDefinition? Create(object instance, Type? aggregate, Type? fold, GroupSchema writes, GroupSchema[] reads, List<string> errors)
    {
        var pipeline = (FeaturePipeline<TRow>)instance;
        var type = pipeline.GetType();
        if (!FeatureDefinitions.IsKebab(pipeline.Name))
            errors.Add($"{type.Name}.Name is '{pipeline.Name}'; use lower-case letters, digits and hyphens, at most 60, starting with a letter.");
        if (pipeline.Lookback < TimeSpan.Zero)
            errors.Add($"{type.Name}.Lookback is {pipeline.Lookback}; it is a length of time before the window, so not negative.");
        try
        {
            _ = new ExpectationCheck<TRow>(pipeline);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            errors.Add($"{type.Name}.Expect threw {e.GetType().Name}: {e.Message} It only declares what must hold, and is called when the host starts.");
        }
        if (fold is not null)
            return (FeaturePipelineDefinition?)typeof(PipelineFactory<TRow>)
                .GetMethod(nameof(CreateFold), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(fold.GenericTypeArguments[0])
                .Invoke(null, [pipeline, writes, reads, errors]);
        if (aggregate is null)
        {
            var unit = ((BatchFeaturePipeline<TRow>)pipeline).SliceUnit;
            if (unit is { } given && (given <= TimeSpan.Zero || given.Ticks % TimeSpan.TicksPerSecond != 0))
                errors.Add($"{type.Name}.SliceUnit is {given}; it is a positive number of whole seconds.");
            return errors.Count > 0 ? null
                : new BatchPipelineRuntime<TRow> { Name = pipeline.Name, Type = type, Writes = writes, Reads = reads, Lookback = pipeline.Lookback, SliceUnit = unit };
        }
        return (FeaturePipelineDefinition?)typeof(PipelineFactory<TRow>)
            .GetMethod(nameof(CreateAggregate), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(aggregate.GenericTypeArguments[0])
            .Invoke(null, [pipeline, writes, reads, errors]);
    }

    private static FoldPipelineRuntime<TEvent, TRow>? CreateFold<TEvent>(StreamFeaturePipeline<TEvent, TRow> pipeline, GroupSchema writes, GroupSchema[] reads, List<string> errors)
        where TEvent : class
    {
        var name = pipeline.GetType().Name;
        var builder = new StreamBuilder<TEvent, TRow>();
        try
        {
            pipeline.Define(builder);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            errors.Add($"{name}.Define threw {e.GetType().Name}: {e.Message}");
            return null;
        }
        if (builder.Key is null)
        {
            errors.Add($"{name}.Define must declare By(…).");
            return null;
        }
        if (builder.Gap <= TimeSpan.Zero)
            errors.Add($"{name}: Session({builder.Gap}) would end with every event; the gap is greater than zero.");
        if (!writes.Online)
            errors.Add($"{name} goes on from the last row of a key, which is looked up by key; declare Online = true on {typeof(TRow).Name}.");
        var key = new KeyParts<TEvent>(builder.Key);
        var types = writes.Keys.Select(k => typeof(TRow).GetProperty(k.Property)!.PropertyType).ToArray();
        if (!key.Types.Select(t => Nullable.GetUnderlyingType(t) ?? t).SequenceEqual(types))
            errors.Add($"{name}: By({builder.Key}) is ({string.Join(", ", key.Types.Select(ColumnTypes.Display))}), but the keys of {typeof(TRow).Name} are ({string.Join(", ", types.Select(ColumnTypes.Display))}); they are the same, in the same order.");
        var events = GroupSchema.Of(typeof(TEvent));
        if (events.Lag > writes.Lag)
            errors.Add($"{name} folds {events.Name}, whose rows are known {events.Lag.TotalSeconds:0} s after their event time, but {writes.Name} claims to be known after {writes.Lag.TotalSeconds:0} s; declare LagSeconds = {events.Lag.TotalSeconds:0} on {typeof(TRow).Name}.");
        return errors.Count > 0 ? null : new()
        {
            Name = pipeline.Name,
            Type = pipeline.GetType(),
            Writes = writes,
            Reads = reads,
            Lookback = pipeline.Lookback,
            Plan = new(key, builder.Gap),
            KeyExpression = builder.Key,
        };
    }

    private static FeaturePipelineDefinition? CreateAggregate<TEvent>(AggregateFeaturePipeline<TEvent, TRow> pipeline, GroupSchema writes, GroupSchema[] reads, List<string> errors)
        where TEvent : class
    {
        var name = pipeline.GetType().Name;
        var builder = new AggregationBuilder<TEvent, TRow>();
        try
        {
            pipeline.Define(builder);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            errors.Add($"{name}.Define threw {e.GetType().Name}: {e.Message}");
            return null;
        }
        if (builder.Key is null || builder.Row is null)
        {
            errors.Add($"{name}.Define must declare By(…).Every(…).Select(…); {(builder.Key is null ? "By" : "Select")} is missing.");
            return null;
        }
        if (builder.Hop <= TimeSpan.Zero || builder.Hop.Ticks % TimeSpan.TicksPerMicrosecond != 0)
        {
            errors.Add($"{name}: Every({builder.Hop}) must be a positive length of whole microseconds.");
            return null;
        }
        var events = GroupSchema.Of(typeof(TEvent));
        if (events.Lag > writes.Lag)
            errors.Add($"{name} aggregates {events.Name}, whose rows are known {events.Lag.TotalSeconds:0} s after their event time, but {writes.Name} claims to be known after {writes.Lag.TotalSeconds:0} s; declare LagSeconds = {events.Lag.TotalSeconds:0} on {typeof(TRow).Name}.");
        return (FeaturePipelineDefinition?)typeof(PipelineFactory<TRow>)
            .GetMethod(nameof(CreatePlanned), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(typeof(TEvent), builder.Key.ReturnType)
            .Invoke(null, [pipeline, builder, writes, reads, errors]);
    }

    private static AggregatePipelineRuntime<TEvent, TKey, TRow>? CreatePlanned<TEvent, TKey>(
        AggregateFeaturePipeline<TEvent, TRow> pipeline, AggregationBuilder<TEvent, TRow> builder, GroupSchema writes, GroupSchema[] reads, List<string> errors)
        where TEvent : class where TKey : notnull
    {
        if (AggregationParser<TEvent, TKey, TRow>.TryParse(pipeline.GetType().Name, builder, errors) is not { } plan || errors.Count > 0)
            return null;
        return new()
        {
            Name = pipeline.Name,
            Type = pipeline.GetType(),
            Writes = writes,
            Reads = reads,
            Lookback = plan.Lookback > pipeline.Lookback ? plan.Lookback : pipeline.Lookback,
            SliceUnit = plan.Hop,
            Plan = plan,
            KeyExpression = builder.Key!,
        };
    }
}
