using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Encodings.Web;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Tests.Workflows;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AiWorkflows.Tests.Hosting.Security;

public sealed class AccessTests(SharedSecuredHost shared) : IClassFixture<SharedSecuredHost>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_taken_from_either_header_and_what_it_does_is_done_in_its_name_from_its_address()
    {
        await using var host = await SecuredHost.StartAsync();
        using var client = host.Client(host.Operator);
        var run = (await (await client.PostAsync("/api/workflows/by-hand/runs", null, Ct)).Content.ReadFromJsonAsync<System.Text.Json.JsonElement>(Ct));
        run.GetProperty("requested_by").GetString().ShouldBe("otto");

        using var other = host.Client();
        other.DefaultRequestHeaders.Add("X-Api-Key", host.Viewer);
        (await other.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.AuditAsync()).ShouldContain(line => line.StartsWith("otto run run ", StringComparison.Ordinal) && line.EndsWith(" 127.0.0.1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("awk_aaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("nonsense")]
    [InlineData("awk_")]
    public async Task A_wrong_key_is_refused_and_says_so(string key)
    {
        var host = shared.Host;
        using var client = host.Client(key);
        using var response = await client.GetAsync("/api/runs/1", Ct);

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer realm=\"AiWorkflows\", error=\"invalid_token\"");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var text = await response.Content.ReadAsStringAsync(Ct);
        text.ShouldContain("was revoked or has expired");
        text.ShouldNotContain(key);
    }

    [Fact]
    public async Task A_role_that_does_not_suffice_is_named()
    {
        await using var host = await SecuredHost.StartAsync();
        using var client = host.Client(host.Viewer);
        using var response = await client.PostAsync("/api/runs/1/cancel", null, Ct);

        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Content.ReadAsStringAsync(Ct)).ShouldContain("vera may not do this; it takes the role operator.");
    }

    [Fact]
    public async Task A_key_that_is_made_or_revoked_while_the_host_serves_counts_within_two_seconds_and_an_expired_one_not_at_all()
    {
        await using var host = await SecuredHost.StartAsync();
        var (id, key) = ApiKey.Create();
        (await host.Keys.AddAsync(id, "late", "viewer", ApiKey.HashOf(key), null, "test", Ct)).ShouldBeTrue();
        var (oldId, old) = ApiKey.Create();
        (await host.Keys.AddAsync(oldId, "old", "viewer", ApiKey.HashOf(old), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc), "test", Ct)).ShouldBeTrue();
        using var client = host.Client(key);
        using var expired = host.Client(old);

        (await expired.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        await BecomesAsync(client, allowed: true);
        (await host.Keys.RevokeAsync("late", "test", Ct)).ShouldBeTrue();
        await BecomesAsync(client, allowed: false);
        (await expired.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldNotBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Attempts_are_recorded_and_limited_and_a_good_key_still_works()
    {
        await using var host = await SecuredHost.StartAsync();
        using var guesser = host.Client("awk_guess");
        HttpStatusCode[] statuses = [.. await Task.WhenAll(Enumerable.Range(0, 15).Select(async _ => (await guesser.GetAsync("/api/runs/1", Ct)).StatusCode))];
        using var refused = await guesser.GetAsync("/api/runs/1", Ct);

        statuses.Count(s => s == HttpStatusCode.Unauthorized).ShouldBeInRange(10, 11);
        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 60);
        (await host.AuditAsync()).Count(line => line == "unknown login-failed api key 127.0.0.1").ShouldBeInRange(10, 11);
        using var good = host.Client(host.Viewer);
        (await good.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Off_loopback_a_host_with_a_key_serves_and_stays_closed_when_the_key_is_revoked()
    {
        using var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        await using (var first = ServedHost.Build(directory.FullName))
            (await first.RunAsync("keys", "create", "ci", "--role", "operator")).ShouldBe(0);
        await using var host = await ServedHost.StartAsync(directory.FullName, settings: new() { ["AiWorkflows:Urls"] = "http://0.0.0.0:0" });
        (await host.Http.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        await using (var other = ServedHost.Build(directory.FullName))
            (await other.RunAsync("keys", "revoke", "ci")).ShouldBe(0);

        await Task.Delay(TimeSpan.FromSeconds(2.2), Ct);
        (await host.Http.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("AiWorkflows:Security:RequireAuthentication", "false", "RequireAuthentication is false. Listen on loopback")]
    [InlineData("AiWorkflows:Security:ApiKeys:x:Hash", "awk_secret", "Hash is no SHA-256 in hexadecimal (64 digits)")]
    [InlineData("AiWorkflows:Security:ApiKeys:x:Role", "admin", "Role is 'admin'; it can be viewer or operator.")]
    [InlineData("AiWorkflows:Security:RequestsPerSecond", "many", "give a number from 0 to 1000000")]
    [InlineData("AiWorkflows:Security:MaxBodyByte", "1", "did you mean MaxBodyBytes?")]
    public async Task Wrong_settings_are_exit_code_2_and_repeat_no_secret(string key, string value, string message)
    {
        using var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        await using var host = ServedHost.Build(directory.FullName, settings: new() { ["AiWorkflows:Urls"] = "http://0.0.0.0:0", [key] = value });
        (await host.RunAsync("serve")).ShouldBe(2);
        host.Error.ShouldContain(message);
        host.Error.ShouldNotContain("awk_secret");
    }

    [Fact]
    public async Task Where_authentication_is_switched_off_on_loopback_keys_are_not_asked_for()
    {
        await using var host = await SecuredHost.StartAsync(new() { ["AiWorkflows:Security:RequireAuthentication"] = "false" });
        using var client = host.Client();
        (await client.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Another_scheme_lets_people_in_by_their_role_claims()
    {
        await using var host = await SecuredHost.StartAsync(configure: builder => builder.Services.AddAuthentication("Fake").AddScheme<AuthenticationSchemeOptions, FakeHandler>("Fake", null));
        using var client = host.Client();
        (await client.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        client.DefaultRequestHeaders.Add("X-Fake", "grace:operator");
        (await client.PostAsync("/api/workflows/by-hand/runs", null, Ct)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await host.AuditAsync()).ShouldContain(line => line.StartsWith("grace run run ", StringComparison.Ordinal));
        client.DefaultRequestHeaders.Remove("X-Fake");
        client.DefaultRequestHeaders.Add("X-Fake", "grace:accountant");
        (await client.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await client.GetAsync("/hangfire/runs", Ct)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        using var withKey = host.Client(host.Viewer);
        (await withKey.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_scheme_alone_is_authentication_enough_and_a_policy_of_the_program_decides()
    {
        using var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        await using var host = await ServedHost.StartAsync(directory.FullName, settings: new() { ["AiWorkflows:Urls"] = "http://0.0.0.0:0" }, configure: builder =>
        {
            builder.Services.AddAuthentication("Fake").AddScheme<AuthenticationSchemeOptions, FakeHandler>("Fake", null);
            builder.Services.AddAuthorizationBuilder().AddPolicy(AiWorkflowsPolicies.Viewer, policy => policy.RequireRole("accountant"));
        });
        (await host.Http.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        host.Http.DefaultRequestHeaders.Add("X-Fake", "grace:accountant");
        (await host.Http.GetAsync("/api/runs/1", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await host.Http.PostAsync("/api/runs/1/cancel", null, Ct)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_proxy_before_a_host_without_authentication_is_refused()
    {
        using var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        await using var host = await ServedHost.StartAsync(directory.FullName);
        host.Http.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.7");
        using var response = await host.Http.GetAsync("/api/runs/1", Ct);
        response.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await response.Content.ReadAsStringAsync(Ct)).ShouldContain("A proxy forwards to this host");
    }

    private static async Task BecomesAsync(HttpClient client, bool allowed)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(TimeSpan.FromSeconds(4));
        while ((await client.GetAsync("/api/runs/1", patience.Token)).IsSuccessStatusCode != allowed)
            await Task.Delay(50, patience.Token);
    }

    private sealed class FakeHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-Fake"].ToString().Split(':') is not [var name, var role])
                return Task.FromResult(AuthenticateResult.NoResult());
            var identity = new ClaimsIdentity([new("sub", name), new("role", role)], "Fake", "sub", "role");
            return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(identity), "Fake")));
        }
    }
}
