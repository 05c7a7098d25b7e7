using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using AiWorkflows.Features;

namespace AiWorkflows.Tests.Training;

[FeatureGroup("trips")]
internal sealed record TripRow([EntityKey] long Trip, [EventTime] DateTime At);

/// <summary>A view over examples in memory, with the contract of the real one.</summary>
internal class ListView<TExample> : FeatureViewDefinition<TExample> where TExample : class
{
    [SetsRequiredMembers]
    public ListView(IReadOnlyList<Example<TExample>> examples, Type? label, TimeSpan within, string fingerprint = "f1")
    {
        (Name, Version, Type, Fingerprint, ExampleType) = ("trips", 1, GetType(), fingerprint, typeof(TExample));
        (Spine, Lineage, LabelType, LabelWithin) = (GroupSchema.Of(typeof(TripRow)), [], label, within);
        Reads = [Spine];
        Examples = examples;
    }

    public IReadOnlyList<Example<TExample>> Examples { get; set; }

    public int BatchSize { get; init; } = 1_000;

    public override RegisteredView Registration => throw new NotSupportedException();

    public override async IAsyncEnumerable<IReadOnlyList<Example<TExample>>> ReadAsync(
        FeatureReadSession session, Window spineWindow, ExampleOptions options, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.Yield();
        foreach (var batch in Examples.Where(e => spineWindow.Contains(e.EventTime)).Select(e => e with
        {
            EntityKey = options.EntityKeys ? e.EntityKey : null,
            HasLabel = options.Labels && e.HasLabel && !(e.LabelKnownAt >= options.LabelsKnownBefore),
        }).Chunk(BatchSize))
        {
            ct.ThrowIfCancellationRequested();
            yield return batch;
        }
    }

    public override async IAsyncEnumerable<LabelledKey> ReadLabelsAsync(FeatureReadSession session, Window spineWindow, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var batch in ReadAsync(session, spineWindow, new(true, null, true), ct))
            foreach (var e in batch)
                yield return new(e.EntityKey!, e.EventTime, e.HasLabel, e.Label, e.LabelText, e.LabelKnownAt);
    }

    public override Task<ExampleExplanation> ExplainRowAsync(FeatureReadSession session, string row, DateTime eventTime, CancellationToken ct) => throw new NotSupportedException();

    public override Task<IReadOnlyList<LabelledKey>> LabelsOfAsync(FeatureReadSession session, IReadOnlyList<(string Row, DateTime Time)> rows, CancellationToken ct) => throw new NotSupportedException();

    public override ValueTask<OnlineExample[]?> ExamplesAsync(OnlineLookup lookup, System.Text.Json.JsonElement instances, string path, DateTime now, CancellationToken ct) => throw new NotSupportedException();

    public override Task<ExampleExplanation?> ExplainAsync(FeatureReadSession session, string entityKey, DateTime eventTime, CancellationToken ct) => throw new NotSupportedException();

    public override Task<ExampleExplanation?> GetAsync(FeatureReadSession session, IReadOnlyDictionary<string, string> keys, DateTime? at, CancellationToken ct) => throw new NotSupportedException();
}

/// <summary>A second view of the same examples, for tests of ambiguity.</summary>
internal sealed class OtherListView<TExample> : ListView<TExample> where TExample : class
{
    [SetsRequiredMembers]
    public OtherListView(IReadOnlyList<Example<TExample>> examples, Type? label, TimeSpan within) : base(examples, label, within) { }
}
