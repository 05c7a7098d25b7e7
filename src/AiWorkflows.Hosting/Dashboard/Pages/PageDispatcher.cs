using System.Globalization;
using System.IO.Hashing;
using System.Text;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard.Pages;

/// <summary>What a page is asked for.</summary>
internal sealed record PageRequest(DashboardReader Reader, PageContext Context, IQueryCollection Query, System.Text.RegularExpressions.Match Uri)
{
    public string? Value(string key) => Query[key].ToString() is { Length: > 0 and <= 300 } text ? text.Trim() is { Length: > 0 } trimmed ? trimmed : null : null;

    /// <summary>Null where there is none, or something else.</summary>
    public long? Number(string key) => long.TryParse(Value(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <exception cref="NoSuchPageException">There is something, and it is no time.</exception>
    public DateTime? Time(string key) => Value(key) is not { } text ? null
        : DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw new NoSuchPageException($"'{text}' is no time; write it as 2001-06-01 or 2001-06-01 12:00, in UTC.");

    /// <summary>A version as people write it, 3 or v3.</summary>
    /// <exception cref="NoSuchPageException">There is something, and it is no version.</exception>
    public int? Version(string key) => Value(key) is not { } text ? null
        : int.TryParse(text.TrimStart('v'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new NoSuchPageException($"'{text}' is no version; write a number, as 3 or v3.");

    /// <summary>The name in the address.</summary>
    public string Name => System.Uri.UnescapeDataString(Uri.Groups["name"].Value);
}

/// <summary>The address names nothing that could be shown; the message says what was wrong with it. Not an error of the store, which may well be a wrong request too.</summary>
internal sealed class NoSuchPageException(string message) : Exception(message);

/// <summary>One of our pages: reads, then renders. The same for the whole page and for its fresh parts.</summary>
internal abstract class DashboardPage
{
    public abstract string Section { get; }

    /// <exception cref="NoSuchPageException">There is no such thing, or the query is wrong.</exception>
    public abstract Task<PageContent> LoadAsync(PageRequest request);
}

/// <summary>Serves a page, or (of the same page) only its parts. The services are the request's, for several hosts may live in one process.</summary>
internal sealed class PageDispatcher(DashboardPage page, bool partsOnly) : IDashboardDispatcher
{
    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var services = http.RequestServices;
        var viewer = Jobs.JobSection.Context(context);
        var bar = new SectionBar(0, 0, null);
        PageContent content;
        try
        {
            var reader = services.GetRequiredService<DashboardReader>();
            bar = await reader.SectionBarAsync().ConfigureAwait(false);
            content = await page.LoadAsync(new(reader, viewer, http.Request.Query, context.UriMatch)).ConfigureAwait(false);
        }
        catch (NoSuchPageException e)
        {
            content = NotFound(e.Message, viewer);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            content = StoreError.Page(page.Section, "/" + page.Section, e, services.GetService<StoreDatabase>(), viewer);
        }
        http.Response.StatusCode = content.StatusCode;
        if (partsOnly)
            await WritePartsAsync(http, content, PageFrame.RenderParts(content, bar, viewer)).ConfigureAwait(false);
        else
            await LayoutHost.WriteAsync(context, content.Title, PageFrame.Render(content, bar, viewer, content.Sql is { } sql && services.GetService<StoreDatabase>() is { } database ? SuggestedQueries.Render(database, sql) : null)).ConfigureAwait(false);
    }

    internal static async Task WritePartsAsync(HttpContext http, PageContent content, Markup parts)
    {
        var bytes = Encoding.UTF8.GetBytes(parts.ToString());
        var tag = $"\"{Convert.ToHexString(XxHash128.Hash(bytes))}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.CacheControl = "no-cache";
        if (content.Ended)
            http.Response.Headers["X-Aw-Ended"] = "1";
        if (content.StatusCode == StatusCodes.Status200OK && http.Request.Headers.IfNoneMatch == tag)
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.Body.WriteAsync(bytes, http.RequestAborted).ConfigureAwait(false);
    }

    private PageContent NotFound(string message, PageContext context) => new()
    {
        Title = "Not found",
        Section = page.Section,
        StatusCode = StatusCodes.Status404NotFound,
        Body = Components.Panel("Not found", Components.Empty(Markup.Text(message))),
        Actions = Components.Link(context.Url("/" + page.Section), "Back to the list", "btn btn-default btn-sm"),
    };
}
