using System.Globalization;

namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>The building blocks of the pages. Geometry is in attributes and looks are classes: no inline style, no script.</summary>
internal static class Components
{
    /// <summary>A moment as people read it, the exact time on hover. <paramref name="now"/> is the store's clock.</summary>
    public static Markup Time(DateTime time, DateTime now)
    {
        var text = Format.Coarse(now - time);
        return Markup.Of($"<time datetime=\"{time.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}\" data-aw-rel data-tip=\"{Format.Seconds(time)}\">{(time <= now ? text + " ago" : "in " + text)}</time>");
    }

    /// <summary>Label, number, and why it is so.</summary>
    public static Markup Fact(string label, Markup value, Markup note = default) =>
        Markup.Of($"<div><dt>{label}</dt><dd>{value}</dd>{Markup.When(!note.IsEmpty, Markup.Of($"<dd class=\"aw-note\">{note}</dd>"))}</div>");

    public static Markup Facts(params Markup[] facts) => Markup.Of($"<dl class=\"aw-facts\">{facts.AsEnumerable()}</dl>");

    public static Markup Small(string text) => Markup.Of($"<small>{text}</small>");

    /// <param name="failed">What stands there where the panel could not be read.</param>
    public static Markup Panel(string title, Markup content, Markup hint = default, Markup right = default, string? part = null, string? id = null, Markup failed = default) => !failed.IsEmpty ? Panel(title, failed, part: part, id: id) : Markup.Of(
        $"""
        <section class="aw-panel"{Markup.When(id is not null, Markup.Of($" id=\"{id}\""))}><header><h2>{title}</h2>{Markup.When(!hint.IsEmpty, Markup.Of($"<p class=\"aw-hint\">{hint}</p>"))}{Markup.When(!right.IsEmpty, Markup.Of($"<div>{right}</div>"))}</header>{(part is null ? content : Part(part, content))}</section>
        """);

    /// <summary>What the script replaces when it has changed.</summary>
    public static Markup Part(string name, Markup content) => Markup.Of($"<div data-aw-part=\"{name}\">{content}</div>");

    public static Markup Body(Markup content) => Markup.Of($"<div class=\"aw-body\">{content}</div>");

    /// <summary>What will stand here, and what fills it.</summary>
    public static Markup Empty(Markup text) => Markup.Of($"<div class=\"aw-empty is-small\">{text}</div>");

    public static Markup Tag(string text, string look = "") => Markup.Of($"<span class=\"aw-tag {(look.Length > 0 ? "is-" + look : "")}\">{text}</span>");

    /// <summary>A second line under a value.</summary>
    public static Markup Note(Markup text) => Markup.Of($"<span class=\"aw-desc\">{text}</span>");

    public static Markup Muted(string text) => Markup.Of($"<span class=\"aw-muted\">{text}</span>");

    public static Markup Mono(string text) => Markup.Of($"<span class=\"aw-mono\">{text}</span>");

    public static Markup Link(string href, string text, string css = "") => Markup.Of($"<a class=\"{css}\" href=\"{href}\">{text}</a>");

    public static Markup Notice(string look, Markup content) => Markup.Of(
        $"<div class=\"aw-notice is-{look}\" role=\"{(look == Status.Bad ? "alert" : "note")}\">{Status.Icon(look)}<div>{content}</div></div>");

    /// <summary>A number in the section bar, with the word that a screen reader needs.</summary>
    public static Markup Count(long count, string look, string what) =>
        Markup.When(count > 0, Markup.Of($" <span class=\"aw-count is-{look}\">{Format.Number(count)}<span class=\"aw-sr\"> {what}</span></span>"));

    public static Markup Bar(double share, string look, string label, int? width = null) => Markup.Of(
        $"<svg class=\"aw-bar\" width=\"{width?.ToString(CultureInfo.InvariantCulture) ?? "100%"}\" height=\"8\" role=\"img\" aria-label=\"{label}\"><rect class=\"aw-track\" width=\"100%\" height=\"8\"/><rect class=\"is-{look}\" width=\"{Math.Clamp(share, 0, 1) * 100}%\" height=\"8\"/></svg>");

    /// <summary>One cell of a strip of windows.</summary>
    internal readonly record struct Cell(string Look, string Tip, string? Href);

    public static Markup Strip(string label, IEnumerable<Cell> cells) => Markup.Of(
        $"<ol class=\"aw-strip\" aria-label=\"{label}\" data-aw-rove>{cells.Select(StripCell)}</ol>");

    private static Markup StripCell(Cell cell) => cell.Href is null
        ? Markup.Of($"<li><span class=\"aw-cell is-{cell.Look}\" data-tip=\"{cell.Tip}\"><span class=\"aw-sr\">{cell.Tip}</span></span></li>")
        : Markup.Of($"<li><a class=\"aw-cell is-{cell.Look}\" href=\"{cell.Href}\" data-tip=\"{cell.Tip}\"><span class=\"aw-sr\">{cell.Tip}</span></a></li>");

    public static Markup Legend(params (string Look, string Text)[] entries) => Markup.Of(
        $"<ul class=\"aw-legend\">{entries.Select(entry => Markup.Of($"<li><span class=\"aw-cell is-{entry.Look}\" aria-hidden=\"true\"></span>{entry.Text}</li>"))}</ul>");

    /// <summary>A legend of bars.</summary>
    public static Markup Key(params (string Look, string Text)[] entries) => Markup.Of(
        $"<ul class=\"aw-legend\">{entries.Select(entry => Markup.Of($"<li><svg class=\"aw-key\" viewBox=\"0 0 16 8\" aria-hidden=\"true\"><rect class=\"aw-f is-{entry.Look}\" width=\"16\" height=\"8\" rx=\"1\"/></svg>{entry.Text}</li>"))}</ul>");

    /// <summary>A legend of lines.</summary>
    public static Markup Lines(params (string Css, string Text)[] entries) => Markup.Of(
        $"<ul class=\"aw-legend\">{entries.Select(entry => Markup.Of($"<li><svg class=\"aw-key\" viewBox=\"0 0 16 8\" aria-hidden=\"true\"><path class=\"aw-l {entry.Css}\" d=\"M0 4H16\"/></svg>{entry.Text}</li>"))}</ul>");

    /// <summary>An action: posted by the script with the dashboard's anti-forgery header; the answer appears beside the button where it was refused.</summary>
    public static Markup Action(string url, string text, string css = "btn-default btn-xs", string? confirm = null, Markup fields = default) => Markup.Of(
        $"<form class=\"aw-action\" data-aw-post=\"{url}\"{Markup.When(confirm is not null, Markup.Of($" data-aw-confirm=\"{confirm}\""))}>{fields}<button type=\"submit\" class=\"btn {css}\">{text}</button><output></output></form>");

    public static Markup Definitions(params (string Name, Markup Value)[] entries) => Markup.Of(
        $"<dl class=\"aw-dl aw-cols\">{entries.Where(entry => !entry.Value.IsEmpty).Select(entry => Markup.Of($"<dt>{entry.Name}</dt><dd>{entry.Value}</dd>"))}</dl>");
}
