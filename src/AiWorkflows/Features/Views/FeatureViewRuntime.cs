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

    private static readonly long Earliest = Timestamps.ToMicros(DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc));

    private readonly Lazy<RowLookup<TSpine>> _spineLookup = new(() => new RowLookup<TSpine>(null));
    private readonly Lazy<InstanceReader<TSpine>> _instances = new(() => new InstanceReader<TSpine>());

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

    public override async Task<IReadOnlyList<LabelledKey>> LabelsOfAsync(FeatureReadSession session, IReadOnlyList<(string Row, DateTime Time)> rows, CancellationToken ct)
    {
        if (Label is null || rows.Count == 0)
            return [];
        var window = Label.ScanWindow(new(rows[0].Time, rows[^1].Time.AddMicroseconds(1)), knownBefore: null);
        using var labels = Label.Open(session.Store, await session.OpenAsync(Label.Schema, window, ct), window, session.Progress, ct);
        return await Task.Factory.StartNew(() => Labels(labels, rows), ct, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>One pass in order of time, as in the join.</summary>
    private LabelledKey[] Labels(LabelSource<TSpine> labels, IReadOnlyList<(string Row, DateTime Time)> rows)
    {
        var codec = RowCodec<TSpine>.Instance;
        var waiting = new (TSpine Row, DateTime Time, LabelTicket Ticket)[rows.Count];
        for (var i = 0; i < waiting.Length; i++)
        {
            var (row, time) = (codec.FromJson(rows[i].Row), rows[i].Time);
            labels.Advance(Timestamps.ToMicros(time));
            waiting[i] = (row, time, labels.Wait(row, Timestamps.ToMicros(time)));
        }
        labels.Advance(Timestamps.ToMicros(rows[^1].Time + Label!.Within));
        return [.. waiting.Where(w => w.Ticket.Value.IsKnown).Select(w => new LabelledKey(
            codec.KeyJson(w.Row), w.Time, true, w.Ticket.Value.Number, w.Ticket.Value.Text, Timestamps.FromMicros(w.Ticket.KnownAt)))];
    }

    public override async ValueTask<OnlineExample[]?> ExamplesAsync(OnlineLookup lookup, JsonElement instances, string path, DateTime now, CancellationToken ct)
    {
        var clock = Timestamps.ToMicros(now);
        var asked = new Asked[instances.GetArrayLength()];
        var item = 0;
        foreach (var instance in instances.EnumerateArray())
        {
            var given = _instances.Value.Read(instance, path, item, now);
            asked[item++] = new(given, given.Row is null ? Row(lookup, given.Keys, given.EventTime) : null);
        }
        if (!await lookup.FindAsync(ct))
            return null;
        foreach (var one in asked)
            one.Join(Groups, lookup, clock, Projection.Aliases.Count);
        if (!await lookup.FindAsync(ct))
            return null;
        var examples = new OnlineExample[asked.Length];
        for (var i = 0; i < examples.Length; i++)
            examples[i] = asked[i].Spine is { } spine ? Known(spine, asked[i]) : Unknown(asked[i], InstanceReader<TSpine>.At(path, i));
        return examples;
    }

    /// <summary>The spine row of an entity, the latest or the latest up to a time.</summary>
    private IFoundRow Row(OnlineLookup lookup, object[] keys, long? time) => lookup.AddKnown(
        _spineLookup, new InstanceKey(keys), static key => key.Values, _spineLookup.Value, Earliest, time is { } until ? KnownWhen.Always with { Time = until } : KnownWhen.Always);

    private OnlineExample Known(TSpine spine, Asked asked)
    {
        var rows = new object?[asked.Rows.Length];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = asked.Rows[i]?.Row;
        var codec = RowCodec<TSpine>.Instance;
        return new(Projection.Build(spine, rows), codec.KeyJson(spine), Timestamps.FromMicros(asked.Time), codec.Json(spine), Missing(rows));
    }

    private string[] Missing(object?[] rows) => Array.Exists(rows, r => r is null) ? [.. Projection.Aliases.Where((_, i) => rows[i] is null)] : [];

    /// <summary>An entity that nothing is known about: every feature is missing, where features can be.</summary>
    private OnlineExample Unknown(Asked asked, string path)
    {
        var keys = asked.Given.Keys;
        var json = JsonCells.WriteKeys(Spine, sink => PutKeys(sink, keys));
        if (WhenUnknown == UnknownEntity.Refuse)
            throw new InstanceException(path, $"{Spine.Name} has no row {json}, and view {Name} refuses entities that it does not know; give all columns of the row.");
        if (Projection.AllMissing() is not { } example)
            throw new InstanceException(path, $"{Spine.Name} has no row {json}, and {Projection.NeverMissing} of {typeof(TExample).Name} cannot be missing; give all columns of the row.");
        return new(example, json, Timestamps.FromMicros(asked.Time), JsonCells.Write(Spine.Columns, sink => PutKeys(sink, keys)), [OnlineExample.Spine, .. Projection.Aliases]);
    }

    private static void PutKeys(ICellSink sink, object[] keys)
    {
        for (var i = 0; i < keys.Length; i++)
            switch (keys[i])
            {
                case long integer: sink.Integer(i + 1, integer); break;
                case string text: sink.Text(i + 1, text); break;
                case byte[] blob: sink.Blob(i + 1, blob); break;
            }
    }

    public override async Task<ExampleExplanation?> ExplainAsync(FeatureReadSession session, string entityKey, DateTime eventTime, CancellationToken ct)
    {
        var keys = ParseKeys(entityKey);
        var time = Timestamps.ToMicros(eventTime);
        var window = new Window(Timestamps.FromMicros(time), Timestamps.FromMicros(time + 1));
        return await SeekSpineAsync(session, keys, window, ct) is { } row ? await ExplainAsync(session, row.Row, time, ct) : null;
    }

    public override Task<ExampleExplanation> ExplainRowAsync(FeatureReadSession session, string row, DateTime eventTime, CancellationToken ct) =>
        ExplainAsync(session, RowCodec<TSpine>.Instance.FromJson(row), Timestamps.ToMicros(eventTime), ct);

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
            : await Task.Run(() => RowSeek<TSpine>.Latest(session.Store, new VisibleCommits(commits), null, keys, window, KnownWhen.Always), ct);
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

    /// <summary>An instance on its way to an example.</summary>
    /// <param name="Lookup">What finds its spine row; null where the row was given.</param>
    private sealed record Asked(Instance<TSpine> Given, IFoundRow? Lookup)
    {
        /// <summary>The row that was given or found.</summary>
        public TSpine? Spine { get; private set; }

        /// <summary>The moment of which the features are known, in microseconds.</summary>
        public long Time { get; private set; }

        public IFoundRow?[] Rows { get; private set; } = [];

        public void Join(IReadOnlyList<GroupJoins<TSpine>> groups, OnlineLookup lookup, long clock, int joins)
        {
            Spine = Lookup is null ? Given.Row : (TSpine?)Lookup.Row;
            Time = Math.Min((Lookup is { Row: not null } found ? found.Time : Given.EventTime) ?? clock, clock);
            if (Spine is null)
                return;
            Rows = new IFoundRow?[joins];
            foreach (var group in groups)
                group.Find(lookup, Spine, Time, Rows);
        }
    }
}
