using System.Text.Json;
using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Predictions;

/// <summary>How scores are spread, added up from the twenty counts that every batch keeps; no prediction is read for it.</summary>
internal static class ScoreHistogram
{
    public static Markup Render(IReadOnlyList<DashboardBatch> batches, bool online)
    {
        if (online)
            return Empty(Markup.Raw("Counted for batches only: online answers are not added up."));
        var all = batches.Select(batch => batch.ScoreBins is { Text: { Length: > 0 } } bins ? Read(bins.Parse()) : null).OfType<Bins>().ToArray();
        // Bins of scores grow with their range; what has other edges cannot be added, so the most common range is shown.
        Bins[] same = [.. all.GroupBy(bins => (bins.From, bins.To)).MaxBy(range => range.Sum(bins => bins.Counts.Sum())) ?? Enumerable.Empty<Bins>()];
        if (same.Length == 0 || same.Sum(bins => bins.Counts.Sum()) is not (> 0 and var total))
            return Empty(Markup.Raw("Appears with the first batch of predictions."));
        var (from, to, count) = (same[0].From, same[0].To, same[0].Counts.Length);
        double[] shares = [.. Enumerable.Range(0, count).Select(i => same.Sum(bins => bins.Counts[i]) / (double)total)];
        var positive = Positive(batches);
        var width = (to - from) / count;
        var (format, isProbability) = (width < 1 ? "0.00" : "0.#", from == 0 && to == 1);
        var label = $"{(isProbability ? "Probabilities" : "Scores")} in {count} bins, most between {Format.Number(from + Array.IndexOf(shares, shares.Max()) * width, format)} and {Format.Number(from + (Array.IndexOf(shares, shares.Max()) + 1) * width, format)}.";
        var bars = new Bars(label, 210, Bars.From0(shares.Max(), "0%"), [.. shares.Select((share, i) => new BarItem(share, "",
            $"{Format.Number(from + i * width, format)} to {Format.Number(from + (i + 1) * width, format)}\n{Format.Count(same.Sum(bins => bins.Counts[i]), "prediction")} ({Format.Number(share * 100, "0.0")}%)"))])
        {
            Marks = [.. Enumerable.Range(0, 6).Select(i => (i / 5d, Format.Number(from + (to - from) * i / 5, width < 1 ? "0.##" : "0.#")))],
        };
        var notes = new[]
        {
            positive is { } p ? $"{Format.Number(p * 100, "0.0")}% were predicted positive." : null,
            same.Length < all.Length ? $"{Format.Count(all.Length - same.Length, "batch", "batches")} with another range of scores left out." : null,
        }.OfType<string>();
        return Body(bars.Render() + Markup.Of($"<p class=\"aw-small aw-muted\">{string.Join(' ', notes)}</p>"));
    }

    private static double? Positive(IReadOnlyList<DashboardBatch> batches)
    {
        var known = batches.Where(batch => batch.PositiveShare is not null).ToArray();
        return known.Sum(batch => batch.Rows) is > 0 and var rows ? known.Sum(batch => batch.PositiveShare!.Value * batch.Rows) / rows : null;
    }

    private static Bins? Read(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty("counts", out var counts) && counts.GetArrayLength() > 0
            ? new(json.GetProperty("from").GetDouble(), json.GetProperty("to").GetDouble(), [.. counts.EnumerateArray().Select(c => c.GetInt64())]) : null;

    private sealed record Bins(double From, double To, long[] Counts);
}
