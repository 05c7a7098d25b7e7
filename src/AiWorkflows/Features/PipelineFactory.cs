using System.Linq.Expressions;
using System.Reflection;

namespace AiWorkflows.Features;

/// <summary>Reads the definition of a feature pipeline from an instance of it.</summary>
internal static class PipelineFactory<TRow> where TRow : class
{
    public static FeaturePipelineDefinition? Create(object instance, Type? aggregate, GroupSchema writes, GroupSchema[] reads, List<string> errors)
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
        };
    }
}
