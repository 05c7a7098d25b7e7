using System.Security.Claims;
using System.Text.Encodings.Web;
using AiWorkflows.Hosting.Api;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AiWorkflows.Hosting.Security;

/// <summary>
/// Who is asking: the holder of a key, somebody who signed in with one in a browser, or whoever the program's own scheme knows. Refusals are problem+json,
/// or the way to sign in where a browser asks for a page.
/// </summary>
internal sealed class AccessHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, KeyDirectory keys, AccessState access, Attempts attempts, IAuthenticationSchemeProvider schemes)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The scheme that our policies ask.</summary>
    public const string SchemeName = "AiWorkflows";

    /// <summary>The cookie of a browser that has signed in with a key.</summary>
    public const string SessionName = "AiWorkflows.Session";

    /// <summary>Claim with the id of the key.</summary>
    public const string KeyIdClaim = "aiworkflows:key";

    public const string Header = "X-Api-Key";

    private const string Bearer = "Bearer ";
    private int? _retryAfter;

    public static ClaimsPrincipal PrincipalOf(KnownKey key) => new(new ClaimsIdentity(
        [new(ClaimTypes.Name, key.Name), new(ClaimTypes.Role, key.Role), new(KeyIdClaim, key.Id)], SchemeName, ClaimTypes.Name, ClaimTypes.Role));

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        await access.RefreshAsync(Context.RequestAborted);
        if (access.IsOpen)
            return AuthenticateResult.NoResult();
        var own = await access.SchemesAsync();
        if (Presented(own.Count > 0) is { } presented)
        {
            if (keys.Find(presented) is { } key)
                return Success(PrincipalOf(key));
            _retryAfter = await attempts.FailedAsync(Context, "api key", ApiKey.IdOf(presented));
            return AuthenticateResult.Fail("The key is unknown, was revoked or has expired.");
        }
        var session = await Context.AuthenticateAsync(SessionName);
        if (session.Succeeded)
            return Success(session.Principal);
        foreach (var scheme in own)
            if (await Context.AuthenticateAsync(scheme.Name) is { Succeeded: true } found)
                return Success(found.Principal);
        return AuthenticateResult.NoResult();
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (IsPage(Request))
        {
            var challenge = await schemes.GetDefaultChallengeSchemeAsync();
            if (challenge is not null && challenge.Name is not (SchemeName or SessionName))
                await Context.ChallengeAsync(challenge.Name, properties);
            else
                Response.Redirect($"{Request.PathBase}{OurPaths.Login}?returnUrl={Uri.EscapeDataString($"{Request.PathBase}{Request.Path}{Request.QueryString}")}");
            return;
        }
        if (_retryAfter is { } seconds)
        {
            await Problems.WriteAsync(Context, StatusCodes.Status429TooManyRequests, "Too many attempts with keys that are not in force; wait.", retryAfter: seconds);
            return;
        }
        var why = (await HandleAuthenticateOnceSafeAsync()).Failure?.Message;
        Response.Headers.WWWAuthenticate = why is null ? "Bearer realm=\"AiWorkflows\"" : "Bearer realm=\"AiWorkflows\", error=\"invalid_token\"";
        await Problems.WriteAsync(Context, StatusCodes.Status401Unauthorized, why ?? "Send a key as 'Authorization: Bearer awk_…' or 'X-Api-Key: awk_…'; `keys create` makes one.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Problems.WriteAsync(
        Context, StatusCodes.Status403Forbidden, $"{Callers.NameOf(Context.User) ?? "You"} may not do this; it takes the role {(HttpMethods.IsGet(Request.Method) ? Roles.Viewer : Roles.Operator)}.");

    /// <summary>Whether a person in a browser asks for a page, and not a script for data.</summary>
    internal static bool IsPage(HttpRequest request) => HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    /// <summary>A key in one of the headers. A bearer token that is no key of ours is left to the program's own schemes, where it has any.</summary>
    private string? Presented(bool hasOwnSchemes)
    {
        if (Request.Headers[Header].ToString() is { Length: > 0 } header)
            return header;
        var authorization = Request.Headers.Authorization.ToString();
        if (!authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            return null;
        var token = authorization[Bearer.Length..].Trim();
        return hasOwnSchemes && !token.StartsWith(ApiKey.Prefix, StringComparison.Ordinal) ? null : token;
    }

    private static AuthenticateResult Success(ClaimsPrincipal principal) => AuthenticateResult.Success(new(principal, SchemeName));
}
