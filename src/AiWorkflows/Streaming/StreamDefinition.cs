using System.Linq.Expressions;
using System.Text.Json;
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

    /// <summary>Reads an event that came as JSON: a value for each column, strictly checked.</summary>
    /// <param name="path">Where the event stands in what was sent.</param>
    /// <returns>Its partition, and the event as it is kept.</returns>
    /// <exception cref="InstanceException">A field is unknown, missing, or of another type.</exception>
    public abstract (int Partition, string Json) Read(JsonElement e, string path);

    /// <summary>Whether it reads a source beside what is pushed.</summary>
    public bool HasSource => CreateSource is not null || Files is not null;

    /// <summary>Makes its own source; null where it has none.</summary>
    public required Func<IServiceProvider, object>? CreateSource { get; init; }

    /// <summary>Makes what it is replayed from; null where it is not replayed.</summary>
    public required Func<IServiceProvider, object>? CreateReplay { get; init; }

    public required string? Files { get; init; }

    /// <summary>Its source.</summary>
    public abstract ISourceReader OpenSource(IServiceProvider services);

    /// <summary>What it is replayed from; null where that was not said.</summary>
    public abstract ISourceReader? OpenReplay(IServiceProvider services);

    /// <summary>Takes one partition up.</summary>
    /// <param name="services">The scope that pipelines are constructed from, for as long as the processor lives.</param>
    public abstract PartitionProcessor Open(int partition, IServiceProvider services, IFeatureStore store, OnlineFeatures online, FeatureReadSession session);
}

/// <inheritdoc/>
internal sealed class StreamDefinition<TEvent> : StreamDefinition where TEvent : class
{
    public required KeyParts<TEvent>? PartitionKey { get; init; }

    /// <summary>The batch pipeline of the events' group, whose expectations hold for what is streamed too; null where there is none.</summary>
    public required FeaturePipelineDefinition? Writer { get; init; }

    private readonly EventReader<TEvent> _reader = new();

    public override (int Partition, string Json) Read(JsonElement e, string path)
    {
        var read = _reader.Read(e, path);
        return (PartitionOf(read), RowCodec<TEvent>.Instance.Json(read));
    }

    public override ISourceReader OpenSource(IServiceProvider services) =>
        Files is { } path ? new FileSource(path, this) : new OwnSource<TEvent>((IStreamSource<TEvent>)CreateSource!(services), this);

    public override ISourceReader? OpenReplay(IServiceProvider services) => CreateReplay is { } create ? new OwnSource<TEvent>((IStreamSource<TEvent>)create(services), this) : null;

    public int PartitionOf(TEvent e) => PartitionKey is null ? 0 : PartitionKey.Partition(e, Partitions);

    public override PartitionProcessor Open(int partition, IServiceProvider services, IFeatureStore store, OnlineFeatures online, FeatureReadSession session) =>
        new PartitionProcessor<TEvent>(
            this, partition,
            [.. Feeds.Select(f => (StreamFeed<TEvent>)f.CreateFeed(PipelineActivator.Create(f.Type, services, session, CancellationToken.None)))],
            Writer is null ? null : new ExpectationCheck<TEvent>((FeaturePipeline<TEvent>)PipelineActivator.Create(Writer.Type, services, session, CancellationToken.None)),
            store, online);
}

/// <summary>How a pipeline can be computed over a stream.</summary>
/// <param name="Event">The record of the events.</param>
/// <param name="Key">What they are grouped by.</param>
internal sealed record StreamedBy(Type Event, LambdaExpression Key);
