using System.Globalization;
using System.Text.Json;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>Two versions of a model side by side: what differs comes first, what is equal is counted.</summary>
internal sealed class ComparePage : DashboardPage
{
    private static readonly string[] LessIsBetter = ["log_loss", "brier", "calibration_error", "mae", "rmse"];

    public override string Section => "models";

    public override async Task<PageContent> LoadAsync(PageRequest request) =>
        await request.Reader.CompareAsync(request.Name, request.Version("a"), request.Version("b")).ConfigureAwait(false) is { } model
            ? Render(model, request.Context) : throw new NoSuchPageException($"The registry has no such versions of '{request.Name}'.");

    internal static PageContent Render(ComparisonModel model, PageContext context)
    {
        var (a, b) = (model.A, model.B);
        var versions = model.Versions.Select(v => (Value: Text(v.Version), Text: $"v{v.Version}{(v.Aliases is { } aliases ? ", " + aliases : "")}")).ToArray();
        return new()
        {
            Title = $"{model.Model}: v{Text(a.Version)} and v{Text(b.Version)}",
            Section = "models",
            Crumb = Markup.Of($"{Link(context.Url("/models"), "Models")} / {Link(context.Model(model.Model), model.Model)}"),
            Heading = Markup.Of($"v{a.Version} and v{b.Version} of {model.Model}"),
            Subtitle = Markup.Of($"{Changed(a, b)}"),
            Sql = SuggestedQueries.VersionsOf(model.Model),
            Body = Markup.Of(
                $"""
                {Components.Panel("Versions", Body(Fields.Search(context.Model(model.Model) + "/compare", Fields.Select("a", "One", null, versions, Text(a.Version)), Fields.Select("b", "The other", null, versions, Text(b.Version)), Fields.Button("Compare"))))}<div class="aw-grid"><div class="aw-c6">{Components.Panel("Metrics", Metrics(a, b), Markup.Raw(a.HoldoutFrom == b.HoldoutFrom && a.HoldoutTo == b.HoldoutTo ? "on the same holdout" : "each on its own holdout, so small differences mean little"))}</div><div class="aw-c6">{Components.Panel("ROC on the holdout", ModelCharts.Roc(a, b))}</div><div class="aw-c6">{Components.Panel("Made from", Sides(a, b, Origins))}</div><div class="aw-c6">{Components.Panel("Importance", Importance(a, b))}</div></div>{Components.Panel("Parameters", Sides(a, b, Parameters))}
                """),
        };
    }

    private static string Changed(VersionDetail a, VersionDetail b)
    {
        var parameters = Differing(a, b, Parameters);
        var origins = Differing(a, b, Origins);
        return $"{(parameters == 0 ? "The same parameters" : $"{Format.Count(parameters, "parameter")} {(parameters == 1 ? "differs" : "differ")}")}, {(origins == 0 ? "made from the same." : $"made from {Format.Count(origins, "other thing")}.")}";
    }

