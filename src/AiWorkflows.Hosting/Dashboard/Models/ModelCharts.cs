using System.Text.Json;
using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>The charts of a version, drawn from what its training stored.</summary>
internal static class ModelCharts
{
    private const int MostFeatures = 12;
    private static readonly PlotAxis Unit = new(0, 1, [0, 0.25, 0.5, 0.75, 1], "0.00");
    private static readonly (double, string)[] UnitMarks = [(0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1, "1")];

    /// <param name="other">Another version, drawn beside it.</param>
    public static Markup Roc(VersionDetail version, VersionDetail? other = null)
    {
        var roc = Numbers(version.Metrics.Parse(), "roc");
        if (roc.Count < 2)
            return Empty(Markup.Raw("This task has no ROC curve."));
        var (name, baseline) = StrongestBaseline(version);
        var second = other is null ? [] : Numbers(other.Metrics.Parse(), "roc");
        return Body(new Plot($"ROC on the holdout: AUC {Format.Number(version.PrimaryValue, "0.000")}{(other is null ? "" : $", v{other.Version} {Format.Number(other.PrimaryValue, "0.000")}")}, best baseline {Format.Number(version.BaselineValue, "0.000")}.", 240, Unit)
        {
            Marks = UnitMarks,
            Series = [new("is-ref", [(0, 0), (1, 1)]), new("is-s3", Curve(baseline)), new("is-s2", Curve(second)), new("", Curve(roc))],
            Tips = [.. Curve(roc).Where((_, i) => i % 3 == 0).Select((point, i) => (point.X, $"false positives {Format.Percent(point.X)}: finds {Format.Percent(point.Y)}"
                + (second.Count == roc.Count ? $", v{other!.Version} {Format.Percent(second[i * 3])}" : "") + (baseline.Count == roc.Count ? $", {name} {Format.Percent(baseline[i * 3])}" : "")))],
        }.Render() + Lines([("", $"v{version.Version}"), .. other is null ? Array.Empty<(string, string)>() : [("is-s2", $"v{other.Version}")], ("is-s3", name), ("is-ref", "by chance")]));
    }

    public static Markup Calibration(VersionDetail version)
    {
        if (!version.Metrics.Parse().TryGetProperty("calibration", out var bins) || bins.ValueKind != JsonValueKind.Array)
            return Empty(Markup.Raw("This task has no probabilities to compare with what happened."));
        var points = bins.EnumerateArray().Where(bin => bin.TryGetProperty("predicted", out _) && bin.TryGetProperty("observed", out _))
            .Select(bin => (X: bin.GetProperty("predicted").GetDouble(), Y: bin.GetProperty("observed").GetDouble(), Count: bin.GetProperty("count").GetInt64())).ToArray();
        return Body(new Plot("Calibration on the holdout: predicted against observed share, in bins of a tenth.", 240, Unit)
        {
            Marks = UnitMarks,
            Series = [new("is-ref", [(0, 0), (1, 1)]), new("", [.. points.Select(point => (point.X, point.Y))], Dots: true)],
            Tips = [.. points.Select(point => (point.X, $"predicted {Format.Percent(point.X)}, observed {Format.Percent(point.Y)}\n{Format.Count(point.Count, "example")}"))],
        }.Render() + Lines(("", "predicted probability against observed share"), ("is-ref", "perfect")));
    }

    /// <summary>The metric of the newest versions on their own holdout, over that of their strongest baseline.</summary>
    public static Markup Course(ModelModel model)
    {
        VersionRow[] versions = [.. model.Versions.Reverse()];
        var name = WorkflowRows.MetricName(model.Shown.PrimaryMetric);
        var (low, high) = (versions.Min(v => Math.Min(v.PrimaryValue, v.BaselineValue)), versions.Max(v => Math.Max(v.PrimaryValue, v.BaselineValue)));
        return Body(new Plot($"{name} of {Format.Count(versions.Length, "version")} on the holdout, from {Format.Number(versions[0].PrimaryValue, "0.000")} to {Format.Number(versions[^1].PrimaryValue, "0.000")}.", 220, LiveMetric.Round(low, high))
        {
            Marks = [.. versions.Select((v, i) => (At(i), $"v{v.Version}")).Where((_, i) => versions.Length <= 12 || i == 0 || i == versions.Length - 1)],
            Series = [new("is-s3", [.. versions.Select((v, i) => (At(i), v.BaselineValue))], Dots: true), new("", [.. versions.Select((v, i) => (At(i), v.PrimaryValue))], Dots: true)],
            Tips = [.. versions.Select((v, i) => (At(i), $"v{v.Version}: {name} {Format.Number(v.PrimaryValue, "0.000")} over {Format.Number(v.BaselineValue, "0.000")}\ncut-off {Timestamps.Display(v.CutOff.Value)}"))],
        }.Render() + Lines(("", name), ("is-s3", "its strongest baseline")));

        double At(int i) => (i + 0.5) / versions.Length;
    }

    public static Markup Live(ModelModel model) => model.Live.Count == 0 ? Empty(Markup.Raw("Appears when outcomes of predictions are known.")) : Body(LiveMetric.Render(
        model.Live, model.Shown.PrimaryMetric, model.Champion, [(model.Shown.PrimaryValue, "on the holdout"), (model.Shown.BaselineValue, "baseline")]));

    public static Markup Importance(VersionDetail version)
    {
        if (version.FeatureImportance is not { Text: { Length: > 0 } } text || text.Parse() is not { ValueKind: JsonValueKind.Object } json)
            return Empty(Markup.Raw("This trainer does not tell how much each feature contributes."));
        var all = json.EnumerateObject().Where(feature => feature.Value.ValueKind == JsonValueKind.Number).Select(feature => (feature.Name, Share: feature.Value.GetDouble())).OrderByDescending(f => f.Share).ToArray();
        if (all.Length == 0)
            return Empty(Markup.Raw("No feature was used."));
        return Table.Of("Features by importance", "aw-tight", [Table.Heading("Feature"), Table.HiddenHeading("as a bar"), Table.NumberHeading("Share")],
            all.Take(MostFeatures).Select(feature => Table.Row(Markup.Text(feature.Name), Table.Cell(Bar(feature.Share / all[0].Share, Status.Run, Format.Number(feature.Share * 100, "0.0") + "%")),
                Table.Number(Format.Number(feature.Share * 100, "0.0") + "%"))).Concat(all.Length > MostFeatures ? [Table.Row(Muted($"{all.Length - MostFeatures} more"), Table.Cell(Markup.Empty), Table.Number(Format.Number(all.Skip(MostFeatures).Sum(f => f.Share) * 100, "0.0") + "%"))] : []));
    }

    private static (string Name, IReadOnlyList<double> Roc) StrongestBaseline(VersionDetail version)
    {
        var all = version.BaselineMetrics.Parse();
        if (all.ValueKind != JsonValueKind.Object)
            return ("baseline", []);
        var best = all.EnumerateObject().Where(b => b.Value.TryGetProperty("auc", out var auc) && auc.ValueKind == JsonValueKind.Number).OrderByDescending(b => b.Value.GetProperty("auc").GetDouble()).FirstOrDefault();
        return best.Value.ValueKind == JsonValueKind.Undefined ? ("baseline", []) : (best.Name, Numbers(best.Value, "roc"));
    }

    internal static IReadOnlyList<double> Numbers(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray().Select(value => value.GetDouble())] : [];

    private static IReadOnlyList<(double X, double Y)> Curve(IReadOnlyList<double> roc) => [.. roc.Select((value, i) => (i / (double)Math.Max(1, roc.Count - 1), value))];
}
