using System.Globalization;
using System.Text.Json;
using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>One feature group: its columns with their distribution, its commits with the runs that made them, what was kept out, who reads it.</summary>
internal sealed class FeatureGroupPage : DashboardPage
{
    public override string Section => "features";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var name = Uri.UnescapeDataString(request.Uri.Groups["name"].Value);
        return await request.Reader.FeatureGroupAsync(name).ConfigureAwait(false) is { } model
            ? Render(model, request.Context) : throw new NoSuchPageException($"There is no feature group '{name}' in the store.");
    }

    internal static PageContent Render(FeatureGroupModel model, PageContext context)
    {
        var group = model.Group;
        return new()
        {
            Title = group.FeatureGroup,
            Section = "features",
            Crumb = Link(context.Url("/features"), "Feature groups"),
            Heading = Markup.Of($"{group.FeatureGroup} <span class=\"aw-muted\">v{group.Version}</span>{Markup.When(group.Deprecated, Tag("deprecated", "warn"))}"),
            Subtitle = Markup.Text(group.Description ?? $"Written by {group.WrittenBy ?? "something outside these workflows"}."),
            Body = Markup.Of(
                $"""
                {Part("facts", FactsOf(group, context))}{Components.Panel("Columns", Columns(model), Markup.Text(model.Statistics is { } s ? $"statistics of commit {s.CommitId.ToString(CultureInfo.InvariantCulture)}, {Format.Count(s.Rows, "row")}" : "statistics come with the first commit"), part: "columns")}<div class="aw-grid"><div class="aw-c8">{Components.Panel("Commits", Commits(model, context), Markup.Raw("newest first"), part: "commits")}</div><div class="aw-c4">{Components.Panel("Quarantine", Quarantine(model), part: "quarantine")}{Components.Panel("Read by", UsedBy(model), part: "readers")}</div></div>
                """),
            LiveUrl = context.Url("/features/" + Uri.EscapeDataString(group.FeatureGroup) + "/parts"),
        };
    }

    private static Markup FactsOf(GroupRow group, PageContext context) => Facts(
        Fact("Rows now", Markup.Text(Format.Number(group.Rows)), Markup.Text(Format.Count(group.Commits, "commit"))),
        Fact("Complete up to", Markup.Text(group.Watermark is { } mark ? Timestamps.Display(mark.Value) : "–"), Markup.Raw("the end of what was computed without a gap")),
        Fact("Newest row", Markup.Text(group.LastEventTime is { } last ? Timestamps.Display(last.Value) : "–"), Markup.Raw("event time, UTC")),
        Fact("Published", group.LastPublishedAt is { } at ? context.Time(at.Value) : Markup.Raw("never")),
        Fact("Quarantined", Markup.Text(Format.Number(group.RowsQuarantined)), Markup.Raw("rows that an expectation kept out")));

    private static Markup Columns(FeatureGroupModel model)
    {
        var statistics = StatisticsByColumn(model.Statistics);
        var rows = model.Group.Columns.Parse() is { ValueKind: JsonValueKind.Array } columns ? columns.EnumerateArray().Select(column => Column(column, statistics)) : [];
        return Table.Of("Columns", "", [Table.Heading("Column"), Table.Heading("Type"), Table.NumberHeading("Missing"), Table.NumberHeading("Least"), Table.NumberHeading("Mean"), Table.NumberHeading("Greatest"), Table.Heading("Distribution")], rows);
    }

    private static Markup Column(JsonElement column, Dictionary<string, JsonElement> statistics)
    {
        var name = Text(column, "name");
        var role = Text(column, "role");
        statistics.TryGetValue(name, out var s);
        var count = Value(s, "count") ?? 0;
        var nulls = Value(s, "nulls") ?? 0;
        var missing = s.ValueKind != JsonValueKind.Object ? "" : Format.Number(nulls * 100 / Math.Max(1, count + nulls), "0.##") + "%";
        var least = Value(s, "min") is { } min ? Format.Number(min, "0.###") : Short(Text(s, "from"));
        var greatest = Value(s, "max") is { } max ? Format.Number(max, "0.###") : Short(Text(s, "to"));
        var about = Text(column, "description") is { Length: > 0 } description ? Note(Markup.Text(description)) : Markup.Empty;
        return Table.Row(Mono(name) + Markup.When(role is "key" or "event_time", Markup.Of($" {Tag(role.Replace('_', ' '))}")) + about, Table.Cell(Text(column, "type")), Table.Number(missing), Table.Number(least),
            Table.Number(Value(s, "mean") is { } mean ? Format.Number(mean, "0.###") : ""), Table.Number(greatest), Table.Cell(Distribution(name, s)));
    }

    private static Markup Distribution(string name, JsonElement s)
    {
        if (s.ValueKind != JsonValueKind.Object)
            return Markup.Empty;
        if (s.TryGetProperty("histogram", out var histogram) && histogram.TryGetProperty("counts", out var counts))
            return MiniHistogram.Render([.. counts.EnumerateArray().Select(count => count.GetDouble())], $"{name}: distribution over {counts.GetArrayLength()} bins");
        return s.TryGetProperty("top", out var top) && top.ValueKind == JsonValueKind.Array
            ? Markup.Of($"<span class=\"aw-muted aw-small\">{Format.Count((long)(Value(s, "distinct") ?? 0), "value")}: {Format.Shorten(string.Join(", ", top.EnumerateArray().Take(5).Select(t => Text(t, "value"))), 60)}</span>") : Markup.Empty;
    }

    private static Dictionary<string, JsonElement> StatisticsByColumn(CommitStatistics? statistics) =>
        statistics?.Statistics?.Parse() is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("columns", out var columns) && columns.ValueKind == JsonValueKind.Array
            ? columns.EnumerateArray().GroupBy(column => Text(column, "name")).ToDictionary(column => column.Key, column => column.First()) : [];

    private static Markup Commits(FeatureGroupModel model, PageContext context) => model.Commits.Count == 0 ? Empty(Markup.Raw("Nothing has been published yet."))
        : Table.Of("Commits", "aw-tight", [Table.Heading("Commit"), Table.Heading("Window, UTC"), Table.Heading("Kind"), Table.NumberHeading("Stored"), Table.NumberHeading("Removed"), Table.NumberHeading("Computed"), Table.NumberHeading("Seq"), Table.NumberHeading("Run"), Table.NumberHeading("Published")],
            model.Commits.Select(commit => Table.Row(Mono(Format.Number(commit.CommitId)), Table.Cell(Markup.Text(Format.Window(commit.WindowFrom.Value, commit.WindowTo.Value)), "aw-nowrap"), Table.Cell(commit.Kind),
                Table.Number(commit.Rows), Table.Number(commit.Tombstones), Table.Number(commit.RowsComputed), Table.Number(commit.PublishedSeq),
                Table.Number(commit.RunId is { } run ? Link(context.Run(run), run.ToString(CultureInfo.InvariantCulture)) : Markup.Empty), Table.Number(context.Time(commit.PublishedAt.Value)))));

    private static Markup Quarantine(FeatureGroupModel model) => model.Quarantine.Count == 0 ? Empty(Markup.Raw("No row was kept out."))
        : Markup.Of($"<ul class=\"aw-list\">{model.Quarantine.Select(rule => Markup.Of($"<li><svg class=\"aw-i aw-t-warn\" aria-hidden=\"true\"><use href=\"#aw-warn\"/></svg><div><b>{rule.Rule}</b><br><span class=\"aw-muted aw-small\">{rule.Example}</span></div><span class=\"aw-num aw-small\">{Format.Count(rule.Rows, "row")}{(rule.Replayed > 0 ? $", {Format.Number(rule.Replayed)} replayed" : "")}</span></li>"))}</ul>");

    private static Markup UsedBy(FeatureGroupModel model) => model.UsedBy.Count == 0 ? Empty(Markup.Raw("No view reads it."))
        : Table.Of("Features made from this group", "aw-tight", [Table.Heading("Feature"), Table.Heading("Made from")],
            model.UsedBy.GroupBy(edge => (edge.View, edge.Feature)).Select(feature => Table.Row(Markup.Of($"{feature.Key.Feature}{Note(Markup.Of($"view {feature.Key.View}"))}"),
                Table.Cell(string.Join(", ", feature.Select(edge => $"{edge.JoinAlias}.{edge.GroupColumn}").Distinct())))));

    private static string Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.String ? value.GetString()! : value.ToString() : "";

    private static double? Value(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static string Short(string time) => time.Replace("T00:00:00Z", "", StringComparison.Ordinal).Replace('T', ' ').TrimEnd('Z');
}
