using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>A line. Points have x in 0 to 1.</summary>
/// <param name="Css">Class that gives its colour and dash: empty, is-s2, is-s3, is-ref.</param>
internal sealed record PlotSeries(string Css, IReadOnlyList<(double X, double Y)> Points, bool Dots = false);

/// <summary>The vertical axis; values beyond it are cut.</summary>
internal sealed record PlotAxis(double Min, double Max, IReadOnlyList<double> Ticks, string Format);

/// <summary>
/// A chart of few points. Horizontal geometry is in percent and vertical in pixels, so that it fills its column without script and its text
/// never scales; colours are classes, so dark mode and forced colours need nothing here.
/// </summary>
/// <param name="Label">What the chart shows, as a sentence: all that a screen reader gets.</param>
internal sealed record Plot(string Label, int Height, PlotAxis Axis)
{
    private const int Top = 8;
    private const int Bottom = 20;

    /// <summary>Texts below the axis at x in 0 to 1.</summary>
    public IReadOnlyList<(double At, string Text)> Marks { get; init; } = [];

    public IReadOnlyList<PlotSeries> Series { get; init; } = [];

    /// <summary>Texts for the pointer, each at its x.</summary>
    public IReadOnlyList<(double At, string Text)> Tips { get; init; } = [];

    /// <summary>Horizontal lines with a name.</summary>
    public IReadOnlyList<(double Y, string Text)> References { get; init; } = [];

    private int Inner => Height - Top - Bottom;

    public Markup Render()
    {
        string[] texts = [.. Axis.Ticks.Select(tick => Format.Number(tick, Axis.Format))];
        var width = texts.Length == 0 ? 0 : texts.Max(text => text.Length) * 7 + 8;
        var scale = Axis.Ticks.Select((tick, i) => Markup.Of($"<text class=\"is-end\" x=\"{width - 8}\" y=\"{Y(tick) + 4}\">{texts[i]}</text>"));
        var grid = Axis.Ticks.Select(tick => Markup.Of($"<line class=\"{(tick <= Axis.Min ? "aw-ax" : "aw-g")}\" x1=\"0\" x2=\"100%\" y1=\"{Y(tick)}\" y2=\"{Y(tick)}\"/>"));
        var marks = Marks.Select(mark => Markup.Of($"<text class=\"{(mark.At > 0.97 ? "is-end" : mark.At < 0.03 ? "" : "is-mid")}\" x=\"{mark.At * 100}%\" y=\"{Height - 4}\">{mark.Text}</text>"));
        var lines = References.Select(reference => Markup.Of($"<path class=\"aw-l is-ref\" d=\"M0 {Y(reference.Y)}H1000\"/>")).Concat(Series.Where(series => series.Points.Count > 1).Select(Line));
        var names = References.Select(reference => Markup.Of($"<text class=\"is-end\" x=\"100%\" y=\"{Y(reference.Y) - 4}\">{reference.Text}</text>"));
        var dots = Series.Where(series => series.Dots || series.Points.Count == 1)
            .SelectMany(series => series.Points.Select(point => Markup.Of($"<circle class=\"aw-d {series.Css}\" cx=\"{point.X * 100}%\" cy=\"{Y(point.Y)}\" r=\"3\"/>")));
        return Markup.Of(
            $"""
            <figure class="aw-plot" role="img" aria-label="{Label}"><svg width="{width}" height="{Height}">{scale}</svg><svg width="100%" height="{Height}">{grid}{marks}<svg y="0" width="100%" height="{Height}" viewBox="0 0 1000 {Height}" preserveAspectRatio="none">{lines}</svg>{dots}{names}{Tips.Select(Hit)}</svg></figure>
            """);
    }

    private double Y(double value) => Top + (1 - (Math.Clamp(value, Axis.Min, Axis.Max) - Axis.Min) / (Axis.Max - Axis.Min)) * Inner;

    private Markup Line(PlotSeries series) =>
        Markup.Of($"<path class=\"aw-l {series.Css}\" d=\"M{Markup.Join("L", series.Points.Select(point => Markup.Of($"{point.X * 1000} {Y(point.Y)}")))}\"/>");

    private Markup Hit((double At, string Text) tip)
    {
        var width = 1d / Tips.Count;
        return Markup.Of(
            $"<g class=\"aw-pt\" data-tip=\"{tip.Text}\"><rect class=\"aw-hit\" x=\"{Math.Max(0, tip.At - width / 2) * 100}%\" width=\"{width * 100}%\" height=\"{Height - Bottom}\"/><line x1=\"{tip.At * 100}%\" x2=\"{tip.At * 100}%\" y1=\"{Top}\" y2=\"{Top + Inner}\"/></g>");
    }
}
