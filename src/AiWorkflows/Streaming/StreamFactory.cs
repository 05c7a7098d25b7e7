using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Streaming;

/// <summary>Makes validated streams of what <c>ai.Stream(…)</c> collected.</summary>
internal static class StreamFactory
{
    private const int MostPartitions = 256;

    public static IReadOnlyList<StreamDefinition> Create(AiWorkflowsBuilder builder, IReadOnlyList<FeaturePipelineDefinition> pipelines, List<string> errors)
    {
        foreach (var twice in builder.Streams.GroupBy(s => s.Name).Where(g => g.Count() > 1))
            errors.Add($"Stream '{twice.Key}' is defined {twice.Count()} times; rename one, or feed everything from one definition.");
        foreach (var shared in builder.Streams.GroupBy(s => s.Event).Where(g => g.Select(s => s.Name).Distinct().Count() > 1))
            errors.Add($"Streams {string.Join(" and ", shared.Select(s => $"'{s.Name}'"))} both bring {shared.Key.Name}; a group of events has one stream.");
        foreach (var fed in builder.Streams.SelectMany(s => s.Feeds.Distinct().Select(f => (Pipeline: f, s.Name))).GroupBy(f => f.Pipeline).Where(g => g.Select(f => f.Name).Distinct().Count() > 1))
            errors.Add($"{fed.Key.Name} is fed by streams {string.Join(" and ", fed.Select(f => $"'{f.Name}'"))}; keep it in one of them.");
        return [.. builder.Streams.Select(s => Create(s, pipelines, errors)).OfType<StreamDefinition>()];
    }

    private static StreamDefinition? Create(StreamSpec spec, IReadOnlyList<FeaturePipelineDefinition> pipelines, List<string> errors)
    {
        var before = errors.Count;
        var where = $"Stream '{spec.Name}'";
        if (!DefinitionChecks.IsName(spec.Name))
            errors.Add($"Stream: {DefinitionChecks.BadName("stream", spec.Name)}");
        if (spec.Lateness < TimeSpan.Zero)
            errors.Add($"{where}: Lateness({spec.Lateness}) is negative; it is how far behind the latest event another may come, at least zero.");
        if (spec.Partitions is < 1 or > MostPartitions)
            errors.Add($"{where} has {spec.Partitions} partitions; there are from 1 to {MostPartitions}.");
        if (spec is { Source: not null, Files: not null })
            errors.Add($"{where} reads both a source and files; it has one source, so remove From or FromFiles.");
        var own = new List<string>();
        var events = GroupSchema.TryCreate(spec.Event, own);
        FeatureDefinitions.AddNew(errors, own);
        var feeds = new List<FeaturePipelineDefinition>();
        foreach (var type in spec.Feeds.Distinct())
            if (pipelines.FirstOrDefault(p => p.Type == type) is not { } pipeline)
            {
                if (FeatureDefinitions.BaseOf(type, typeof(FeaturePipeline<>)) is null)
                    errors.Add($"{where}: {type.Name} is no feature pipeline; feed an AggregateFeaturePipeline<{spec.Event.Name}, …> or a StreamFeaturePipeline<{spec.Event.Name}, …>.");
            }
            else if (pipeline.Streamed is not { } streamed)
                errors.Add($"{where}: {type.Name} computes whole windows; feed an AggregateFeaturePipeline<{spec.Event.Name}, …> or a StreamFeaturePipeline<{spec.Event.Name}, …>.");
            else if (streamed.Event != spec.Event)
                errors.Add($"{where} brings {spec.Event.Name}, but {type.Name} is computed over {streamed.Event.Name}; feed it from a stream of those.");
            else
                feeds.Add(pipeline);
        return errors.Count > before || events is null ? null : (StreamDefinition?)typeof(StreamFactory)
            .GetMethod(nameof(CreateTyped), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.MakeGenericMethod(spec.Event)
            .Invoke(null, [spec, events, feeds, pipelines.FirstOrDefault(p => p.Writes.Row == spec.Event), errors]);
    }

    private static StreamDefinition<TEvent>? CreateTyped<TEvent>(StreamSpec spec, GroupSchema events, List<FeaturePipelineDefinition> feeds, FeaturePipelineDefinition? writer, List<string> errors) where TEvent : class
    {
        var before = errors.Count;
        var key = spec.PartitionKey is null ? null : new KeyParts<TEvent>(spec.PartitionKey);
        if (key is not null && key.Properties.Any(p => events.Keys.All(k => k.Property != p)))
            errors.Add($"Stream '{spec.Name}': PartitionBy({spec.PartitionKey}) uses other than entity keys of {typeof(TEvent).Name} ({string.Join(", ", events.Keys.Select(k => k.Property))}), so two versions of one event could come to different partitions; use one of those.");
        if (spec.Partitions > 1)
            foreach (var feed in feeds)
                if (new ExpressionText().Of(feed.Streamed!.Key) != new ExpressionText().Of(spec.PartitionKey!))
                    errors.Add($"Stream '{spec.Name}' has {spec.Partitions} partitions by {spec.PartitionKey}, but {feed.Type.Name} is by {feed.Streamed!.Key}; a key has to be whole in one partition, so use the same for both, or one partition.");
        return errors.Count > before ? null : new()
        {
            Name = spec.Name,
            Events = events,
            Partitions = spec.Partitions,
            Lateness = spec.Lateness,
            Feeds = feeds,
            PartitionKey = key,
            Writer = writer,
            CreateSource = spec.CreateSource,
            CreateReplay = spec.CreateReplay,
            Files = spec.Files,
        };
    }
}
