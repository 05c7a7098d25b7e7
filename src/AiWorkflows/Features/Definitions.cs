using AiWorkflows.Streaming;

namespace AiWorkflows.Features;

/// <summary>A validated feature pipeline.</summary>
internal abstract class FeaturePipelineDefinition
{
    public required string Name { get; init; }

    public required Type Type { get; init; }

    public required GroupSchema Writes { get; init; }

    /// <summary>Groups read through injected readers or aggregated.</summary>
    public required IReadOnlyList<GroupSchema> Reads { get; init; }

    public TimeSpan Lookback { get; init; }

    /// <summary>Windows of partitions are cut at its multiples; null for the cells of the workflow's grid.</summary>
    public TimeSpan? SliceUnit { get; init; }

    /// <summary>How it can be computed over a stream; null where it cannot.</summary>
    public virtual StreamedBy? Streamed => null;

    /// <summary>Whether a window goes on from what the one before it has given, so that it cannot be cut.</summary>
    public virtual bool IsSequential => false;

    /// <summary>A <see cref="StreamFeed{TEvent}"/> that computes it, of a pipeline that has just been constructed.</summary>
    public virtual object CreateFeed(object pipeline) => throw new InvalidOperationException($"{Name} cannot be computed over a stream.");

    /// <summary>Computes the window, writes the difference into an invisible commit, and returns what the publication needs; with no rows and no tombstones where nothing changed.</summary>
    /// <exception cref="StageFailedException">An expectation with outcome fail, a row outside the window, a value that cannot be stored.</exception>
    public abstract Task<CommitSeal> ExecuteAsync(StageContext context, IFeatureStore store, CancellationToken ct);

    /// <summary>Writes rows from quarantine into an invisible patch: those that hold the rules of today, or all of them when <paramref name="accept"/>.</summary>
    /// <param name="begin">Called with the window of the rows once there is one to write.</param>
    public abstract Task<ReplayResult> ReplayAsync(
        IReadOnlyList<QuarantinedRecord> records, bool accept, IServiceProvider services, IFeatureStore store, Func<Window, Task<CommitRequest>> begin, CancellationToken ct);
}

/// <summary>A validated feature view.</summary>
internal abstract class FeatureViewDefinition
{
    public required string Name { get; init; }

    public required int Version { get; init; }

    public required Type Type { get; init; }

    /// <summary>Hash of everything that decides what an example is.</summary>
    public required string Fingerprint { get; init; }

    public required Type ExampleType { get; init; }

    /// <summary>What online inference does with an entity that has no spine row.</summary>
    public required UnknownEntity WhenUnknown { get; init; }

    public required GroupSchema Spine { get; init; }

    /// <summary>Spine, joined groups and the label's group.</summary>
    public required IReadOnlyList<GroupSchema> Reads { get; init; }

    /// <summary>Of <see cref="Reads"/>, those whose rows count only from their publication on, so that versions which were replaced later are still read.</summary>
    public IReadOnlyList<GroupSchema> ReadsAsPublished { get; init; } = [];

    /// <summary>Null where the view has no label; else bool, float, string or an enum.</summary>
    public Type? LabelType { get; init; }

    /// <summary>Horizon of the label; zero without one.</summary>
    public TimeSpan LabelWithin { get; init; }

    public required IReadOnlyList<LineageEdge> Lineage { get; init; }

    public abstract RegisteredView Registration { get; }

    /// <summary>One example as it was, value by value; null where the spine has no such row as of the session's sequence.</summary>
    /// <param name="entityKey">JSON array of the spine's keys, as the prediction log writes it.</param>
    public abstract Task<ExampleExplanation?> ExplainAsync(FeatureReadSession session, string entityKey, DateTime eventTime, CancellationToken ct);

    /// <summary>As <see cref="ExplainAsync"/>, of a spine row that was given and may not be in the store.</summary>
    /// <param name="row">The row as JSON, as <see cref="OnlineExample.Inputs"/> has it.</param>
    public abstract Task<ExampleExplanation> ExplainRowAsync(FeatureReadSession session, string row, DateTime eventTime, CancellationToken ct);

