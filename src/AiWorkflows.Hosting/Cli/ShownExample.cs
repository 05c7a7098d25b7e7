using AiWorkflows.Features;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary>An example with where each value came from: what <c>features get</c> and <c>predictions explain</c> print.</summary>
internal sealed record ShownExample(
    string View, int ViewVersion, JsonText EntityKey, DateTime EventTime, long AsOfSeq, IReadOnlyList<ShownFeature> Features, IReadOnlyList<ShownRow> Rows)
{
    /// <summary>What lineage calls the row that the example is made for.</summary>
    public const string Spine = "spine";

    public static ShownExample Of(FeatureViewDefinition view, long asOfSeq, ExampleExplanation found)
    {
        var rows = found.Rows.ToDictionary(r => r.Alias);
        return new(view.Name, view.Version, new(found.EntityKey), found.EventTime, asOfSeq,
            [.. found.Values.Select(v => new ShownFeature(v.Feature, v.Value, [.. v.From.Select(e => ShownSource.Of(e, rows.GetValueOrDefault(e.Alias)))]))],
            [.. found.Rows.Select(r => new ShownRow(r.Alias, r.Group, r.GroupVersion, r.Exists, r.EventTime, r.Age?.TotalSeconds, r.CommitId, r.Columns))]);
    }

    public void Write(Output output)
    {
        output.Line($"{View} v{ViewVersion} of {EntityKey.Text} at {Timestamps.Display(EventTime)} UTC, as of sequence {AsOfSeq}");
        output.Heading("Features (age: how old the row was that the value comes from)");
        output.Table(Features,
            new("feature", f => f.Feature), new("value", f => Format.Value(f.Value), Right: true),
            new("made from", f => string.Join(", ", f.From.Select(s => $"{s.Alias}: {s.FeatureGroup}.{s.Column}").Distinct())),
            new("age", f => string.Join(", ", f.From.Select(s => s.AgeSeconds is { } age ? Format.Age(TimeSpan.FromSeconds(age)) : s.Alias == Spine ? "" : "no row").Where(a => a.Length > 0).Distinct()), Right: true),
            new("commit", f => string.Join(", ", f.From.Where(s => s.CommitId is not null).Select(s => $"{s.CommitId}").Distinct()), Right: true));
        output.Heading("Rows that were joined");
        output.Table(Rows,
            new("join", r => r.Alias), new("feature group", r => $"{r.FeatureGroup} v{r.Version}"), new("event time", r => r.EventTime is { } t ? Timestamps.Display(t) : "no row"),
            new("age", r => r.AgeSeconds is { } age ? Format.Age(TimeSpan.FromSeconds(age)) : "-", Right: true), new("commit", r => r.CommitId is { } c ? $"{c}" : "-", Right: true),
            new("values", r => string.Join(", ", r.Columns.Select(c => $"{c.Key}={Format.Value(c.Value)}"))));
    }
}

/// <summary>A feature as the model saw it.</summary>
internal sealed record ShownFeature(string Feature, object? Value, IReadOnlyList<ShownSource> From);

/// <summary>A column that a feature is made from, in the row that the join found.</summary>
internal sealed record ShownSource(string Alias, string FeatureGroup, int Version, string Column, object? Value, bool Exists, DateTime? EventTime, double? AgeSeconds, long? CommitId)
{
    public static ShownSource Of(LineageEdge edge, JoinedRow? row) => new(
        edge.Alias, edge.Group, edge.GroupVersion, edge.Column, row?.Columns.GetValueOrDefault(edge.Column), row?.Exists ?? edge.Alias == ShownExample.Spine, row?.EventTime, row?.Age?.TotalSeconds, row?.CommitId);
}

/// <summary>The row that a join found, or that there was none.</summary>
internal sealed record ShownRow(
    string Alias, string FeatureGroup, int Version, bool Exists, DateTime? EventTime, double? AgeSeconds, long? CommitId, IReadOnlyDictionary<string, object?> Columns);
