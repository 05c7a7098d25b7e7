using AiWorkflows.Features;
using AiWorkflows.Streaming;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows;

/// <summary>
/// Runs feature pipelines and views in memory, without a database, by the very code that a host runs them with: for unit tests of pipelines.
/// Groups that are read but that no added pipeline writes are given with <see cref="Given"/>.
/// </summary>
public sealed class WorkflowTestHost : IAsyncDisposable
{
    private static readonly Window Always = new(DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc));

    private readonly ServiceProvider _services;
    private readonly TimeProvider _clock;
    private readonly InMemoryFeatureStore _store;
    private readonly Catalog _catalog;
    private readonly OnlineFeatures _online;
    private readonly Dictionary<string, StreamInMemory> _streams = [];
    private long _attempts;

    /// <summary>Collects and validates definitions, as a host does at its start.</summary>
    /// <param name="define">Adds pipelines, views and workflows, and registers the services that they ask for.</param>
    /// <exception cref="InvalidDefinitionsException">Something is wrong; the exception lists every mistake.</exception>
    public WorkflowTestHost(Action<AiWorkflowsBuilder> define)
    {
        ArgumentNullException.ThrowIfNull(define);
        var builder = new AiWorkflowsBuilder(new ServiceCollection());
        define(builder);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAdd(ServiceDescriptor.Singleton(typeof(ILogger<>), typeof(NullLogger<>)));
        _services = builder.Services.BuildServiceProvider();
        _clock = _services.GetRequiredService<TimeProvider>();
        _store = new InMemoryFeatureStore(_clock);
        _online = new OnlineFeatures(_store);
        try
        {
            builder.ExternalGroups.AddRange(ReadButNotWritten(builder));
            _catalog = Catalog.Build(builder, _services);
        }
        catch
        {
            _services.Dispose();
            throw;
        }
    }

    /// <summary>Puts rows into a group, as if its pipeline had published them: a row with the same keys and event time is replaced.</summary>
    /// <exception cref="StageFailedException">A value cannot be stored, or two rows have the same keys and event time.</exception>
    public void Given<TRow>(params IEnumerable<TRow> rows) where TRow : class
    {
        ArgumentNullException.ThrowIfNull(rows);
        var codec = RowCodec<TRow>.Instance;
        var canonical = rows.Select(codec.Canonicalize).ToList();
        if (canonical.Count == 0)
            return;
        canonical.Sort(codec.Compare);
        var pending = new PendingRows<TRow>();
        for (var i = 0; i < canonical.Count; i++)
        {
            if (i > 0 && codec.Compare(canonical[i - 1], canonical[i]) == 0)
                throw new StageFailedException($"{codec.Schema}: {codec.Describe(canonical[i])} was given twice; a group has one row for each key and event time.");
            pending.Add(canonical[i], deleted: false);
        }
        var window = new Window(Timestamps.FromMicros(codec.EventTime(canonical[0])), Timestamps.FromMicros(codec.EventTime(canonical[^1]) + 1));
        var writer = Wait(_store.OpenCommitAsync(new(codec.Schema, CommitKind.Patch, window, NextAttempt("given"), "test"), CancellationToken.None));
        writer.WriteAsync(pending, CancellationToken.None).GetAwaiter().GetResult();
        _store.Publish(writer.CommitId);
    }

    /// <summary>
    /// Runs a feature pipeline over a window and publishes what it gave. A stage of several partitions of a workflow is run as a host does it: each slice of the window by a pipeline of its
    /// own that sees nothing of the other slices, then all of them are published at once.
    /// </summary>
    /// <exception cref="StageFailedException">An expectation with the outcome <see cref="OnViolation.Fail"/> was violated, a row lies outside the window or its slice, or a value cannot be stored.</exception>
    public async Task RunAsync<TPipeline>(Window window, CancellationToken ct = default) where TPipeline : class
    {
        var pipeline = _catalog.FeaturePipelines.FirstOrDefault(p => p.Type == typeof(TPipeline))
            ?? throw new InvalidRequestException($"{typeof(TPipeline).Name} is no feature pipeline of this test host; call ai.Add<{typeof(TPipeline).Name}>() in its constructor.");
        var asOf = _store.CurrentSeq;
        var commits = new List<long>();
        foreach (var slice in SlicesOf(pipeline, window))
            commits.Add(await ExecuteAsync(pipeline, slice, asOf, ct));
        _store.Publish(commits);
    }

    /// <summary>Pushes events into a stream, in this order and as one micro-batch of each partition, and publishes what the pipelines that it feeds make of them.</summary>
    /// <returns>What became of the events.</returns>
    /// <exception cref="StageFailedException">A pipeline failed on an event.</exception>
    public async Task<StreamedEvents> PushAsync<TEvent>(string stream, params IEnumerable<TEvent> events) where TEvent : class
    {
        ArgumentNullException.ThrowIfNull(events);
        var definition = _catalog.Stream(stream) as StreamDefinition<TEvent> ?? throw new InvalidRequestException($"Stream '{stream}' does not bring {typeof(TEvent).Name}.");
        if (!_streams.TryGetValue(stream, out var running))
            _streams.Add(stream, running = new(definition, _services, _store, _online, NextAttempt));
        var counts = await running.PushAsync(definition, events, CancellationToken.None);
        return new(counts.Events, counts.Late, counts.Duplicates, counts.Refused);
    }

    /// <summary>Forgets what streams have in memory, as a host does that ends: they go on from what they have published.</summary>
    public void RestartStreams()
    {
        foreach (var stream in _streams.Values)
            stream.Restart();
    }

    /// <summary>The current rows of a group, in canonical order (event time, then keys).</summary>
    public IReadOnlyList<TRow> Rows<TRow>() where TRow : class
    {
        var commits = Wait(_store.CommitsAsync(RowCodec<TRow>.Instance.Schema, _store.CurrentSeq, Always, CancellationToken.None));
        using var feed = new GroupFeed<TRow>(_store, commits, properties: null, Always, FeedMode.Rows, progress: null, CancellationToken.None);
        var rows = new List<TRow>();
        while (feed.Next() is { } batch)
        {
            for (var i = 0; i < batch.Count; i++)
                rows.Add(batch[i].Row);
            feed.Return(batch);
        }
        return rows;
    }

    /// <summary>The rows of a group that expectations kept out, in the order in which they came.</summary>
    public IReadOnlyList<RejectedRow<TRow>> Quarantined<TRow>() where TRow : class =>
        [.. _store.Quarantined(RowCodec<TRow>.Instance.Schema).Select(q => new RejectedRow<TRow>(RowCodec<TRow>.Instance.FromJson(q.RowJson), q.Rule, q.Reason))];

    /// <summary>The examples of the one view that makes <typeparamref name="TExample"/>, for the spine rows in a window, with their labels where the view has one and it is known.</summary>
    public async Task<IReadOnlyList<JoinedExample<TExample>>> ExamplesAsync<TExample>(Window window, CancellationToken ct = default) where TExample : class
    {
        var views = _catalog.Views.OfType<FeatureViewDefinition<TExample>>().ToArray();
        if (views.Length != 1)
            throw new InvalidRequestException($"{views.Length} views of this test host make {typeof(TExample).Name}; add exactly one with ai.Add<…>().");
        var examples = new List<JoinedExample<TExample>>();
        await foreach (var batch in views[0].ReadAsync(new FeatureReadSession(_store, _store.CurrentSeq), window, new(Labels: true, LabelsKnownBefore: null, EntityKeys: true), ct))
            foreach (var e in batch)
                examples.Add(new(e.Features, e.EventTime, e.EntityKey!, e.HasLabel && e.LabelText is null ? e.Label : null, e.LabelText));
        return examples;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _online.Dispose();
        return _services.DisposeAsync();
    }

    private IReadOnlyList<Window> SlicesOf(FeaturePipelineDefinition pipeline, Window window) =>
        _catalog.Workflows.SelectMany(w => w.Stages.Where(s => s.Feature?.Type == pipeline.Type).Select(s => Slices.Of(w, s, window))).FirstOrDefault() ?? [window];

    private async Task<long> ExecuteAsync(FeaturePipelineDefinition pipeline, Window window, long asOf, CancellationToken ct)
    {
        await using var scope = _services.CreateAsyncScope();
        var seal = await pipeline.ExecuteAsync(
            new StageContext
            {
                Attempt = NextAttempt(pipeline.Name),
                Workflow = "test",
                Window = window,
                AsOfSeq = asOf,
                CodeVersion = "test",
                Services = scope.ServiceProvider,
                Clock = _clock,
                Progress = new StageProgress(),
                Log = NullLogger.Instance,
            },
            _store,
            ct);
        return seal.CommitId;
    }

    private AttemptRef NextAttempt(string stage) => new(0, ++_attempts, 1, stage);

    /// <summary>The store in memory answers at once.</summary>
    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private Type[] ReadButNotWritten(AiWorkflowsBuilder builder)
    {
        var ignored = new List<string>();
        var types = builder.Types.Distinct().ToArray();
        var pipelines = types.Select(t => FeatureDefinitions.TryCreatePipeline(t, _services, ignored)).OfType<FeaturePipelineDefinition>().ToArray();
        var views = types.Select(t => FeatureDefinitions.TryCreateView(t, _services, ignored)).OfType<FeatureViewDefinition>();
        return [.. pipelines.SelectMany(p => p.Reads).Concat(views.SelectMany(v => v.Reads)).Select(g => g.Row).Distinct()
            .Except(pipelines.Select(p => p.Writes.Row)).Except(builder.ExternalGroups).Except(builder.Streams.Select(s => s.Event))];
    }
}

