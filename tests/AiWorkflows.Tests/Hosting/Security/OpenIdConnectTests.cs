using System.Net;
using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using AiWorkflows.Tests.Docs;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>Other ways to sign in than keys: the examples of docs/security.md with a provider of OpenID Connect, and a scheme of the program's own.</summary>
public sealed partial class OpenIdConnectTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Browsers_are_led_to_the_provider_and_come_back_with_the_roles_that_it_knows()
    {
        await Snippets.IsShownAsync("security.md", "Hosting/Security/OpenIdConnectTests.cs", "openid");
        await using var provider = await OpenIdProvider.StartAsync();
        await using var host = await SecuredHost.StartAsync(configure: builder => UseProvider(builder, provider.Url));

        provider.Person = ("ada", ["viewer"]);
        using var ada = await SignInAsync(host, provider);
        using (var page = await ada.GetAsync("/hangfire/runs", Ct))
        {
            page.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await page.Content.ReadAsStringAsync(Ct)).ShouldContain("ada");
        }
        (await ada.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await RequestRunAsync(ada)).ShouldBe(HttpStatusCode.Forbidden);

        provider.Person = ("grace", ["operator"]);
        using var grace = await SignInAsync(host, provider);
        (await RequestRunAsync(grace)).ShouldBe(HttpStatusCode.Accepted);
        (await host.AuditAsync()).ShouldContain(line => line.StartsWith("grace run ", StringComparison.Ordinal));

        // Somebody whom the provider knows, and nobody has given a role.
        provider.Person = ("eve", ["sales"]);
        using var eve = await SignInAsync(host, provider);
        (await eve.GetAsync("/hangfire/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await eve.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        provider.Tokens.ShouldBe(3);

        // Programs go on using keys, and the login page takes them all the same.
        using var nobody = host.Client();
        (await nobody.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var program = host.Client(host.Viewer);
        (await program.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await nobody.GetAsync("/login", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_answer_that_the_provider_has_not_given_to_this_browser_lets_nobody_in()
    {
        await using var provider = await OpenIdProvider.StartAsync();
        await using var host = await SecuredHost.StartAsync(configure: builder => UseProvider(builder, provider.Url));
        provider.Person = ("ada", ["operator"]);
        using var mine = host.Client(cookies: true);
        var (action, fields) = await LedToProviderAsync(mine, provider);
        // The form of my sign-in, sent by another browser.
        using var other = host.Client(cookies: true);
        using var refused = await other.PostAsync(action, new FormUrlEncodedContent(fields), Ct);
        ((int)refused.StatusCode).ShouldBeGreaterThanOrEqualTo(400);
        (await other.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        provider.Tokens.ShouldBe(0);
    }

    [Fact]
    public async Task Groups_of_the_provider_take_the_place_of_our_roles_where_a_policy_says_so()
    {
        await Snippets.IsShownAsync("security.md", "Hosting/Security/OpenIdConnectTests.cs", "policies");
        await using var provider = await OpenIdProvider.StartAsync();
        await using var host = await SecuredHost.StartAsync(configure: builder =>
        {
            UseProvider(builder, provider.Url);
            #region policies
            builder.Services.AddAuthorizationBuilder()
                .AddPolicy(AiWorkflowsPolicies.Viewer, policy => policy.RequireRole("data-science", "ml-ops"))
                .AddPolicy(AiWorkflowsPolicies.Operator, policy => policy.RequireRole("ml-ops"));
            #endregion
        });
        provider.Person = ("ada", ["data-science"]);
        using var ada = await SignInAsync(host, provider);
        (await ada.GetAsync("/hangfire/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await RequestRunAsync(ada)).ShouldBe(HttpStatusCode.Forbidden);
        provider.Person = ("grace", ["ml-ops"]);
        using var grace = await SignInAsync(host, provider);
        (await RequestRunAsync(grace)).ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task A_scheme_of_the_programs_own_is_asked_beside_keys()
    {
        await using var host = await SecuredHost.StartAsync(configure: builder =>
            builder.Services.AddAuthentication().AddScheme<AuthenticationSchemeOptions, GatewayHandler>("gateway", null));
        using var ada = host.Client();
        ada.DefaultRequestHeaders.Add("X-Gateway-User", "ada:viewer");
        (await ada.GetAsync("/hangfire/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await RequestRunAsync(ada)).ShouldBe(HttpStatusCode.Forbidden);
        using var grace = host.Client();
        grace.DefaultRequestHeaders.Add("X-Gateway-User", "grace:operator");
        (await RequestRunAsync(grace)).ShouldBe(HttpStatusCode.Accepted);
        (await host.AuditAsync()).ShouldContain(line => line.StartsWith("grace run ", StringComparison.Ordinal));
        using var nobody = host.Client();
        (await nobody.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var program = host.Client(host.Operator);
        (await program.GetAsync("/api/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static void UseProvider(WebApplicationBuilder builder, string provider)
    {
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["Oidc:Authority"] = provider, ["Oidc:ClientId"] = "aiworkflows", ["Oidc:ClientSecret"] = "secret" });
        #region openid
        builder.Services.AddAuthentication(options =>
            {
                options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
                options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
            })
            .AddCookie()
            .AddOpenIdConnect(options =>
            {
                options.Authority = builder.Configuration["Oidc:Authority"];
                options.ClientId = builder.Configuration["Oidc:ClientId"];
                options.ClientSecret = builder.Configuration["Oidc:ClientSecret"];
                options.ResponseType = "code";
                options.MapInboundClaims = false;
                options.TokenValidationParameters.NameClaimType = "preferred_username";
                options.TokenValidationParameters.RoleClaimType = "roles";
            });
        #endregion
        // The provider of this test has no certificate, and neither has the host, whose cookies a browser would only send back over https.
        builder.Services.Configure<OpenIdConnectOptions>(OpenIdConnectDefaults.AuthenticationScheme, options =>
        {
            options.RequireHttpsMetadata = false;
            options.CorrelationCookie.SecurePolicy = options.NonceCookie.SecurePolicy = Microsoft.AspNetCore.Http.CookieSecurePolicy.None;
        });
    }

    /// <summary>As a browser does: asks for a page, is led to the provider, and posts back the form that it gets there.</summary>
    private static async Task<HttpClient> SignInAsync(SecuredHost host, OpenIdProvider provider)
    {
        var browser = host.Client(cookies: true);
        var (action, fields) = await LedToProviderAsync(browser, provider);
        action.ShouldBe(new Uri(browser.BaseAddress!, "/signin-oidc").ToString());
        using var back = await browser.PostAsync(action, new FormUrlEncodedContent(fields), Ct);
        back.StatusCode.ShouldBe(HttpStatusCode.Redirect, await back.Content.ReadAsStringAsync(Ct));
        new Uri(browser.BaseAddress!, back.Headers.Location!).PathAndQuery.ShouldBe("/hangfire/runs?state=failed");
        return browser;
    }

    private static async Task<(string Action, Dictionary<string, string> Fields)> LedToProviderAsync(HttpClient browser, OpenIdProvider provider)
    {
        using var asked = new HttpRequestMessage(HttpMethod.Get, "/hangfire/runs?state=failed");
        asked.Headers.Accept.ParseAdd("text/html");
        using var led = await browser.SendAsync(asked, Ct);
        led.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        led.Headers.Location!.GetLeftPart(UriPartial.Path).ShouldBe(provider.Url + "/authorize");
        using var elsewhere = new HttpClient();
        var form = await elsewhere.GetStringAsync(led.Headers.Location, Ct);
        return (Action().Match(form).Groups[1].Value, Field().Matches(form).ToDictionary(m => m.Groups[1].Value, m => WebUtility.HtmlDecode(m.Groups[2].Value)));
    }

    private static async Task<HttpStatusCode> RequestRunAsync(HttpClient client)
    {
        using var response = await client.PostAsync("/api/workflows/by-hand/runs", new StringContent("""{"from":"2001-01-01T00:00:00Z","to":"2001-01-02T00:00:00Z"}""", Encoding.UTF8, "application/json"), Ct);
        return response.StatusCode;
    }

    [GeneratedRegex("action=\"([^\"]+)\"")]
    private static partial Regex Action();

    [GeneratedRegex("name=\"([^\"]+)\" value=\"([^\"]+)\"")]
    private static partial Regex Field();

    /// <summary>Believes a header, as behind a gateway that has asked for the name.</summary>
    private sealed class GatewayHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(Request.Headers["X-Gateway-User"].ToString().Split(':') is [var name, var role]
            ? AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, name), new(ClaimTypes.Role, role)], Scheme.Name)), Scheme.Name))
            : AuthenticateResult.NoResult());
    }
}
