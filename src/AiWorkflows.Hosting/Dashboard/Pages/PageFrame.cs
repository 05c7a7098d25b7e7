using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Rendering;

namespace AiWorkflows.Hosting.Dashboard.Pages;

/// <summary>The frame that all our pages share, inside the layout of Hangfire's dashboard: section bar, head, body.</summary>
internal static class PageFrame
{
    private static readonly (string Section, string Title, string Path)[] Sections =
    [
        ("workflows", "Workflows", "/workflows"),
        ("runs", "Runs", "/runs"),
        ("backfills", "Backfills", "/backfills"),
        ("features", "Feature groups", "/features"),
        ("models", "Models", "/models"),
        ("predictions", "Predictions", "/predictions"),
        ("streams", "Streams", "/streams"),
        ("hosts", "Hosts", "/hosts"),
    ];

    /// <param name="sql">What the page shows as a query in the words of the engine; null where there is none.</param>
    public static Markup Render(PageContent page, SectionBar bar, PageContext context, string? sql = null)
    {
        var live = page.LiveUrl is { } url && !page.Ended ? Markup.Of($" data-aw-live=\"{url}\" data-aw-every=\"{page.EveryMilliseconds}\"") : Markup.Empty;
        return Markup.Of(
            $"""
            <div class="aw" data-aw-now="{context.Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}"{live}>{Sprite.Symbols}<nav class="aw-nav" aria-label="AiWorkflows">{Components.Part("nav", Links(page, bar, context))}{SearchBox(context)}<div class="aw-clock">{Components.Part("clock", Clock(bar))}{SignedIn(context)}{Badge(page)}</div></nav>{Parts(page)}{Sql(page, sql)}</div>
            """);
    }

    /// <summary>What a live page asks for again: the same markup, without what never changes.</summary>
    public static Markup RenderParts(PageContent page, SectionBar bar, PageContext context) => Components.Part("nav", Links(page, bar, context)) + Components.Part("clock", Clock(bar)) + Parts(page);

    private static Markup Parts(PageContent page) => Markup.Of(
        $"""
        <div class="aw-head"><div><p class="aw-crumb">{page.Crumb}</p>{Components.Part("heading", Markup.Of($"<h1>{(page.Heading.IsEmpty ? Markup.Text(page.Title) : page.Heading)}</h1><p class=\"aw-sub\">{page.Subtitle}</p>"))}</div>{Components.Part("actions", Markup.Of($"<div class=\"aw-actions\">{page.Actions}</div>"))}</div>{page.Body}
        """);

    private static Markup Links(PageContent page, SectionBar bar, PageContext context) => Markup.Of(
        $"""
        <ul>{Sections.Select(section => Markup.Of($"<li><a href=\"{context.Url(section.Path)}\"{Markup.When(section.Section == page.Section, Markup.Raw(" aria-current=\"page\""))}>{section.Title}{Markup.When(section.Section == "runs", Components.Count(bar.Running, "run", "running") + Components.Count(bar.Failed, "bad", "failed"))}</a></li>"))}</ul>
        """);

    private static Markup SearchBox(PageContext context) => Markup.Of(
        $"<form class=\"aw-find\" method=\"get\" action=\"{context.Url("/search")}\" role=\"search\"><input name=\"q\" type=\"search\" maxlength=\"300\" size=\"16\" placeholder=\"Id or name\" aria-label=\"Search runs, models, feature groups and predictions\"></form>");

    private static Markup Sql(PageContent page, string? sql) => sql is null ? Markup.Empty : Markup.Of(
        $"<details class=\"aw-data aw-sql\"><summary>Copy as SQL</summary><pre tabindex=\"0\" aria-label=\"Query\">{sql}</pre><button type=\"button\" class=\"btn btn-default btn-xs\" data-aw-copy>Copy</button> <span class=\"aw-muted aw-small\">What {(page.Title.Length > 60 ? "this page" : page.Title)} shows, for <code>sql</code> on the command line or any tool; docs/sql.md describes tables and views.</span></details>");

    private static Markup Clock(SectionBar bar) => bar.EventTime is not { } time ? Markup.Empty : bar.Speed is { } speed ? Markup.Of(
        $"<span data-tip=\"History is being replayed in a database of its own. Windows and schedules follow this clock; start and end of runs follow the real one.\">Replay <b>{time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}</b> UTC, {speed.ToString("#,0.##", CultureInfo.InvariantCulture)}×</span>") : Markup.Of(
        $"<span data-tip=\"The business clock of this host stands here. Windows follow it; start and end of runs follow the real one.\">Event clock <b>{time.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}</b> UTC</span>");

    private static Markup SignedIn(PageContext context) => context is not { SignedInAs: { } name, Logout: { } logout } ? Markup.Empty : Markup.Of(
        $"<form class=\"aw-action\" data-aw-post=\"{logout}\"><span>{name}{Markup.When(context.IsReadOnly, Markup.Raw(" (viewer)"))}</span> <button type=\"submit\" class=\"btn btn-default btn-xs\">Sign out</button><output></output></form>");

    private static Markup Badge(PageContent page) =>
        page.LiveUrl is null ? Markup.Empty
        : page.Ended ? Markup.Of($"<span class=\"aw-live is-ended\" role=\"status\">ended, last state</span>")
        : Markup.Of($"<span class=\"aw-live\" role=\"status\">live</span>");
}
