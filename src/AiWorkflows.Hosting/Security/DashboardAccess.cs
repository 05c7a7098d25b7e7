using Hangfire.Dashboard;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Security;

/// <summary>Who may do what in the dashboard: its pages want a viewer; whatever is posted wants an operator, but the counters that every page asks for.</summary>
internal sealed class DashboardAccess : IDashboardAsyncAuthorizationFilter
{
    /// <summary>Hangfire's pages ask for their counters with a POST.</summary>
    private const string Counters = "/stats";

    public static string PolicyOf(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || (HttpMethods.IsPost(request.Method) && IsCounters(request.PathBase.Add(request.Path)))
            ? AiWorkflowsPolicies.Viewer : AiWorkflowsPolicies.Operator;

    private static bool IsCounters(PathString path) => path.StartsWithSegments(OurPaths.Dashboard, StringComparison.OrdinalIgnoreCase, out var rest) && rest.Equals(Counters, StringComparison.OrdinalIgnoreCase);

    /// <summary>Asked by Hangfire, after the gate: a dashboard that somebody mounts elsewhere is guarded too.</summary>
    public async Task<bool> AuthorizeAsync(DashboardContext context) => await MayAsync(context.GetHttpContext(), PolicyOf(context.GetHttpContext().Request)).ConfigureAwait(false);

    public static bool IsReadOnly(DashboardContext context)
    {
        var http = context.GetHttpContext();
        // The question is synchronous and asked for every button; the answer is computed once in a request, from what is in memory.
        if (http.Items[typeof(DashboardAccess)] is bool known)
            return known;
        var readOnly = !MayAsync(http, AiWorkflowsPolicies.Operator).GetAwaiter().GetResult();
        http.Items[typeof(DashboardAccess)] = readOnly;
        return readOnly;
    }

    private static async Task<bool> MayAsync(HttpContext http, string policy) =>
        (await http.RequestServices.GetRequiredService<IAuthorizationService>().AuthorizeAsync(http.User, http, policy).ConfigureAwait(false)).Succeeded;
}
