using AiWorkflows.Hosting.Api;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Security;

/// <summary>
/// Stands before all our addresses: finds out who asks, and refuses what no endpoint has allowed. An address that says nothing about itself wants an
/// operator, so that a new one cannot be left open by forgetting.
/// </summary>
internal sealed class AccessGate(RequestDelegate next, AccessState access, Limits limits, DashboardAudit audit)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var isOurs = OurPaths.Contains(context.Request.Path);
        if (isOurs)
            await RefreshAsync(context);
        if (access.IsOpen)
        {
            // The program's own addresses too: without authentication nothing of this process is for others.
            if (LoopbackGuard.WhyRefused(context) is { } reason)
            {
                await Problems.WriteAsync(context, StatusCodes.Status403Forbidden, reason);
                return;
            }
        }
        else if (isOurs)
        {
            if (!LoopbackGuard.IsSameOrigin(context))
            {
                await Problems.WriteAsync(context, StatusCodes.Status403Forbidden, "Another site may not act here.");
                return;
            }
            var found = await context.AuthenticateAsync(AccessHandler.SchemeName);
            if (found.Succeeded)
                context.User = found.Principal;
        }
        if (!isOurs)
        {
            await next(context);
            return;
        }
        Caller.Current = Callers.Of(context);
        if (await limits.RefuseAsync(context))
            return;
        if (!access.IsOpen && PolicyOf(context) is { } policy && !(await context.RequestServices.GetRequiredService<IAuthorizationService>().AuthorizeAsync(context.User, context, policy)).Succeeded)
        {
            if (context.User.Identity is { IsAuthenticated: true })
                await context.ForbidAsync(AccessHandler.SchemeName);
            else
                await context.ChallengeAsync(AccessHandler.SchemeName);
            return;
        }
        await Forms.ReadAsync(context);
        await next(context);
        await audit.RecordAsync(context);
    }

    private async Task RefreshAsync(HttpContext context)
    {
        try
        {
            await access.RefreshAsync(context.RequestAborted);
        }
        catch (Exception) when (context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null && !context.RequestAborted.IsCancellationRequested)
        {
            // What anybody may see needs no keys: a store that has never been there is no reason to look dead.
        }
    }

    /// <summary>The policy of an address; null where everybody may come, or where the framework checks what the endpoint itself wants.</summary>
    private static string? PolicyOf(HttpContext context)
    {
        if (context.GetEndpoint() is not { } endpoint)
            return AiWorkflowsPolicies.Viewer;
        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            return null;
        // Of the dashboard, one endpoint is many pages and actions.
        if (context.Request.Path.StartsWithSegments(OurPaths.Dashboard, StringComparison.OrdinalIgnoreCase))
            return DashboardAccess.PolicyOf(context.Request);
        if (endpoint.Metadata.GetMetadata<IAuthorizeData>() is not null)
            return null;
        // A refusal by routing (405, 415) stands for no address of its own.
        return endpoint is Microsoft.AspNetCore.Routing.RouteEndpoint ? AiWorkflowsPolicies.Operator : AiWorkflowsPolicies.Viewer;
    }
}
