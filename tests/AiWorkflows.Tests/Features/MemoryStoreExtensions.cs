using AiWorkflows.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Tests.Features;

/// <summary>Short forms for what these specifications do with a store and with definitions.</summary>
internal static class MemoryStoreExtensions
{
    public static readonly IServiceProvider NoServices = new ServiceCollection().BuildServiceProvider();

    /// <summary>Writes rows and tombstones as one commit; visible only where <paramref name="publish"/>.</summary>
    public static async Task<long> CommitAsync<TRow>(
        this InMemoryFeatureStore store, IEnumerable<(TRow Row, bool Deleted)> rows, DateTime? publishedAt = null, bool publish = true) where TRow : class
    {
        var batch = new PendingRows<TRow>();
        foreach (var (row, deleted) in rows)
            batch.Add(RowCodec<TRow>.Instance.Canonicalize(row), deleted);
        var window = new Window(DateTime.UnixEpoch, DateTime.UnixEpoch.AddYears(100));
        await using var writer = await store.OpenCommitAsync(new(RowCodec<TRow>.Instance.Schema, CommitKind.Patch, window, new(0, 0, 1, "test"), "test"), default);
        await writer.WriteAsync(batch, default);
        if (publish)
            store.Publish(writer.CommitId, publishedAt);
        return writer.CommitId;
    }

    public static Task<long> CommitAsync<TRow>(this InMemoryFeatureStore store, params TRow[] rows) where TRow : class =>
        store.CommitAsync(rows.Select(r => (r, false)));

    public static FeaturePipelineDefinition Pipeline<TPipeline>(IServiceProvider? services = null)
    {
        var errors = new List<string>();
        var definition = FeatureDefinitions.TryCreatePipeline(typeof(TPipeline), services ?? NoServices, errors);
        errors.ShouldBeEmpty();
        return definition!;
    }

    public static FeatureViewDefinition<TExample> View<TView, TExample>() where TExample : class
    {
        var errors = new List<string>();
        var definition = FeatureDefinitions.TryCreateView(typeof(TView), NoServices, errors);
        errors.ShouldBeEmpty();
        return (FeatureViewDefinition<TExample>)definition!;
    }

    public static async Task<CommitSeal> RunAsync(this InMemoryFeatureStore store, FeaturePipelineDefinition pipeline, Window window, IServiceProvider? services = null, bool publish = true)
    {
        var seal = await pipeline.ExecuteAsync(
            new StageContext
            {
                Attempt = new(1, 1, 1, pipeline.Name), Workflow = "test", Window = window, AsOfSeq = store.CurrentSeq, CodeVersion = "test",
                Services = services ?? NoServices, Clock = TimeProvider.System, Progress = new(), Log = NullLogger.Instance,
            }, store, default);
        if (publish)
            store.Publish(seal.CommitId);
        return seal;
    }

    public static async Task<List<TRow>> ReadAsync<TRow>(this InMemoryFeatureStore store, Window window, long? asOf = null) where TRow : class
    {
        var rows = new List<TRow>();
        await foreach (var row in new SessionFeatureReader<TRow>(new(store, asOf ?? store.CurrentSeq), default).ReadAsync(window))
            rows.Add(row);
        return rows;
    }

    public static async Task<List<Example<TExample>>> ReadAsync<TExample>(
        this FeatureViewDefinition<TExample> view, InMemoryFeatureStore store, Window window, long? asOf = null, DateTime? labelsKnownBefore = null) where TExample : class
    {
        var examples = new List<Example<TExample>>();
        await foreach (var batch in view.ReadAsync(new(store, asOf ?? store.CurrentSeq), window, new(view.LabelType is not null, labelsKnownBefore, EntityKeys: true), default))
            examples.AddRange(batch);
        return examples;
    }
}
