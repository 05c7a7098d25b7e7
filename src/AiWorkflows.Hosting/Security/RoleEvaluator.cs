using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Security;

/// <summary>
/// Decides our own policies without the framework's detours, which cost a request that is answered in microseconds a good part of them. Everything else, refusals too,
/// goes the framework's way, and so does all of it where the program has a say of its own in every authorization.
/// </summary>
internal sealed class RoleEvaluator(AccessState access) : IPolicyEvaluator
{
    private bool? _isAlone;

    public async Task<AuthenticateResult> AuthenticateAsync(AuthorizationPolicy policy, HttpContext context)
    {
        await access.RefreshAsync(context.RequestAborted);
        // Where nobody has to sign in, our scheme knows nobody.
        return access.IsOpen && policy.AuthenticationSchemes is [AccessHandler.SchemeName] ? AuthenticateResult.NoResult() : await Usual(context).AuthenticateAsync(policy, context);
    }

    public Task<PolicyAuthorizationResult> AuthorizeAsync(AuthorizationPolicy policy, AuthenticateResult authenticationResult, HttpContext context, object? resource) =>
        IsAlone(context) && policy.Requirements is [RoleRequirement requirement] && RoleHandler.Allows(access, context.User, requirement)
            ? Task.FromResult(PolicyAuthorizationResult.Success()) : Usual(context).AuthorizeAsync(policy, authenticationResult, context, resource);

    private static PolicyEvaluator Usual(HttpContext context) => new(context.RequestServices.GetRequiredService<IAuthorizationService>());

    /// <summary>Whether nobody but us and the framework has handlers of requirements; others may refuse what ours allows.</summary>
    private bool IsAlone(HttpContext context) => _isAlone ??= context.RequestServices.GetRequiredService<IAuthorizationService>() is DefaultAuthorizationService
        && context.RequestServices.GetServices<IAuthorizationHandler>().All(h => h is RoleHandler or PassThroughAuthorizationHandler);
}
