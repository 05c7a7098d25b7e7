using System.Linq.Expressions;
using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>A validated stream.</summary>
internal abstract class StreamDefinition
{
    public required string Name { get; init; }

    /// <summary>The group that the events are kept in.</summary>
    public required GroupSchema Events { get; init; }

    public required int Partitions { get; init; }

    public required TimeSpan Lateness { get; init; }

    /// <summary>The pipelines that are computed as events arrive.</summary>
    public required IReadOnlyList<FeaturePipelineDefinition> Feeds { get; init; }

    /// <summary>Takes one partition up.</summary>
    /// <param name="services">The scope that pipelines are constructed from, for as long as the processor lives.</param>
    public abstract PartitionProcessor Open(int partition, IServiceProvider services, IFeatureStore store, OnlineFeatures online, FeatureReadSession session);
}

/// <inheritdoc/>
internal sealed class StreamDefinition<TEvent> : StreamDefinition where TEvent : class
{
    public required KeyParts<TEvent>? PartitionKey { get; init; }

    public int PartitionOf(TEvent e) => PartitionKey is null ? 0 : PartitionKey.Partition(e, Partitions);

    public override PartitionProcessor Open(int partition, IServiceProvider services, IFeatureStore store, OnlineFeatures online, FeatureReadSession session) =>
        new PartitionProcessor<TEvent>(
            this, partition,
            [.. Feeds.Select(f => (StreamFeed<TEvent>)f.CreateFeed(PipelineActivator.Create(f.Type, services, session, CancellationToken.None)))],
            store, online);
}

/// <summary>How a pipeline can be computed over a stream.</summary>
/// <param name="Event">The record of the events.</param>
/// <param name="Key">What they are grouped by.</param>
internal sealed record StreamedBy(Type Event, LambdaExpression Key);
