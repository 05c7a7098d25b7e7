using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Security;

/// <summary>Records what people do with Hangfire's own buttons: requeue, delete, trigger, remove. Our own actions are recorded by the engine, under their names.</summary>
internal sealed class DashboardAudit(ILedger ledger, ILogger<DashboardAudit> log)
{
    private const int Longest = 1_000;
    private static readonly PathString[] RecordedElsewhere = ["/workflows", "/runs"];

    /// <summary>Called when the answer is known: a refusal has changed nothing.</summary>
    public async Task RecordAsync(HttpContext context)
    {
        var request = context.Request;
        if (!request.Path.StartsWithSegments(OurPaths.Dashboard, StringComparison.OrdinalIgnoreCase, out var action) || context.Response.StatusCode >= 300
            || DashboardAccess.PolicyOf(request) == AiWorkflowsPolicies.Viewer || RecordedElsewhere.Any(path => action.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase)))
            return;
        try
        {
            // Hangfire has read the form, so it is there already.
            var jobs = request.HasFormContentType ? string.Join(", ", (await request.ReadFormAsync(CancellationToken.None))["jobs[]"].ToArray()) : "";
            await ledger.AuditAsync(Callers.NameOf(context), "dashboard", action.Value is { Length: > 300 } endless ? endless[..300] : action.Value ?? "", jobs.Length > Longest ? jobs[..Longest] + "…" : jobs, CancellationToken.None);
        }
        catch (Exception e)
        {
            log.LogError(e, "{Who} has done {Action} in the dashboard, which could not be recorded in the audit", Callers.NameOf(context), action);
        }
    }
}
