using System.Net;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace AiWorkflows.Tests.Hosting.Security;

/// <summary>The example of docs/security.md.</summary>
public sealed class OpenIdConnectTests
{
    [Fact]
    public async Task Browsers_are_led_to_the_provider_and_programs_go_on_using_keys()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var host = await SecuredHost.StartAsync(configure: builder =>
            builder.Services.AddAuthentication(options =>
                {
                    options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;
                    options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;
                })
                .AddCookie(cookie => cookie.Cookie.SameSite = SameSiteMode.Strict)
                .AddOpenIdConnect(options =>
                {
                    options.Authority = "https://login.example.com";
                    options.ClientId = "aiworkflows";
                    options.ClientSecret = "secret";
                    options.ResponseType = "code";
                    options.MapInboundClaims = false;
                    options.TokenValidationParameters.NameClaimType = "preferred_username";
                    options.TokenValidationParameters.RoleClaimType = "roles";
                    // What the provider would tell of itself.
                    options.Configuration = new OpenIdConnectConfiguration { AuthorizationEndpoint = "https://login.example.com/authorize", Issuer = "https://login.example.com" };
                }));
        using var browser = host.Client(cookies: true);
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var led = await browser.GetAsync("/hangfire/runs", ct);
        led.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        led.Headers.Location!.GetLeftPart(UriPartial.Path).ShouldBe("https://login.example.com/authorize");
        led.Headers.Location.Query.ShouldContain("client_id=aiworkflows");
        led.Headers.Location.Query.ShouldContain(Uri.EscapeDataString("/signin-oidc"));

        using var nobody = host.Client();
        (await nobody.GetAsync("/api/runs", ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var program = host.Client(host.Viewer);
        (await program.GetAsync("/api/runs", ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        // The login page takes keys all the same.
        (await browser.GetAsync("/login", ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }
}