    private static Markup Metrics(VersionDetail a, VersionDetail b)
    {
        var (left, right) = (Values(a), Values(b));
        return Table.Of("Metrics", "aw-tight", [Table.Heading("Metric"), Table.NumberHeading($"v{Text(a.Version)}"), Table.NumberHeading($"v{Text(b.Version)}"), Table.NumberHeading("Difference")],
            left.Keys.Union(right.Keys).OrderByDescending(name => name == a.PrimaryMetric).Select(name =>
            {
                var (x, y) = (left.GetValueOrDefault(name), right.GetValueOrDefault(name));
                var better = x is null || y is null || x == y || name is "rows" or "positive_rate" ? "" : y > x != LessIsBetter.Contains(name) ? "aw-t-ok" : "aw-t-bad";
                return Table.Row(Markup.Text(WorkflowRows.MetricName(name)), Table.Number(Shown(name, x)), Table.Number(Shown(name, y)),
                    Table.Number(x is null || y is null ? Markup.Empty : Markup.Of($"<span class=\"{better}\">{(name == "rows" ? Format.Number(y.Value - x.Value, "+#,0;−#,0;0") : Format.Number(y.Value - x.Value, "+0.0000;−0.0000;0"))}</span>")));
            }));
    }

    private static string Shown(string name, double? value) => value is not { } v ? "–" : name == "rows" ? Format.Number((long)v) : Format.Number(v, "0.0000");

    private static Dictionary<string, double?> Values(VersionDetail version) => version.Metrics.Parse() is { ValueKind: JsonValueKind.Object } json
        ? json.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Number).ToDictionary(p => p.Name, p => (double?)p.Value.GetDouble()) : [];

    private static Markup Importance(VersionDetail a, VersionDetail b)
    {
        var (left, right) = (Shares(a), Shares(b));
        if (left.Count + right.Count == 0)
            return Empty(Markup.Raw("These trainers do not tell how much each feature contributes."));
        return Table.Of("Importance", "aw-tight", [Table.Heading("Feature"), Table.NumberHeading($"v{Text(a.Version)}"), Table.NumberHeading($"v{Text(b.Version)}"), Table.NumberHeading("Difference")],
            left.Keys.Union(right.Keys).OrderByDescending(f => Math.Max(left.GetValueOrDefault(f), right.GetValueOrDefault(f))).Take(15).Select(feature => Table.Row(Markup.Text(feature), Table.Number(Percent(left, feature)), Table.Number(Percent(right, feature)),
                Table.Number(Format.Number((right.GetValueOrDefault(feature) - left.GetValueOrDefault(feature)) * 100, "+0.0;−0.0;0")))));
    }

    private static string Percent(Dictionary<string, double> shares, string feature) => shares.TryGetValue(feature, out var share) ? Format.Number(share * 100, "0.0") + "%" : "not used";

    private static Dictionary<string, double> Shares(VersionDetail version) => version.FeatureImportance is { Text: { Length: > 0 } } json && json.Parse() is { ValueKind: JsonValueKind.Object } shares
        ? shares.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.Number).ToDictionary(p => p.Name, p => p.Value.GetDouble()) : [];

    private static Markup Sides(VersionDetail a, VersionDetail b, Func<VersionDetail, Dictionary<string, string>> of)
    {
        var (left, right) = (of(a), of(b));
        string[] names = [.. left.Keys.Union(right.Keys)];
        if (names.Length == 0)
            return Empty(Markup.Raw("Nothing is recorded."));
        string[] same = [.. names.Where(name => left.GetValueOrDefault(name) == right.GetValueOrDefault(name))];
        Markup Rows(IEnumerable<string> of) => Table.Of("Side by side", "aw-tight", [Table.HiddenHeading("Name"), Table.Heading($"v{Text(a.Version)}"), Table.Heading($"v{Text(b.Version)}")], of.Select(name =>
            Table.Row(Markup.Text(name), Table.Cell(Value(left, name)), Table.Cell(Value(right, name)))));
        var differ = same.Length == names.Length ? Body(Muted("No difference.")) : Rows(names.Except(same));
        return same.Length == 0 ? differ : differ + Markup.Of($"<details class=\"aw-data aw-body\"><summary>{Format.Count(same.Length, "equal value")}</summary>{Rows(same)}</details>");
    }

    private static Markup Value(Dictionary<string, string> of, string name) => of.TryGetValue(name, out var value) ? Markup.Of($"<span class=\"aw-mono\" data-tip=\"{value}\">{Format.Shorten(value, 48)}</span>") : Muted("–");

    private static int Differing(VersionDetail a, VersionDetail b, Func<VersionDetail, Dictionary<string, string>> of)
    {
        var (left, right) = (of(a), of(b));
        return left.Keys.Union(right.Keys).Count(name => left.GetValueOrDefault(name) != right.GetValueOrDefault(name));
    }

    private static Dictionary<string, string> Origins(VersionDetail version) => new()
    {
        ["cut-off"] = Timestamps.Display(version.CutOff.Value),
        ["trained on"] = $"{Timestamps.Display(version.TrainingFrom.Value)} to {Timestamps.Display(version.TrainingTo.Value)}, {Format.Count(version.TrainingRows, "example")}",
        ["judged on"] = $"{Timestamps.Display(version.HoldoutFrom.Value)} to {Timestamps.Display(version.HoldoutTo.Value)}, {Format.Count(version.HoldoutRows, "example")}",
        ["dataset"] = $"{Text(version.DatasetId)}, content {version.DatasetContentHash}",
        ["read as of sequence"] = Text(version.DatasetAsOfSeq ?? 0),
        ["view"] = $"{version.View} v{Text(version.ViewVersion)}, {version.ViewFingerprint}",
        ["code"] = version.CodeVersion,
        ["run"] = version.RunId is { } run ? Text(run) : "none",
        ["content"] = version.ContentSha256,
    };

    private static Dictionary<string, string> Parameters(VersionDetail version)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal) { ["trainer"] = version.Trainer, ["refit"] = version.Refit ? "yes" : "no" };
        Flatten(version.Parameters.Parse(), "", found);
        return found;
    }

    private static void Flatten(JsonElement json, string path, Dictionary<string, string> into)
    {
        if (json.ValueKind == JsonValueKind.Object)
            foreach (var member in json.EnumerateObject())
                Flatten(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}", into);
        else
            into[path] = json.ToString();
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
