using AiWorkflows.Hosting.Api;
using AiWorkflows.Storage.Security;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AiWorkflows.Hosting.Security;

/// <summary>Registers who may come in, and puts what checks it before everything else.</summary>
internal static class SecuritySetup
{
    /// <summary>Name under which hosts share what they encrypt.</summary>
    private const string Application = "AiWorkflows";

    public static void AddSecurity(this WebApplicationBuilder builder, HostSettings settings)
    {
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        var services = builder.Services;
        services.AddSingleton<KeyDirectory>();
        services.AddSingleton<AccessState>();
        services.AddSingleton<Attempts>();
        services.AddSingleton<Limits>();
        services.AddSingleton<DashboardAudit>();
        services.AddSingleton<IAuthorizationHandler, RoleHandler>();
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, AccessResults>();
        services.AddSingleton<IPolicyEvaluator, RoleEvaluator>();
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, AccessHandler>(AccessHandler.SchemeName, null)
            .AddCookie(AccessHandler.SessionName, options => Session(options, settings));
        services.AddAuthorizationBuilder()
            .AddPolicy(AiWorkflowsPolicies.Viewer, policy => policy.AddAuthenticationSchemes(AccessHandler.SchemeName).AddRequirements(new RoleRequirement(Roles.Viewer)))
            .AddPolicy(AiWorkflowsPolicies.Operator, policy => policy.AddAuthenticationSchemes(AccessHandler.SchemeName).AddRequirements(new RoleRequirement(Roles.Operator)));
        services.AddDataProtection().SetApplicationName(Application);
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(s =>
            new ConfigureOptions<KeyManagementOptions>(options => options.XmlRepository ??= new ProtectionKeys(s.GetRequiredService<ProtectionKeyStore>())));
        services.Configure<AntiforgeryOptions>(options =>
        {
            options.Cookie.Name = "aiworkflows.form";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.HttpOnly = true;
        });
    }

    public static void UseSecurity(this WebApplication app)
    {
        app.UseMiddleware<SecurityHeaders>();
        app.UseMiddleware<ApiErrors>();
        app.UseMiddleware<AccessGate>();
        // Where the program has not placed it, the framework would put it before all of these.
        app.UseAuthorization();
        app.MapLogin();
    }

    private static void Session(CookieAuthenticationOptions options, HostSettings settings)
    {
        options.Cookie.Name = "aiworkflows.session";
        options.Cookie.HttpOnly = true;
        options.Cookie.SameSite = SameSiteMode.Strict;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = TimeSpan.FromHours(settings.Options.Security.SessionHours);
        options.SlidingExpiration = true;
        options.Events.OnValidatePrincipal = context =>
        {
            // A session lasts no longer than the key that opened it, and has the role that the key has now.
            var key = context.Principal?.FindFirst(AccessHandler.KeyIdClaim)?.Value is { } id ? context.HttpContext.RequestServices.GetRequiredService<KeyDirectory>().FindById(id) : null;
            if (key is null)
                context.RejectPrincipal();
            else
                context.ReplacePrincipal(AccessHandler.PrincipalOf(key));
            return Task.CompletedTask;
        };
    }
}
