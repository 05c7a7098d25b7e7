using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage;

namespace AiWorkflows.Hosting.Dashboard.Pages;

/// <summary>What stands on a page whose data cannot be read. Hangfire's own pages do not depend on the store.</summary>
internal static class StoreError
{
    public static PageContent Page(string section, string path, Exception error, StoreDatabase? database, PageContext context) => new()
    {
        Title = "The store does not answer",
        Section = section,
        StatusCode = 503,
        LiveUrl = null,
        Actions = Components.Link(context.Url(path), "Try again", "btn btn-default btn-sm"),
        Body = Components.Notice(Status.Bad, Markup.Of(
            $"""
            <p><b>The store does not answer, so these pages cannot show runs and data.</b></p><p>Hangfire's own pages still work. Runs in progress keep going: they renew their leases as soon as the database is back, and nothing is published twice.</p><pre>{Explain(error, database)}</pre><p class="aw-small aw-muted">What to check: <code>doctor</code> on the host tells configuration, connectivity, schema version and permissions in one go.</p>
            """)),
    };

    private static string Explain(Exception error, StoreDatabase? database)
    {
        var explained = error as AiWorkflowsException ?? database?.Explain(error);
        var what = explained?.Message ?? $"{error.GetType().Name}: {error.Message}";
        return database is null ? what : $"{what}\n{database.Engine}, {database.Location}";
    }
}
