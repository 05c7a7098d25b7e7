using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>A column.</summary>
/// <param name="Css">Class that gives its colour: empty, is-warn, is-idle, is-soft, is-s2.</param>
internal sealed record BarItem(double Value, string Css, string Tip);

/// <summary>Columns beside each other, each as wide as the next; geometry as in <see cref="Plot"/>.</summary>
/// <param name="Label">What the chart shows, as a sentence: all that a screen reader gets.</param>
internal sealed record Bars(string Label, int Height, PlotAxis Axis, IReadOnlyList<BarItem> Items)
{
    private const int Top = 8;
    private const int Bottom = 20;

    /// <summary>Texts below the axis at x in 0 to 1.</summary>
    public IReadOnlyList<(double At, string Text)> Marks { get; init; } = [];

    /// <summary>A vertical line with words, at x in 0 to 1.</summary>
    public (double At, string Text)? Line { get; init; }

    public Markup Render()
    {
        string[] texts = [.. Axis.Ticks.Select(tick => Format.Number(tick, Axis.Format))];
        var width = texts.Max(text => text.Length) * 7 + 8;
        var (slot, gap) = (100d / Math.Max(1, Items.Count), Items.Count > 40 ? 0.1 : 0.18);
        var scale = Axis.Ticks.Select((tick, i) => Markup.Of($"<text class=\"is-end\" x=\"{width - 8}\" y=\"{Y(tick) + 4}\">{texts[i]}</text>"));
        var grid = Axis.Ticks.Select(tick => Markup.Of($"<line class=\"{(tick <= Axis.Min ? "aw-ax" : "aw-g")}\" x1=\"0\" x2=\"100%\" y1=\"{Y(tick)}\" y2=\"{Y(tick)}\"/>"));
        var columns = Items.Select((item, i) => Markup.Of(
            $"<rect class=\"aw-f aw-b {item.Css}\" x=\"{(i + gap / 2) * slot}%\" width=\"{slot * (1 - gap)}%\" y=\"{Y(item.Value)}\" height=\"{Math.Max(0, Y(Axis.Min) - Y(item.Value))}\" data-tip=\"{item.Tip}\"/>"));
        var marks = Marks.Select(mark => Markup.Of($"<text class=\"{(mark.At > 0.97 ? "is-end" : mark.At < 0.03 ? "" : "is-mid")}\" x=\"{mark.At * 100}%\" y=\"{Height - 4}\">{mark.Text}</text>"));
        var line = Line is { } at ? Markup.Of(
            $"<line class=\"aw-mark\" x1=\"{at.At * 100}%\" x2=\"{at.At * 100}%\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/><text class=\"aw-lab{(at.At > 0.6 ? " is-end" : "")}\" x=\"{at.At * 100}%\" dx=\"{(at.At > 0.6 ? -5 : 5)}\" y=\"17\">{at.Text}</text>") : Markup.Empty;
        return Markup.Of(
            $"<figure class=\"aw-plot\" role=\"img\" aria-label=\"{Label}\"><svg width=\"{width}\" height=\"{Height}\">{scale}</svg><svg width=\"100%\" height=\"{Height}\">{grid}{columns}{marks}{line}</svg></figure>");
    }

    /// <summary>An axis from zero with three or four round ticks.</summary>
    public static PlotAxis From0(double most, string format)
    {
        var step = Math.Pow(10, Math.Floor(Math.Log10(Math.Max(1e-9, most))));
        step = most / step <= 2 ? step / 2 : most / step <= 4 ? step : most / step <= 8 ? step * 2 : step * 2.5;
        var ticks = Enumerable.Range(0, (int)Math.Ceiling(most / step - 1e-9) + 1).Select(i => i * step).ToArray();
        return ticks.Length < 2 ? new(0, 1, [0, 1], format) : new(0, ticks[^1], ticks, format);
    }

    private double Y(double value) => Top + (1 - (Math.Clamp(value, Axis.Min, Axis.Max) - Axis.Min) / (Axis.Max - Axis.Min)) * (Height - Top - Bottom);
}
