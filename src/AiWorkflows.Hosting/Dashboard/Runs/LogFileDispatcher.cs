using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>The whole log of a run as text, page by page from the store: memory stays flat however long it is.</summary>
internal sealed class LogFileDispatcher : IDashboardDispatcher
{
    private const int LinesAtOnce = 2_000;

    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var queries = http.RequestServices.GetRequiredService<DashboardQueries>();
        var id = long.Parse(context.UriMatch.Groups["id"].Value, CultureInfo.InvariantCulture);
        var filter = RunLog.FilterOf(new(http.RequestServices.GetRequiredService<DashboardReader>(), new PageContext("", IsReadOnly: true, default), http.Request.Query, context.UriMatch));
        http.Response.ContentType = "text/plain; charset=utf-8";
        http.Response.Headers.ContentDisposition = string.Create(CultureInfo.InvariantCulture, $"attachment; filename=run-{id}.log");
        for (var after = 0L; ;)
        {
            var lines = await queries.LogAfterAsync(id, after, filter, LinesAtOnce, http.RequestAborted).ConfigureAwait(false);
            foreach (var line in lines)
                await http.Response.WriteAsync(Text(line), http.RequestAborted).ConfigureAwait(false);
            if (lines.Count < LinesAtOnce)
                return;
            after = lines[^1].LogId;
        }
    }

    private static string Text(DashboardLogLine line) => string.Create(CultureInfo.InvariantCulture,
        $"{line.LoggedAt.Value:yyyy-MM-dd} {Format.Millis(line.LoggedAt.Value)} {line.Level,-7} {line.Step ?? "run"}{(line.Partitions > 1 ? $" {line.Partition + 1} of {line.Partitions}" : "")}: {line.Message.ReplaceLineEndings("\n    ")}\n");
}
