using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>A span of real time with at most seven ticks on round distances from its start.</summary>
internal sealed class TimeAxis
{
    private static readonly double[] Steps =
        [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];

    private readonly DateTime _start;
    private readonly double _seconds;

    public TimeAxis(DateTime start, DateTime end)
    {
        var length = Math.Max(0.05, (end - start).TotalSeconds);
        var step = Steps.FirstOrDefault(s => length / s <= 6, length / 6);
        _start = start;
        _seconds = Math.Ceiling(length / step - 1e-9) * step;
        Ticks = [.. Enumerable.Range(0, (int)Math.Round(_seconds / step) + 1).Select(i => i * step)];
    }

    /// <summary>Seconds from the start.</summary>
    public IReadOnlyList<double> Ticks { get; }

    /// <summary>0 to 100, clamped to the axis.</summary>
    public double Percent(DateTime time) => Math.Clamp((time - _start).TotalSeconds / _seconds * 100, 0, 100);

    /// <summary>The header: the first tick tells the time of day, the others their distance.</summary>
    public Markup Header() => Markup.Of(
        $"<svg width=\"100%\" height=\"16\">{Ticks.Select((tick, i) => Markup.Of($"<text class=\"{(i == 0 ? "" : i == Ticks.Count - 1 ? "is-end" : "is-mid")}\" x=\"{tick / _seconds * 100}%\" y=\"12\">{(i == 0 ? Format.Clock(_start) : "+" + Label(tick))}</text>"))}</svg>");

    /// <summary>One line of the timeline with the grid behind <paramref name="bars"/>.</summary>
    public Markup Lane(IEnumerable<Markup> bars) => Markup.Of(
        $"<svg width=\"100%\" height=\"30\" aria-hidden=\"true\">{Ticks.Select(tick => Markup.Of($"<line class=\"aw-g\" x1=\"{tick / _seconds * 100}%\" x2=\"{tick / _seconds * 100}%\" y1=\"-4\" y2=\"34\"/>"))}{bars}</svg>");

    public Markup Bar(DateTime from, DateTime to, string css, string tip)
    {
        var (start, end) = (Percent(from), Percent(to));
        return Markup.Of($"<rect class=\"{css}\" x=\"{start}%\" width=\"{Math.Max(0.3, end - start)}%\" y=\"9\" height=\"12\" rx=\"2\" data-tip=\"{tip}\"/>");
    }

    public Markup Now(DateTime now) => Markup.Of($"<line class=\"aw-now\" x1=\"{Percent(now)}%\" x2=\"{Percent(now)}%\" y1=\"-4\" y2=\"34\"/>");

    /// <summary>Words where there is no bar: why a step did not run.</summary>
    public static Markup Words(string text) => Markup.Of($"<text x=\"0.4%\" y=\"19\">{text}</text>");

    private static string Label(double seconds) => seconds switch
    {
        < 1 => Format.Number(seconds * 1000, "0") + " ms",
        < 120 => Format.Number(seconds, "0.##") + " s",
        < 7200 => Format.Number(seconds / 60, "0.##") + " min",
        < 172_800 => Format.Number(seconds / 3600, "0.##") + " h",
        _ => Format.Number(seconds / 86_400, "0.##") + " d",
    };
}
