using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>
/// A list that is read page by page, newest first: a page begins below the last id of the one before it, so it never skips and never counts.
/// </summary>
/// <param name="Path">Of the page below the dashboard.</param>
/// <param name="Narrowed">What the list is narrowed to, by the names of the address; nulls are left out.</param>
/// <param name="Older">What the next page begins below; null where there is none.</param>
internal sealed record Pager(string Path, IReadOnlyList<(string Name, string? Value)> Narrowed, bool IsFirst, long? Older)
{
    public Markup Links(PageContext context) => Markup.Join(" · ",
    [
        IsFirst ? Markup.Empty : Link(context.Url(Address(Path, null)), "Newest"),
        Older is { } before ? Link(context.Url(Address(Path, before)), "Older") : Markup.Empty,
    ]);

    /// <summary>Where the first page gets its fresh parts; older pages do not change.</summary>
    public string? LiveUrl(PageContext context) => IsFirst ? context.Url(Address(Path + "/parts", null)) : null;

    /// <summary>"50 runs, newest first; there are older ones"</summary>
    public string Hint(int rows, string one, string? many = null) =>
        rows == 0 ? "" : $"{Format.Count(rows, one, many)}, newest first{(Older is null ? "" : "; there are older ones")}";

    private string Address(string path, long? before)
    {
        var query = string.Join('&', Narrowed.Append(("before", before?.ToString(CultureInfo.InvariantCulture))).Where(pair => pair.Item2 is not null).Select(pair => $"{pair.Item1}={Uri.EscapeDataString(pair.Item2!)}"));
        return query.Length == 0 ? path : $"{path}?{query}";
    }
}
