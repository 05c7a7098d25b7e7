namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>Tables: a caption for screen readers, headings with a scope, numbers right.</summary>
internal static class Table
{
    public static Markup Of(string caption, string css, IEnumerable<Markup> headings, IEnumerable<Markup> rows) => Markup.Of(
        $"<div class=\"aw-scroll\"><table class=\"table aw-table {css}\"><caption class=\"aw-sr\">{caption}</caption><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table></div>");

    public static Markup Heading(string text) => Markup.Of($"<th scope=\"col\">{text}</th>");

    public static Markup NumberHeading(string text) => Markup.Of($"<th scope=\"col\" class=\"aw-num\">{text}</th>");

    /// <summary>A heading that only a screen reader needs.</summary>
    public static Markup HiddenHeading(string text) => Markup.Of($"<th scope=\"col\"><span class=\"aw-sr\">{text}</span></th>");

    public static Markup Row(Markup head, params Markup[] cells) => Markup.Of($"<tr><th scope=\"row\">{head}</th>{cells.AsEnumerable()}</tr>");

    public static Markup Cell(Markup content, string css = "") => css.Length == 0 ? Markup.Of($"<td>{content}</td>") : Markup.Of($"<td class=\"{css}\">{content}</td>");

    public static Markup Cell(string? text) => Markup.Of($"<td>{text}</td>");

    public static Markup Number(Markup content) => Markup.Of($"<td class=\"aw-num\">{content}</td>");

    public static Markup Number(long? value) => Markup.Of($"<td class=\"aw-num\">{(value is { } number ? Format.Number(number) : "")}</td>");

    public static Markup Number(string? text) => Markup.Of($"<td class=\"aw-num\">{text}</td>");
}
