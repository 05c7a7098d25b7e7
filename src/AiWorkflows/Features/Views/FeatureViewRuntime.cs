using System.Runtime.CompilerServices;
using System.Text.Json;

namespace AiWorkflows.Features;

/// <summary>A feature view, compiled.</summary>
internal sealed class FeatureViewRuntime<TSpine, TExample> : FeatureViewDefinition<TExample> where TSpine : class where TExample : class
{
    public required IReadOnlyList<GroupJoins<TSpine>> Groups { get; init; }

    public required LabelPlan<TSpine>? Label { get; init; }

    public required ExampleProjection<TSpine, TExample> Projection { get; init; }

    /// <summary>What the projection, the joins and the label read of the spine row; null for all.</summary>
    public required IReadOnlySet<string>? SpineProperties { get; init; }

    /// <summary>What the label reads of the spine row; null for all.</summary>
    public required IReadOnlySet<string>? LabelSpineProperties { get; init; }

    public required RegisteredView Registered { get; init; }

    public override RegisteredView Registration => Registered;

    public override IAsyncEnumerable<IReadOnlyList<Example<TExample>>> ReadAsync(FeatureReadSession session, Window spineWindow, ExampleOptions options, CancellationToken ct) =>
        new PointInTimeJoin<TSpine, TExample>
        {
            Groups = Groups,
            Label = options.Labels ? Label : null,
            SpineProperties = SpineProperties,
            Joins = Projection.Aliases.Count,
            Build = Projection.Build,
        }.ReadAsync(session, spineWindow, options, ct);

    public override async IAsyncEnumerable<LabelledKey> ReadLabelsAsync(FeatureReadSession session, Window spineWindow, [EnumeratorCancellation] CancellationToken ct)
    {
        var join = new PointInTimeJoin<TSpine, string> { Groups = [], Label = Label, SpineProperties = LabelSpineProperties, Joins = 0, Build = (_, _) => "" };
        await foreach (var batch in join.ReadAsync(session, spineWindow, new(Labels: true, LabelsKnownBefore: null, EntityKeys: true), ct))
            foreach (var e in batch)
                yield return new(e.EntityKey!, e.EventTime, e.HasLabel, e.Label, e.LabelText, e.LabelKnownAt);
    }

    public override async Task<ExampleExplanation?> ExplainAsync(FeatureReadSession session, string entityKey, DateTime eventTime, CancellationToken ct)
    {
        var keys = ParseKeys(entityKey);
        var time = Timestamps.ToMicros(eventTime);
        var window = new Window(Timestamps.FromMicros(time), Timestamps.FromMicros(time + 1));
        return await SeekSpineAsync(session, keys, window, ct) is { } row ? await ExplainAsync(session, row.Row, time, ct) : null;
    }

    public override async Task<ExampleExplanation?> GetAsync(FeatureReadSession session, IReadOnlyDictionary<string, string> keys, DateTime? at, CancellationToken ct)
    {
        var values = Spine.Keys.Select(column => KeyValues.Parse(column, Find(keys, column))).ToArray();
        foreach (var name in keys.Keys)
            if (!Spine.Keys.Any(k => Names(k, name)))
                throw NearMatches.Unknown($"key of view {Name}", name, Spine.Keys.Select(k => k.Name));
        var to = at is { } t ? Timestamps.FromMicros(Timestamps.ToMicros(t) + 1) : DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);
        var window = new Window(DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), to);
        return await SeekSpineAsync(session, values, window, ct) is { } row
            ? await ExplainAsync(session, row.Row, at is { } moment ? Timestamps.ToMicros(moment) : row.Time, ct)
            : null;
    }

    private static bool Names(FeatureColumn column, string name) =>
        string.Equals(column.Name, name, StringComparison.OrdinalIgnoreCase) || string.Equals(column.Property, name, StringComparison.OrdinalIgnoreCase);

    private string Find(IReadOnlyDictionary<string, string> keys, FeatureColumn column) =>
        keys.FirstOrDefault(k => Names(column, k.Key)).Value
        ?? throw new InvalidRequestException($"View {Name} is looked up by {string.Join(" and ", Spine.Keys.Select(k => k.Name))}; {column.Name} is missing, add {column.Name}=VALUE.");

    private object[] ParseKeys(string entityKey)
    {
        try
        {
            using var document = JsonDocument.Parse(entityKey);
            return [.. Spine.Keys.Zip(document.RootElement.EnumerateArray(), JsonRowCursor.Key)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new InvalidRequestException($"'{entityKey}' is no key of {Spine.Name}; write a JSON array of {string.Join(", ", Spine.Keys.Select(k => k.Name))}.", e);
        }
    }

    private static async Task<FeedRow<TSpine>?> SeekSpineAsync(FeatureReadSession session, IReadOnlyList<object> keys, Window window, CancellationToken ct)
    {
        var commits = await session.OpenAsync(RowCodec<TSpine>.Instance.Schema, window, ct);
        return commits.Count == 0 ? null
            : await Task.Run(() => RowSeek<TSpine>.Latest(session.Store, new VisibleCommits(commits), null, keys, window, (_, _) => true, perVersion: false), ct);
    }

    private async Task<ExampleExplanation> ExplainAsync(FeatureReadSession session, TSpine spine, long time, CancellationToken ct)
    {
        var rows = new object?[Projection.Aliases.Count];
        var joined = new List<JoinedRow>();
        foreach (var group in Groups)
            joined.AddRange(await group.SeekAsync(session, spine, time, rows, ct));
        var example = Projection.Build(spine, rows);
        var values = typeof(TExample).GetProperties()
            .Select(p => new FeatureValue(p.Name, p.GetValue(example), [.. Lineage.Where(l => l.Feature == p.Name)]))
            .ToArray();
        return new(RowCodec<TSpine>.Instance.KeyJson(spine), Timestamps.FromMicros(time), example, values,
            [.. joined.OrderBy(r => Array.IndexOf([.. Projection.Aliases], r.Alias))]);
    }
}
