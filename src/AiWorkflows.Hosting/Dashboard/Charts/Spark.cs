using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>A line of few values above its baseline, small enough for a table.</summary>
internal static class Spark
{
    private const int Width = 104;
    private const int Height = 30;
    private const double Margin = 0.004;

    /// <param name="values">Oldest first; not empty.</param>
    public static Markup Render(IReadOnlyList<double> values, double baseline, string label)
    {
        var low = Math.Min(values.Min(), baseline) - Margin;
        var high = Math.Max(values.Max(), baseline) + Margin;
        var points = values.Select((value, i) => (X: values.Count == 1 ? Width - 5 : 3 + i * (Width - 8d) / (values.Count - 1), Y: Y(value))).ToArray();
        var line = Markup.Join("L", points.Select(point => Markup.Of($"{point.X} {point.Y}")));
        return Markup.Of(
            $"<svg width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{label}\" data-tip=\"{label}\"><path class=\"aw-l is-ref\" d=\"M0 {Y(baseline)}H{Width}\"/><path class=\"aw-l is-thin\" d=\"M{line}\"/><circle class=\"aw-d\" cx=\"{points[^1].X}\" cy=\"{points[^1].Y}\" r=\"2.6\"/></svg>");

        double Y(double value) => Height - 3 - (value - low) / (high - low) * (Height - 6);
    }
}
