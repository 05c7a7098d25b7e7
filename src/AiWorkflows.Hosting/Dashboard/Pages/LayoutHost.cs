using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Rendering;
using Hangfire.Dashboard;
using Hangfire.Dashboard.Pages;

namespace AiWorkflows.Hosting.Dashboard.Pages;

/// <summary>
/// Puts a rendered page into the layout of the dashboard. The layout is synchronous and is given its context only by Hangfire's own dispatcher;
/// so the page is read before, and handed over.
/// </summary>
internal static class LayoutHost
{
    private static readonly AsyncLocal<(string Title, Markup Body)> Current = new();
    private static readonly IDashboardDispatcher Dispatcher = CreateDispatcher();
    private static readonly CultureInfo PageCulture = new EnglishWithInvariantFormats();

    public static async Task WriteAsync(DashboardContext context, string title, Markup body)
    {
        var (culture, ui) = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        Current.Value = (title, body);
        (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (PageCulture, PageCulture);
        try
        {
            await Dispatcher.Dispatch(context).ConfigureAwait(false);
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, ui);
            Current.Value = default;
        }
    }

    private static IDashboardDispatcher CreateDispatcher()
    {
        var routes = new RouteCollection();
        routes.AddRazorPage("/", _ => new Page(Current.Value.Title, Current.Value.Body));
        return routes.FindDispatcher("/").Item1;
    }

    private sealed class Page(string title, Markup body) : RazorPage
    {
        public override void Execute()
        {
            Layout = new LayoutPage(title);
            WriteLiteral(body.ToString());
        }
    }

    /// <summary>The layout takes the page's language from the culture, which without globalization data has none.</summary>
    private sealed class EnglishWithInvariantFormats() : CultureInfo("")
    {
        public override string TwoLetterISOLanguageName => "en";
    }
}
