using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Charts;

/// <summary>A stage as the graph draws it.</summary>
/// <param name="Progress">0 to 1 draws a bar; null none.</param>
/// <param name="Parts">Looks of the partitions, drawn as ticks instead of the bar; null where there is one.</param>
/// <param name="Tip">What hover and keyboard focus tell.</param>
internal sealed record DagNode(
    string Id, string Title, string Kind, string Detail, string Look, string Href, double? Progress = null, IReadOnlyList<string>? Parts = null, string? Tip = null);

/// <summary>The graph of a run's stages as inline SVG.</summary>
internal static class DagSvg
{
    /// <summary>More nodes than this are a wall, not a picture.</summary>
    public const int MaxNodes = 60;

    /// <summary>Width of a common screen's column; somewhat wider pictures are scaled down to it, much wider ones scroll.</summary>
    private const int FitsUpTo = 1_290;

    /// <summary>How far a graph is made smaller to fit the page; a wider one keeps its size, and scrolls.</summary>
    private const double StillReadable = 1.4;

    /// <summary>Pixels of a letter, generously.</summary>
    private const double TitleLetter = 7.3;
    private const double DetailLetter = 5.9;

    public static Markup Render(string label, IReadOnlyList<DagNode> nodes, IReadOnlyList<(string From, string To)> edges)
    {
        if (nodes.Count == 0)
            return Markup.Empty;
        var byId = nodes.ToDictionary(node => node.Id);
        var layout = new DagLayout([.. nodes.Select(node => node.Id)], [.. edges.Where(edge => byId.ContainsKey(edge.From) && byId.ContainsKey(edge.To))]);
        var paths = layout.Routes.Select(route => Edge(layout, route.Path, waits: byId[route.To].Look is Status.Wait or Status.Cancel));
        var boxes = layout.ReadingOrder.Select(id => Node(byId[id], layout.Positions[id], layout.NodeWidth));
        return Markup.Of(
            $"""
            <div class="aw-dag"><svg class="{(layout.Width > FitsUpTo && layout.Width <= StillReadable * FitsUpTo ? "is-wide" : "")}" width="{layout.Width}" height="{layout.Height + 2}" viewBox="0 -1 {layout.Width} {layout.Height + 2}" role="group" aria-label="{label}"><defs><marker id="aw-arr" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="aw-arrow" d="M0 .5 7.5 4 0 7.5z"/></marker></defs>{paths}{boxes}</svg></div>
            """);
    }

    private static Markup Edge(DagLayout layout, IReadOnlyList<DagLayout.Slot> path, bool waits)
    {
        var line = Markup.Empty;
        for (var i = 1; i < path.Count; i++)
        {
            double start = layout.X(path[i - 1].Layer) + layout.NodeWidth, end = layout.X(path[i].Layer) - (i == path.Count - 1 ? 2 : 0);
            double from = path[i - 1].Y, to = path[i].Y, middle = (start + end) / 2;
            line += i == 1 ? Markup.Of($"M{start} {from}") : Markup.Of($"H{start}");
            line += Math.Abs(from - to) < 0.5 ? Markup.Of($"H{end}") : Markup.Of($"C{middle} {from} {middle} {to} {end} {to}");
        }
        return Markup.Of($"<path class=\"aw-edge{(waits ? " is-wait" : "")}\" d=\"{line}\" marker-end=\"url(#aw-arr)\"/>");
    }

    private static Markup Node(DagNode node, (double X, double Y) at, int width)
    {
        const int height = DagLayout.NodeHeight;
        var tip = Markup.When(node.Tip is not null, Markup.Of($" data-tip=\"{node.Tip}\""));
        return Markup.Of(
            $"""
            <g class="aw-node is-{node.Look}" transform="translate({at.X} {at.Y - height / 2d})"><a href="{node.Href}"{tip}><rect class="aw-box" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="5"/><rect class="aw-side" x="0" y="6" width="3" height="{height - 12}" rx="1.5"/><svg class="aw-i" role="img" aria-label="{Status.Word(node.Look)}" x="{width - 24}" y="9" width="14" height="14" viewBox="0 0 16 16"><g class="aw-spin"><use href="#aw-{node.Look}" width="16" height="16"/></g></svg><text class="aw-nt" x="13" y="21">{Title(node.Title, (int)((width - 40) / TitleLetter))}</text> <text class="aw-nk" x="13" y="37">{Format.Shorten(node.Kind, (int)((width - 20) / DetailLetter))}</text>{Foot(node, width)}</a></g>
            """);
    }

    /// <summary>Of "stage/outcomes" the end tells more than the middle.</summary>
    internal static string Title(string title, int length) =>
        title.Length > length && title.LastIndexOf('/') is > 0 and var slash && title.Length - slash + 2 is var tail && tail < length
            ? title[..(length - tail + 1)] + "…" + title[slash..] : Format.Shorten(title, length);

    private static Markup Foot(DagNode node, int width)
    {
        var detail = Markup.Of($" <text class=\"aw-nk is-end\" x=\"{width - 10}\" y=\"55\">{Format.Shorten(node.Detail, 14)}</text>");
        if (node.Parts is { Count: > 1 } parts)
        {
            var each = Math.Min(14d, (width - 76 - (parts.Count - 1) * 2d) / parts.Count);
            if (each >= 3)
                return Markup.Of($"{parts.Select((look, i) => Markup.Of($"<rect class=\"aw-pp is-{look}\" x=\"{13 + i * (each + 2)}\" y=\"46\" width=\"{each}\" height=\"10\" rx=\"2\"/>"))}{detail}");
        }
        return node.Progress is { } progress
            ? Markup.Of($"<rect class=\"aw-track\" x=\"13\" y=\"48\" width=\"{width - 76}\" height=\"6\" rx=\"3\"/><rect class=\"aw-f\" x=\"13\" y=\"48\" width=\"{(width - 76) * Math.Clamp(progress, 0, 1)}\" height=\"6\" rx=\"3\"/>{detail}")
            : Markup.Of($" <text class=\"aw-nk\" x=\"13\" y=\"54\">{Format.Shorten(node.Detail, (int)((width - 20) / DetailLetter))}</text>");
    }
}
