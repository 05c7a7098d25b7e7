using System.Globalization;
using System.Text.Json;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>Right and wrong decisions on the holdout when everything from a threshold on counts as positive, added up from the calibration bins; exact on their edges.</summary>
internal sealed record Confusion(double Threshold, long TruePositives, long FalsePositives, long FalseNegatives, long TrueNegatives)
{
    public const double Default = 0.5;

    public long All => TruePositives + FalsePositives + FalseNegatives + TrueNegatives;

    public double? Precision => Share(TruePositives, TruePositives + FalsePositives);

    public double? Recall => Share(TruePositives, TruePositives + FalseNegatives);

    /// <summary>Null for a task without probabilities.</summary>
    public static Confusion? Of(VersionDetail version, double threshold)
    {
        if (Bins(version) is not { Length: > 0 } bins)
            return null;
        var (tp, fp, fn, tn) = (0L, 0L, 0L, 0L);
        foreach (var (from, count, positives) in bins)
            if (from >= threshold - 1e-9)
                (tp, fp) = (tp + positives, fp + count - positives);
            else
                (fn, tn) = (fn + positives, tn + count - positives);
        return new(threshold, tp, fp, fn, tn);
    }

    /// <summary>Where a threshold can be put: between the bins.</summary>
    public static IReadOnlyList<double> Thresholds(VersionDetail version) => [.. (Bins(version) ?? []).Skip(1).Select(bin => bin.From)];

    public static Markup Render(VersionDetail version, double threshold, PageContext context)
    {
        if (Of(version, threshold) is not { All: > 0 } confusion)
            return Empty(Markup.Raw("This task has no probabilities to put a threshold to."));
        var form = Fields.Search(context.Url($"/models/{Uri.EscapeDataString(version.Model)}"), Fields.Hidden("version", version.Version.ToString(CultureInfo.InvariantCulture)),
            Fields.Select("threshold", "Positive from", null, Thresholds(version).Select(t => (Text(t), $"{Text(t)}: {Positives(Of(version, t)!)}")), Text(threshold)), Fields.Button("Show"));
        Markup[] rows =
        [
            Table.Row(Markup.Raw("predicted positive"), Cell(confusion.TruePositives, confusion, "aw-t-ok"), Cell(confusion.FalsePositives, confusion, "aw-t-bad"), Rate(confusion.Precision, "of them right")),
            Table.Row(Markup.Raw("predicted negative"), Cell(confusion.FalseNegatives, confusion, "aw-t-bad"), Cell(confusion.TrueNegatives, confusion, "aw-t-ok"), Rate(Share(confusion.TrueNegatives, confusion.TrueNegatives + confusion.FalseNegatives), "of them right")),
            Table.Row(Markup.Raw("found"), Rate(confusion.Recall, "of the positive"), Rate(Share(confusion.TrueNegatives, confusion.TrueNegatives + confusion.FalsePositives), "of the negative"), Rate(Share(confusion.TruePositives + confusion.TrueNegatives, confusion.All), "right in all")),
        ];
        return Body(form) + Table.Of($"Confusion on the holdout at {Text(threshold)}", "", [Table.HiddenHeading("Prediction"), Table.NumberHeading("Actually positive"), Table.NumberHeading("Actually negative"), Table.HiddenHeading("Share")], rows);
    }

    private static string Positives(Confusion at) => $"{Percent(Share(at.TruePositives + at.FalsePositives, at.All) ?? 0)} positive, {Percent(at.Precision ?? 0)} of them right";

    private static Markup Cell(long count, Confusion of, string css) => Table.Number(Markup.Of($"<b class=\"{css}\">{Format.Number(count)}</b> <span class=\"aw-muted\">{Percent(count / (double)of.All)}</span>"));

    private static Markup Rate(double? share, string of) => Table.Number(share is { } s ? Markup.Of($"<b>{Percent(s)}</b> <span class=\"aw-muted\">{of}</span>") : Muted("none"));

    private static double? Share(long part, long whole) => whole == 0 ? null : part / (double)whole;

    private static string Percent(double share) => Format.Number(share * 100, "0.0") + "%";

    private static string Text(double threshold) => Format.Number(threshold, "0.0#");

    private static (double From, long Count, long Positives)[]? Bins(VersionDetail version) =>
        version.Metrics.Parse() is { ValueKind: JsonValueKind.Object } metrics && metrics.TryGetProperty("calibration", out var bins) && bins.ValueKind == JsonValueKind.Array
            ? [.. bins.EnumerateArray().Select(bin => (bin.GetProperty("from").GetDouble(), bin.GetProperty("count").GetInt64(),
                bin.TryGetProperty("observed", out var observed) ? (long)Math.Round(observed.GetDouble() * bin.GetProperty("count").GetInt64()) : 0))] : null;
}
