using Microsoft.AspNetCore.Authorization;

namespace AiWorkflows.Hosting.Security;

/// <summary>Wants a role, where anybody has to sign in at all.</summary>
internal sealed record RoleRequirement(string Role) : IAuthorizationRequirement;

internal sealed class RoleHandler(AccessState access) : AuthorizationHandler<RoleRequirement>
{
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, RoleRequirement requirement)
    {
        await access.RefreshAsync(CancellationToken.None);
        if (access.IsOpen || context.User.IsInRole(requirement.Role) || context.User.IsInRole(Roles.Operator))
            context.Succeed(requirement);
    }
}
