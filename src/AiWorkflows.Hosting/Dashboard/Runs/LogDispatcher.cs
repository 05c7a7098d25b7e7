using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>New lines of a run's log: <c>?after=ID</c> gives the lines behind it, <c>X-Aw-Next</c> the id to go on from.</summary>
internal sealed class LogDispatcher : IDashboardDispatcher
{
    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var query = http.Request.Query;
        if (!long.TryParse(context.UriMatch.Groups["id"].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var runId))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        _ = long.TryParse(query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var after);
        long? stageRun = long.TryParse(query["stage_run"], NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
        var reader = http.RequestServices.GetRequiredService<DashboardReader>();
        var viewer = new PageContext("", IsReadOnly: true, TimeProvider.System.GetUtcNow().UtcDateTime);
        var filter = RunLog.FilterOf(new(reader, viewer, query, context.UriMatch)) with { StageRunId = stageRun };
        try
        {
            // The state is read before the lines: a run that has ended by then writes no more of them.
            var run = await reader.RunHeadAsync(runId).ConfigureAwait(false);
            var lines = await reader.LogAfterAsync(runId, after, filter).ConfigureAwait(false);
            http.Response.ContentType = "text/html; charset=utf-8";
            http.Response.Headers.CacheControl = "no-cache";
            http.Response.Headers["X-Aw-Next"] = (lines.Count > 0 ? lines[^1].LogId : after).ToString(CultureInfo.InvariantCulture);
            if (run is null or { IsOpen: false } && lines.Count == 0)
                http.Response.Headers["X-Aw-Ended"] = "1";
            await http.Response.WriteAsync(LogMarkup.Lines(lines, withStep: stageRun is null).ToString(), http.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // The script tries again; the page itself says what is wrong.
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
    }
}
