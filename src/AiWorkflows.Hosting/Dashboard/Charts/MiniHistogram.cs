using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>A distribution small enough for a table.</summary>
internal static class MiniHistogram
{
    private const int Width = 108;
    private const int Height = 26;

    public static Markup Render(IReadOnlyList<double> counts, string label)
    {
        var most = counts.Count == 0 ? 0 : counts.Max();
        if (most <= 0)
            return Markup.Empty;
        var each = Width / (double)counts.Count;
        return Markup.Of(
            $"<svg width=\"{Width}\" height=\"{Height}\" role=\"img\" aria-label=\"{label}\" data-tip=\"{label}\">{counts.Select((count, i) => Markup.Of($"<rect class=\"aw-f is-s1\" opacity=\".6\" x=\"{i * each}\" width=\"{Math.Max(1, each - 1)}\" y=\"{Height - count / most * (Height - 2)}\" height=\"{count / most * (Height - 2)}\"/>"))}</svg>");
    }
}