    /// <summary>The spine rows in the window with their labels where those are known, without joining features.</summary>
    public abstract IAsyncEnumerable<LabelledKey> ReadLabelsAsync(FeatureReadSession session, Window spineWindow, CancellationToken ct);

    /// <summary>The labels of spine rows that need not be in the store, as far as they are known.</summary>
    /// <param name="rows">Each as JSON, with its event time (UTC); in order of time.</param>
    public abstract Task<IReadOnlyList<LabelledKey>> LabelsOfAsync(FeatureReadSession session, IReadOnlyList<(string Row, DateTime Time)> rows, CancellationToken ct);

    /// <summary>The examples of the instances of a request, made by the same joins and the same selection as every other example.</summary>
    /// <param name="lookup">What the features are looked up in.</param>
    /// <param name="instances">A JSON array of objects: the keys of a spine row, or all its columns.</param>
    /// <param name="path">Where the array stands in the request, for errors.</param>
    /// <param name="now">The business clock (UTC).</param>
    /// <returns>Null where the look-up has found out that what it assumed does not hold.</returns>
    /// <exception cref="InstanceException">A field is unknown, missing or of another type; or nothing is known about the entity and a feature cannot be missing.</exception>
    public abstract ValueTask<OnlineExample[]?> ExamplesAsync(OnlineLookup lookup, System.Text.Json.JsonElement instances, string path, DateTime now, CancellationToken ct);

    /// <summary>The latest example of an entity, for people: keys by property or column name.</summary>
    /// <param name="at">Event time that the example is made for; a null value stands for the spine row's own.</param>
    public abstract Task<ExampleExplanation?> GetAsync(FeatureReadSession session, IReadOnlyDictionary<string, string> keys, DateTime? at, CancellationToken ct);
}

/// <summary>A validated feature view of a known example type.</summary>
internal abstract class FeatureViewDefinition<TExample> : FeatureViewDefinition where TExample : class
{
    /// <summary>
    /// Examples in canonical order of the spine (event time, keys by UTF-8 bytes), joined point-in-time in one streaming pass.
    /// With labels, an example is given once its label is known or its horizon has passed the end of the label scan.
    /// </summary>
    public abstract IAsyncEnumerable<IReadOnlyList<Example<TExample>>> ReadAsync(
        FeatureReadSession session, Window spineWindow, ExampleOptions options, CancellationToken ct);
}

/// <summary>What a reader of examples wants.</summary>
/// <param name="Labels">Whether labels are joined.</param>
/// <param name="LabelsKnownBefore">Labels with an event time at or after this instant count as unknown (a training cut-off); null for no such bound.</param>
/// <param name="EntityKeys">Whether <see cref="Example{TExample}.EntityKey"/> is filled.</param>
internal readonly record struct ExampleOptions(bool Labels, DateTime? LabelsKnownBefore, bool EntityKeys);

/// <summary>An example with the row it was made for.</summary>
/// <param name="EntityKey">JSON array of the spine's keys; null unless asked for.</param>
/// <param name="Label">The label as a number: 0 or 1, the value, or NaN where it is unknown or a class.</param>
/// <param name="LabelText">The class by name where the label is one.</param>
internal readonly record struct Example<TExample>(TExample Features, DateTime EventTime, string? EntityKey, bool HasLabel, double Label, string? LabelText, DateTime LabelKnownAt)
    where TExample : class;

internal readonly record struct LabelledKey(string EntityKey, DateTime EventTime, bool HasLabel, double Label, string? LabelText, DateTime LabelKnownAt);

/// <summary>An example taken apart.</summary>
internal sealed record ExampleExplanation(
    string EntityKey, DateTime EventTime, object Example, IReadOnlyList<FeatureValue> Values, IReadOnlyList<JoinedRow> Rows);

/// <summary>A feature as the model saw it.</summary>
internal sealed record FeatureValue(string Feature, object? Value, IReadOnlyList<LineageEdge> From);

/// <summary>The row that a join found, or that there was none.</summary>
/// <param name="Age">Event time of the example less that of the row.</param>
internal sealed record JoinedRow(string Alias, string Group, int GroupVersion, bool Exists, DateTime? EventTime, TimeSpan? Age, long? CommitId, IReadOnlyDictionary<string, object?> Columns);
