using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>How far each feature of what a version is asked about lies from its training data: the furthest first, the newest day beside its course.</summary>
internal static class DriftTable
{
    private const int Days = 30;
    private const int MostFeatures = 15;

    /// <summary>From here on a feature is worth a look, and from twice of it on something has changed; the usual bounds of a PSI.</summary>
    private const double Moved = 0.1;
    private const double Changed = 0.25;

    public static Markup Render(IReadOnlyList<DashboardDrift> drift)
    {
        if (drift.Count == 0)
            return Empty(Markup.Raw("Nothing is recorded in <code>prediction_log.drift</code> for this version."));
        var features = drift.GroupBy(day => day.Feature).Select(feature => (Name: feature.Key, Days: feature.OrderBy(day => day.Day.Value).TakeLast(Days).ToArray()))
            .OrderByDescending(feature => feature.Days[^1].Psi).ToArray();
        var table = Table.Of("Drift", "aw-tight", [Table.Heading("Feature"), Table.Heading("State"), Table.NumberHeading("PSI"), Table.Heading("Course"), Table.NumberHeading("Day")], features.Take(MostFeatures).Select(feature =>
        {
            var newest = feature.Days[^1];
            return Table.Row(Markup.Text(Format.Shorten(feature.Name, 60)), Table.Cell(Look(newest.Psi)), Table.Number(Format.Number(newest.Psi, "0.000")),
                Table.Cell(Spark.Render([.. feature.Days.Select(day => day.Psi)], Moved, $"PSI of {feature.Name} over {Format.Count(feature.Days.Length, "day")}, {Format.Number(feature.Days.Min(d => d.Psi), "0.000")} to {Format.Number(feature.Days.Max(d => d.Psi), "0.000")}")),
                Table.Number(Timestamps.Display(newest.Day.Value)));
        }));
        return features.Length <= MostFeatures ? table : table + Body(Muted($"{Format.Count(features.Length - MostFeatures, "feature")} that lie nearer are left out"));
    }

    private static Markup Look(double psi) => psi >= Changed ? Status.Badge(Status.Bad, "changed") : psi >= Moved ? Status.Badge(Status.Warn, "moved") : Status.Badge(Status.Ok, "as in training");
}
