using System.Security.Claims;
using Microsoft.AspNetCore.Authorization;

namespace AiWorkflows.Hosting.Security;

/// <summary>Wants a role, where anybody has to sign in at all.</summary>
internal sealed record RoleRequirement(string Role) : IAuthorizationRequirement;

internal sealed class RoleHandler(AccessState access) : AuthorizationHandler<RoleRequirement>
{
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, RoleRequirement requirement)
    {
        await access.RefreshAsync(CancellationToken.None);
        if (Allows(access, context.User, requirement))
            context.Succeed(requirement);
    }

    /// <param name="access">Fresh.</param>
    public static bool Allows(AccessState access, ClaimsPrincipal user, RoleRequirement requirement) => access.IsOpen || user.IsInRole(requirement.Role) || user.IsInRole(Roles.Operator);
}
