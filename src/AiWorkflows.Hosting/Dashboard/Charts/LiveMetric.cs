using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>
/// The live metric per day of event time, a line a version, and below it the share of outcomes that are known. A day of which less than 95% is known
/// is drawn dashed: it is provisional.
/// </summary>
internal static class LiveMetric
{
    private const double Whole = 0.95;
    private const int MostVersions = 3;

    /// <param name="all">Oldest day first; of a day, several versions may have a value.</param>
    /// <param name="champion">The version that is drawn solid.</param>
    public static Markup Render(IReadOnlyList<DashboardDailyMetric> all, string metric, int? champion, IReadOnlyList<(double Y, string Text)> references)
    {
        var days = all.Where(day => day.MetricValue is not null).ToArray();
        if (days.Length == 0)
            return Components.Empty(Markup.Raw("Appears when outcomes of predictions are known."));
        var name = WorkflowRows.MetricName(metric);
        var (first, last) = (days.Min(day => day.Day.Value), days.Max(day => day.Day.Value));
        var count = (int)Math.Round((last - first).TotalDays) + 1;
        var (low, high) = (days.Min(day => day.MetricValue!.Value), days.Max(day => day.MetricValue!.Value));
        var axis = Round(Math.Min(low, references.Count > 0 ? references.Min(r => r.Y) : low), Math.Max(high, references.Count > 0 ? references.Max(r => r.Y) : high));
        var versions = days.GroupBy(day => day.Version).OrderByDescending(group => group.Key == champion).ThenByDescending(group => group.Key).Take(MostVersions).ToArray();
        var plot = new Plot($"Live {name} from {Format.Number(low, "0.000")} to {Format.Number(high, "0.000")} over {Format.Count(count, "day")}.", 170, axis)
        {
            References = references,
            Series = [.. versions.SelectMany((version, i) => Lines([.. version], i))],
            Tips = [.. days.GroupBy(day => day.Day.Value).Select(day => (At(day.Key), Tip(day.Key, [.. day], name)))],
        };
        var coverage = days.GroupBy(day => day.Day.Value).ToDictionary(day => day.Key, day => (Known: day.Sum(d => d.Outcomes), All: Math.Max(1, day.Sum(d => d.Predictions))));
        var bars = new Bars("Share of the predictions whose outcome is known, by day.", 66, new(0, 1, [0, 1], "0%"), [.. Enumerable.Range(0, count).Select(i => first.AddDays(i)).Select(day =>
            coverage.TryGetValue(day, out var c)
                ? new BarItem(c.Known / (double)c.All, c.Known >= Whole * c.All ? "is-idle" : "is-soft", $"{Timestamps.Display(day)}\n{Format.Percent(c.Known / (double)c.All)} of {Format.Count(c.All, "prediction")} with outcome")
                : new BarItem(0, "", $"{Timestamps.Display(day)}\nnothing is known"))])
        {
            Marks = count == 1 ? [(0.5, Timestamps.Display(first))] : [(0, Timestamps.Display(first)), (0.5, Timestamps.Display(first.AddDays(count / 2))), (1, Timestamps.Display(last))],
        };
        var legend = versions.Length < 2 ? Markup.Empty : Components.Lines([.. versions.Select((version, i) => (Css(i), $"v{version.Key}{(version.Key == champion ? " champion" : "")}"))]);
        return plot.Render() + bars.Render() + legend;

        // In the middle of a day's column.
        double At(DateTime day) => ((day - first).TotalDays + 0.5) / count;

        IEnumerable<PlotSeries> Lines(DashboardDailyMetric[] of, int i)
        {
            var points = of.Select(day => (At(day.Day.Value), day.MetricValue!.Value)).ToArray();
            var whole = of.TakeWhile(day => day.Outcomes >= Whole * day.Predictions).Count();
            if (whole > 0)
                yield return new(Css(i), points[..whole], Dots: whole <= 60);
            if (whole < points.Length)
                yield return new(Css(i) + " is-s1est", points[Math.Max(0, whole - 1)..], Dots: true);
        }
    }

    private static string Css(int version) => version switch { 0 => "", 1 => "is-s2", _ => "is-s3" };

    private static string Tip(DateTime day, DashboardDailyMetric[] of, string name) =>
        Timestamps.Display(day) + string.Concat(of.Select(d => $"\nv{d.Version}: {name} {Format.Number(d.MetricValue!.Value, "0.000")}, {Format.Count(d.Predictions, "prediction")}, {Format.Percent(d.Outcomes / (double)Math.Max(1, d.Predictions))} with outcome"));

    /// <summary>An axis in round steps that holds both values.</summary>
    internal static PlotAxis Round(double low, double high)
    {
        var step = new[] { 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 50, 100, 1000 }.FirstOrDefault(s => (high - low) / s <= 4, (high - low) / 4);
        var (min, max) = (Math.Floor(low / step) * step, Math.Ceiling(high / step) * step);
        if (max <= min)
            max = min + step;
        return new(min, max, [.. Enumerable.Range(0, (int)Math.Round((max - min) / step) + 1).Select(i => min + i * step)], step < 0.1 ? "0.00" : "0.##");
    }
}
