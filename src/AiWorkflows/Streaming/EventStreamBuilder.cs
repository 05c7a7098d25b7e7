using System.Linq.Expressions;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows;

/// <summary>Defines a stream of events: how it is spread, how late an event may come, and what is computed from it.</summary>
/// <typeparam name="TEvent">The record of the group that the events are kept in.</typeparam>
public sealed class EventStreamBuilder<TEvent> where TEvent : class
{
    private readonly AiWorkflowsBuilder _builder;
    private readonly StreamSpec _spec;

    internal EventStreamBuilder(AiWorkflowsBuilder builder, StreamSpec spec) => (_builder, _spec) = (builder, spec);

    /// <summary>Spreads the stream, so that several hosts share it. Every pipeline that it feeds is then keyed by the same.</summary>
    /// <param name="key">An entity key of the event, or <c>new { … }</c> of several.</param>
    /// <param name="partitions">From 1 to 256; once events have come it stays as it is. The default is 1.</param>
    public EventStreamBuilder<TEvent> PartitionBy<TKey>(Expression<Func<TEvent, TKey>> key, int partitions)
    {
        (_spec.PartitionKey, _spec.Partitions) = (key, partitions);
        return this;
    }

    /// <summary>How far behind the latest event of its partition an event may come and still count; later ones are kept in quarantine. The default is five minutes.</summary>
    public EventStreamBuilder<TEvent> Lateness(TimeSpan lateness)
    {
        _spec.Lateness = lateness;
        return this;
    }

    /// <summary>Computes a pipeline over <typeparamref name="TEvent"/> as events arrive: an <see cref="AggregateFeaturePipeline{TEvent, TRow}"/> or a <see cref="StreamFeaturePipeline{TEvent, TRow}"/>. It may be a stage of a workflow too.</summary>
    public EventStreamBuilder<TEvent> Feed<TPipeline>() where TPipeline : class
    {
        _spec.Feeds.Add(typeof(TPipeline));
        _builder.Add<TPipeline>();
        return this;
    }

    /// <summary>Reads the events from a source too, beside those that are pushed. It is constructed with services of the host.</summary>
    public EventStreamBuilder<TEvent> From<TSource>() where TSource : class, IStreamSource<TEvent>
    {
        (_spec.Source, _spec.CreateSource) = (typeof(TSource), services => ActivatorUtilities.CreateInstance<TSource>(services));
        return this;
    }

    /// <summary>Reads the events from a source too, beside those that are pushed, as <c>s.From(services => new TableSource&lt;Order&gt;(…))</c>.</summary>
    /// <param name="source">Makes the source out of services of the host, once.</param>
    public EventStreamBuilder<TEvent> From(Func<IServiceProvider, IStreamSource<TEvent>> source)
    {
        ArgumentNullException.ThrowIfNull(source);
        (_spec.Source, _spec.CreateSource) = (typeof(IStreamSource<TEvent>), source);
        return this;
    }

    /// <summary>
    /// Names what the stream can be replayed from: <c>streams replay NAME</c> brings all of it in, <c>serve --replay</c> each event when the clock of the replay comes to it. Otherwise it is not read.
    /// Its events come in the order of their event times.
    /// </summary>
    public EventStreamBuilder<TEvent> Replay<TSource>() where TSource : class, IStreamSource<TEvent>
    {
        _spec.CreateReplay = services => ActivatorUtilities.CreateInstance<TSource>(services);
        return this;
    }

    /// <summary>Reads the events from files with one on each line, as JSON objects by column name: each line once, what is added later too.</summary>
    /// <param name="path">A file, or a directory whose <c>*.ndjson</c> and <c>*.jsonl</c> are read in the order of their names.</param>
    public EventStreamBuilder<TEvent> FromFiles(string path)
    {
        _spec.Files = path;
        return this;
    }
}

/// <summary>A stream as it was declared.</summary>
internal sealed class StreamSpec(string name, Type events)
{
    public string Name => name;

    public Type Event => events;

    public LambdaExpression? PartitionKey { get; set; }

    public int Partitions { get; set; } = 1;

    public TimeSpan Lateness { get; set; } = TimeSpan.FromMinutes(5);

    public List<Type> Feeds { get; } = [];

    public Type? Source { get; set; }

    /// <summary>Makes the source.</summary>
    public Func<IServiceProvider, object>? CreateSource { get; set; }

    /// <summary>Makes what it is replayed from.</summary>
    public Func<IServiceProvider, object>? CreateReplay { get; set; }

    public string? Files { get; set; }
}
