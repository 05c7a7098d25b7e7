using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>A provider of OpenID Connect that lets somebody in without asking: discovery, keys, authorization by code with PKCE, tokens.</summary>
internal sealed class OpenIdProvider : IAsyncDisposable
{
    private const string Client = "aiworkflows";
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge, string Redirect)> _codes = [];
    private WebApplication _app = null!;

    public string Url => _app.Urls.Single();

    /// <summary>Who is at the browser.</summary>
    public (string Name, string[] Roles) Person { get; set; } = ("ada", []);

    public int Tokens { get; private set; }

    public static async Task<OpenIdProvider> StartAsync()
    {
        var provider = new OpenIdProvider();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        provider._app = builder.Build();
        provider._app.MapGet("/.well-known/openid-configuration", () => new
        {
            issuer = provider.Url, authorization_endpoint = provider.Url + "/authorize", token_endpoint = provider.Url + "/token", jwks_uri = provider.Url + "/keys",
            response_types_supported = new[] { "code" }, subject_types_supported = new[] { "public" }, id_token_signing_alg_values_supported = new[] { "RS256" },
        });
        provider._app.MapGet("/keys", () =>
        {
            var key = provider._rsa.ExportParameters(false);
            return new { keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = "1", n = Base64UrlEncoder.Encode(key.Modulus!), e = Base64UrlEncoder.Encode(key.Exponent!) } } };
        });
        provider._app.MapGet("/authorize", provider.Authorize);
        provider._app.MapPost("/token", provider.TokenAsync);
        await provider._app.StartAsync();
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _rsa.Dispose();
    }

    /// <summary>Sends the browser back with a form that posts itself, as providers do.</summary>
    private IResult Authorize(HttpRequest request)
    {
        string Asked(string name) => request.Query[name].ToString();
        if (Asked("client_id") != Client || Asked("response_type") != "code" || Asked("response_mode") != "form_post" || Asked("code_challenge_method") != "S256" || !Asked("scope").Contains("openid", StringComparison.Ordinal))
            return Results.BadRequest(request.QueryString.Value);
        var code = Guid.NewGuid().ToString("N");
        _codes[code] = (Asked("nonce"), Asked("code_challenge"), Asked("redirect_uri"));
        return Results.Content($"""
            <form method="post" action="{Asked("redirect_uri")}"><input name="code" value="{code}"><input name="state" value="{System.Net.WebUtility.HtmlEncode(Asked("state"))}"></form><script>document.forms[0].submit()</script>
            """, "text/html");
    }

    private async Task<IResult> TokenAsync(HttpRequest request)
    {
        var form = await request.ReadFormAsync();
        if (!_codes.TryRemove(form["code"].ToString(), out var asked) || form["client_id"] != Client || form["client_secret"] != "secret" || form["redirect_uri"] != asked.Redirect
            || Base64UrlEncoder.Encode(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != asked.Challenge)
            return Results.Json(new { error = "invalid_grant" }, statusCode: 400);
        Tokens++;
        var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = Url, Audience = Client, Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1),
            Claims = new Dictionary<string, object> { ["sub"] = "42", ["nonce"] = asked.Nonce, ["preferred_username"] = Person.Name, ["roles"] = Person.Roles },
            SigningCredentials = new(new RsaSecurityKey(_rsa) { KeyId = "1" }, SecurityAlgorithms.RsaSha256),
        });
        return Results.Json(new { access_token = "a", token_type = "Bearer", expires_in = 3600, id_token = token });
    }
}
