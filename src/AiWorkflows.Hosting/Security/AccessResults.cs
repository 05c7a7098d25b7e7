using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;

namespace AiWorkflows.Hosting.Security;

/// <summary>Refusals below our addresses are ours, also where a program's policy has taken the place of one of ours and names no scheme: programs are not led to a page of a cookie's.</summary>
internal sealed class AccessResults : IAuthorizationMiddlewareResultHandler
{
    private readonly AuthorizationMiddlewareResultHandler _usual = new();

    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult) =>
        authorizeResult.Succeeded || !OurPaths.Contains(context.Request.Path) ? _usual.HandleAsync(next, context, policy, authorizeResult)
        : authorizeResult.Challenged ? context.ChallengeAsync(AccessHandler.SchemeName)
        : context.ForbidAsync(AccessHandler.SchemeName);
}
