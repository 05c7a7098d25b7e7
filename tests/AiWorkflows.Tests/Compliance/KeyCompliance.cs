using System.Net;
using AiWorkflows.Hosting;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Storage.Security;
using AiWorkflows.Tests.Hosting.Security;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every store promises about the keys that let people in, and about those that cookies are encrypted with.</summary>
public abstract class KeyCompliance : LedgerSuite
{
    private static readonly string Hash = new('a', 64);

    [Fact]
    public async Task A_key_is_in_force_until_it_is_revoked_and_its_name_is_free_again_then()
    {
        await using var store = await OpenAsync();
        var keys = new ApiKeyStore(store.Database);
        (await keys.AddAsync("id1", "ci", "operator", Hash, null, "ada", default)).ShouldBeTrue();
        (await keys.AddAsync("id2", "ci", "viewer", Hash, null, "ada", default)).ShouldBeFalse();
        (await keys.AddAsync("id3", "CI", "viewer", Hash, null, "ada", default)).ShouldBeTrue();

        var made = (await keys.ListAsync(default)).Single(k => k.KeyId == "id1");
        (made.KeyName, made.Role, made.Hash, made.CreatedBy, made.IsActive, made.ExpiresAt, made.RevokedAt).ShouldBe(("ci", "operator", Hash, "ada", 1L, null, null));
        made.CreatedAt.Value.Year.ShouldBeGreaterThan(2020);

        (await keys.RevokeAsync("ci", "bob", default)).ShouldBeTrue();
        (await keys.RevokeAsync("ci", "bob", default)).ShouldBeFalse();
        var revoked = (await keys.ListAsync(default)).Single(k => k.KeyId == "id1");
        (revoked.IsActive, revoked.RevokedBy).ShouldBe((0L, "bob"));
        (await keys.AddAsync("id4", "ci", "viewer", Hash, null, "ada", default)).ShouldBeTrue();
        (await keys.ListAsync(default)).Where(k => k.IsActive == 1).Select(k => k.KeyId).ShouldBe(["id3", "id4"]);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE action = 'key-create'")).ShouldBe(3);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE action = 'key-revoke' AND done_by = 'bob' AND subject = 'key ci'")).ShouldBe(1);
    }

    [Fact]
    public async Task An_expired_key_is_not_in_force_and_gives_its_name_free()
    {
        await using var store = await OpenAsync();
        var keys = new ApiKeyStore(store.Database);
        (await keys.AddAsync("id1", "ci", "viewer", Hash, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc), "ada", default)).ShouldBeTrue();
        (await keys.AddAsync("id2", "soon", "viewer", Hash, new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc), "ada", default)).ShouldBeTrue();
        (await keys.ListAsync(default)).Where(k => k.IsActive == 1).Select(k => k.KeyId).ShouldBe(["id2"]);
        (await keys.AddAsync("id3", "ci", "viewer", Hash, null, "ada", default)).ShouldBeTrue();
    }

    [Fact]
    public async Task Of_many_who_make_a_key_of_one_name_at_once_one_succeeds()
    {
        await using var store = await OpenAsync();
        var keys = new ApiKeyStore(store.Database);
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => keys.AddAsync($"id{i}", "ci", "viewer", Hash, null, "ada", default))));
        made.Count(m => m).ShouldBe(1);
        (await keys.ListAsync(default)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task The_audit_says_from_where_somebody_acted()
    {
        await using var store = await OpenAsync();
        Caller.Current = new("ada", "203.0.113.7");
        await store.Ledger.AuditAsync("ada", "promote", "model m", null, default);
        Caller.Current = null;
        await store.Ledger.AuditAsync("ada@host", "promote", "model m", null, default);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE done_by = 'ada' AND done_from = '203.0.113.7'")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE done_by = 'ada@host' AND done_from IS NULL")).ShouldBe(1);
    }

    [Fact]
    public async Task Keys_of_cookies_come_back_as_they_were_in_the_order_of_their_making()
    {
        await using var store = await OpenAsync();
        var keys = new ProtectionKeyStore(store.Database);
        (await keys.ListAsync(default)).ShouldBeEmpty();
        string[] xml = ["<key id=\"1\"><a>ä</a></key>", "<key id=\"2\">" + new string('x', 10_000) + "</key>"];
        foreach (var key in xml)
            await keys.AddAsync("key", key, default);
        (await keys.ListAsync(default)).ShouldBe(xml);
    }

    [Fact]
    public async Task A_session_of_one_host_works_on_another_of_the_same_database_and_ends_on_both_with_its_key()
    {
        await using var store = await OpenAsync();
        var (id, key) = ApiKey.Create();
        (await new ApiKeyStore(store.Database).AddAsync(id, "ada", "viewer", ApiKey.HashOf(key), null, "test", default)).ShouldBeTrue();
        await using var first = await GuardedHostAsync(store);
        await using var second = await GuardedHostAsync(store);
        // A cookie belongs to a name, not to a port: one browser, both hosts.
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new() });
        Uri[] pages = [new(first.Urls.First() + "/hangfire/page"), new(second.Urls.First() + "/hangfire/page")];
        foreach (var page in pages)
            (await browser.GetAsync(page)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        (await LoginTests.SignInAsync(browser, key, "", pages[0])).StatusCode.ShouldBe(HttpStatusCode.Redirect);

        foreach (var page in pages)
            (await browser.GetStringAsync(page)).ShouldBe("ada");
        (await new ApiKeyStore(store.Database).RevokeAsync("ada", "test", default)).ShouldBeTrue();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(4));
        foreach (var page in pages)
            while ((await browser.GetAsync(page, patience.Token)).StatusCode != HttpStatusCode.Unauthorized)
                await Task.Delay(50, patience.Token);
    }

    /// <summary>What guards a host, before a page that tells who is looking.</summary>
    private static async Task<WebApplication> GuardedHostAsync(TestStore store)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var settings = HostSettings.Resolve(new(), [], Path.GetTempPath(), "code");
        builder.Services.AddSingleton(settings).AddSingleton(store.Database).AddSingleton(store.Ledger).AddSingleton(new ApiKeyStore(store.Database)).AddSingleton(new ProtectionKeyStore(store.Database));
        builder.Services.AddSingleton(TimeProvider.System).AddAntiforgery();
        builder.AddSecurity(settings);
        var app = builder.Build();
        app.UseSecurity();
        app.MapGet("/hangfire/page", (HttpContext http) => Callers.NameOf(http)).RequireAuthorization(AiWorkflowsPolicies.Viewer);
        await app.StartAsync();
        return app;
    }
}