/// <summary>What became of events that were pushed into a stream.</summary>
/// <param name="Events">All of them.</param>
/// <param name="Late">Those that came later than the stream's lateness allows; they are in quarantine.</param>
/// <param name="Duplicates">Those that had come before, and count once.</param>
/// <param name="Refused">Those that cannot be stored, or contradict one of the same keys and time; they are in quarantine.</param>
public sealed record StreamedEvents(long Events, long Late, long Duplicates, long Refused);

/// <summary>A row that an expectation kept out.</summary>
/// <param name="Row">The row, with canonical values.</param>
/// <param name="Rule">The expectation.</param>
/// <param name="Reason">What was found instead.</param>
/// <typeparam name="TRow">The record of the feature group.</typeparam>
public sealed record RejectedRow<TRow>(TRow Row, string Rule, string Reason) where TRow : class;

/// <summary>An example with the row that it was made for.</summary>
/// <param name="Features">What a model sees.</param>
/// <param name="EventTime">Event time of the spine row, UTC.</param>
/// <param name="EntityKey">Keys of the spine row as a JSON array.</param>
/// <param name="Label">The label as a number, 0 or 1 for a Boolean; null where it is not known, or is a class.</param>
/// <param name="LabelText">The label where it is a class.</param>
/// <typeparam name="TExample">The record that a model sees.</typeparam>
public sealed record JoinedExample<TExample>(TExample Features, DateTime EventTime, string EntityKey, double? Label, string? LabelText) where TExample : class;
