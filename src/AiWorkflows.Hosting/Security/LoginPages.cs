using System.Security.Cryptography;
using System.Text;
using AiWorkflows.Hosting.Api;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace AiWorkflows.Hosting.Security;

/// <summary>Signing in with a key in a browser: the key goes in once, a cookie that no script can read comes out.</summary>
internal static class LoginPages
{
    private const string Style =
        "body{font:16px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1c2430;margin:0}main{max-width:23rem;margin:12vh auto;padding:1.75rem 2rem;background:#fff;border:1px solid #d5dae1;border-radius:8px}" +
        "h1{font-size:1.25rem;margin:0 0 1rem}label{display:block;font-weight:600;margin-bottom:.3rem}input{width:100%;box-sizing:border-box;padding:.5rem .6rem;font:inherit;border:1px solid #8b95a3;border-radius:5px}" +
        "button{margin-top:1rem;padding:.5rem 1.2rem;font:inherit;font-weight:600;color:#fff;background:#1f5fbf;border:0;border-radius:5px;cursor:pointer}" +
        "p{font-size:.875rem;color:#566070}.error{color:#a11a1a;font-weight:600}code{font-size:.8125rem}" +
        "@media(prefers-color-scheme:dark){body{background:#14181f;color:#e3e7ee}main{background:#1d232d;border-color:#3a4454}input{background:#14181f;color:inherit}p{color:#a4afbf}.error{color:#ff8d8d}}";

    /// <summary>What the page may load: its own style, and nothing else.</summary>
    public static string ContentSecurityPolicy { get; } =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    public static void MapLogin(this IEndpointRouteBuilder app)
    {
        app.MapGet(OurPaths.Login, Show).AllowAnonymous().ExcludeFromDescription();
        app.MapPost(OurPaths.Login, SignInAsync).AllowAnonymous().ExcludeFromDescription();
        app.MapPost(OurPaths.Logout, SignOutAsync).RequireAuthorization(AiWorkflowsPolicies.Viewer).ExcludeFromDescription();
    }

    private static IResult Show(HttpContext context, AccessState access, IAntiforgery antiforgery, string? returnUrl) =>
        access.IsOpen ? Results.Redirect(context.Request.PathBase + OurPaths.Dashboard) : Page(context, antiforgery, returnUrl, null, StatusCodes.Status200OK);

    private static async Task<IResult> SignInAsync(HttpContext context, KeyDirectory keys, Attempts attempts, ILedger ledger, IAntiforgery antiforgery)
    {
        var form = await Forms.RequireAsync(context);
        var returnUrl = form["returnUrl"].ToString();
        if (!await antiforgery.IsRequestValidAsync(context))
            return Page(context, antiforgery, returnUrl, "The page was too old, or cookies are refused. Try again.", StatusCodes.Status400BadRequest);
        var presented = form["key"].ToString().Trim();
        if (keys.Find(presented) is not { } key)
            return await attempts.FailedAsync(context, "login page", ApiKey.IdOf(presented)) is { } seconds
                ? TooMany(context, antiforgery, returnUrl, seconds)
                : Page(context, antiforgery, returnUrl, "This key is unknown, was revoked or has expired.", StatusCodes.Status401Unauthorized);
        await context.SignInAsync(AccessHandler.SessionName, AccessHandler.PrincipalOf(key));
        await ledger.AuditAsync(key.Name, "login", $"key {key.Name}", key.Role, CancellationToken.None);
        return Results.Redirect(IsLocal(returnUrl) ? returnUrl : context.Request.PathBase + OurPaths.Dashboard);
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, IAuthenticationSchemeProvider schemes, ILedger ledger, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
            return Problems.Of(StatusCodes.Status400BadRequest, "Sign out with the button of the dashboard.");
        await context.SignOutAsync(AccessHandler.SessionName);
        if (await schemes.GetDefaultSignOutSchemeAsync() is { } own && own.Name is not (AccessHandler.SchemeName or AccessHandler.SessionName))
            await context.SignOutAsync(own.Name);
        await ledger.AuditAsync(Callers.NameOf(context), "logout", $"session of {Callers.NameOf(context)}", null, CancellationToken.None);
        return Results.NoContent();
    }

    private static IResult TooMany(HttpContext context, IAntiforgery antiforgery, string returnUrl, int seconds)
    {
        context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Page(context, antiforgery, returnUrl, $"Too many attempts. Wait {seconds} seconds.", StatusCodes.Status429TooManyRequests);
    }

    private static IResult Page(HttpContext context, IAntiforgery antiforgery, string? returnUrl, string? error, int status)
    {
        context.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        // This forbids caching, too.
        var tokens = antiforgery.GetAndStoreTokens(context);
        var page = Markup.Of(
            $"""
            <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sign in - AiWorkflows</title><style>{Markup.Raw(Style)}</style></head>
            <body><main><h1>AiWorkflows</h1><form method="post" action="{context.Request.PathBase + OurPaths.Login}" autocomplete="off"><label for="key">Key</label><input id="key" name="key" type="password" required autofocus spellcheck="false" maxlength="200">
            <input type="hidden" name="returnUrl" value="{(IsLocal(returnUrl) ? returnUrl! : "")}"><input type="hidden" name="{tokens.FormFieldName}" value="{tokens.RequestToken!}">
            {(error is null ? Markup.Empty : Markup.Of($"<p class=\"error\" role=\"alert\">{error}</p>"))}<button type="submit">Sign in</button></form><p>A key begins with <code>awk_</code>. Whoever runs this host makes one with <code>keys create</code>.</p></main></body></html>
            """);
        return Results.Content(page.ToString(), "text/html; charset=utf-8", Encoding.UTF8, status);
    }

    /// <summary>Whether an address leads to a page of this host and nowhere else.</summary>
    internal static bool IsLocal(string? url) => url is ['/', ..] && url is not ['/', '/' or '\\', ..] && !url.Any(char.IsControl);
}
