using System.Net;
using System.Text.Json;
using AiWorkflows.Models;
using AiWorkflows.Tests.Cli;
using AiWorkflows.Tests.Inference.Online;
using AiWorkflows.Tests.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.Tests.Hosting;

/// <summary><c>/health/ready</c> in each state of a host. A store that is away is in OutageTests.</summary>
public sealed class ReadinessTests(FinishedShop finished) : IClassFixture<FinishedShop>
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Before_the_database_is_migrated_a_host_is_alive_but_not_ready()
    {
        await using var shop = new ShopHost();
        shop.Settings["AiWorkflows:Urls"] = "http://127.0.0.1:0";
        shop.Settings["Logging:LogLevel:Microsoft.AspNetCore"] = "None";
        await using var app = shop.Build(new TextConsole());
        app.Urls.Add("http://127.0.0.1:0");
        // As a program that serves pages of its own, and has not begun with ours.
        await app.StartAsync(Ct);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        (await http.GetAsync("/health/live", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await ReadyAsync(http)).ShouldBe((503, "starting", []));
        await app.StopAsync(Ct);
    }

    [Fact]
    public async Task Without_a_champion_a_host_is_ready_with_a_warning_and_not_ready_where_one_is_required()
    {
        await using var closed = new ShopHost();
        await File.WriteAllTextAsync(Path.Combine(closed.Directory, "closed"), "", Ct);
        await using (var shop = await ServedShop.StartAsync(closed.Directory))
        {
            var (status, _, warnings) = await ReadyAsync(shop.Http);
            status.ShouldBe(200);
            warnings.ShouldBe(["model buy has no champion, so predictions are refused"]);
            var (refused, problem) = await shop.PredictAsync(new { instances = new[] { new { visit_id = 1 } } });
            refused.ShouldBe(409);
            problem.GetProperty("detail").GetString()!.ShouldContain("has no champion that can answer; train one");
        }
        await using (var shop = await ServedShop.StartAsync(closed.Directory, new() { ["AiWorkflows:Online:RequiredModels:0"] = "buy" }))
            (await ReadyAsync(shop.Http)).ShouldBe((503, "model buy has no champion", []));
    }

    [Theory]
    [InlineData("DELETE FROM model_registry_aliases", "model buy has no champion")]
    [InlineData("UPDATE model_registry_aliases SET version = 2; INSERT INTO model_registry_versions SELECT * FROM broken_version", "Model buy v2 cannot be loaded")]
    public async Task A_host_without_the_champion_that_it_needs_becomes_ready_when_there_is_one(string damage, string reason)
    {
        await using var copy = finished.Copy();
        Execute(copy, Broken(damage));
        await using var shop = await ServedShop.StartAsync(copy.Directory, new() { ["AiWorkflows:Online:RequiredModels"] = "buy" });
        await UntilAsync(shop, r => r.Reason is { } why && why.StartsWith(reason, StringComparison.Ordinal));
        await shop.Services.GetRequiredService<IModelRegistry>().SetAliasAsync(new("buy", "champion", 1, "test", "there it is"), Ct);
        await UntilAsync(shop, r => r.Status == 200);
        (await shop.PredictAsync(new { instances = new[] { new { visit_id = 1 } } })).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_host_that_closes_down_says_so_while_its_stages_end()
    {
        using var directory = new TempDirectory();
        directory.File("appsettings.json", "{}");
        var (entered, leave) = (new TaskCompletionSource(), new TaskCompletionSource());
        var probe = new Probe();
        probe.Before["outcome"] = async (_, _) =>
        {
            entered.TrySetResult();
            await leave.Task;
        };
        await using var host = await ServedHost.StartAsync(directory.FullName, probe);
        await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 202, new { from = "2001-01-01T00:00:00Z", to = "2001-01-02T00:00:00Z" });
        await entered.Task.WaitAsync(TimeSpan.FromMinutes(1), Ct);
        (await ReadyAsync(host.Http)).Status.ShouldBe(200);
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        (int Status, string? Reason, string[]) ready;
        while ((ready = await ReadyAsync(host.Http)).Status == 200)
            await Task.Delay(20, patience.Token);
        (ready.Status, ready.Reason).ShouldBe((503, "stopping"));
        (await host.Http.GetAsync("/health/live", Ct)).StatusCode.ShouldBe(HttpStatusCode.OK);
        leave.SetResult();
        (await host.StopAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_required_model_that_no_pipeline_uses_is_refused_at_the_start()
    {
        foreach (var (setting, value) in new[] { ("AiWorkflows:Online:RequiredModels:0", "by"), ("AiWorkflows:Online:Challengers:by:Shadow", "true") })
        {
            await using var shop = new ShopHost();
            shop.Settings[setting] = setting.EndsWith('0') ? value : "true";
            var served = await shop.RunAsync("serve");
            served.Code.ShouldBe(2, served.ToString());
            served.Error.ShouldContain("Unknown model 'by': did you mean buy?");
        }
    }

    /// <summary>A second version, whose artifact is no model.</summary>
    private static string Broken(string damage) => $"""
        CREATE TEMP TABLE broken_version AS SELECT * FROM model_registry_versions WHERE version = 1;
        UPDATE broken_version SET version = 2, artifact_sha256 = 'none';
        INSERT INTO model_registry_artifacts (sha256, bytes, content, created_at) VALUES ('none', 2, X'0102', 0);
        {damage}
        """;

    private static void Execute(ShopHost shop, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(shop.DataDirectory, "aiworkflows.db")};Pooling=False;Foreign Keys=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task UntilAsync(ServedShop shop, Func<(int Status, string? Reason, string[] Warnings), bool> isSo)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        for (var ready = await ReadyAsync(shop.Http); !isSo(ready); ready = await ReadyAsync(shop.Http))
        {
            patience.IsCancellationRequested.ShouldBeFalse(ready.ToString());
            await Task.Delay(20, Ct);
        }
    }

    private static async Task<(int Status, string? Reason, string[] Warnings)> ReadyAsync(HttpClient http)
    {
        using var response = await http.GetAsync("/health/ready", Ct);
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Ct)).RootElement;
        return ((int)response.StatusCode, body.TryGetProperty("reason", out var reason) ? reason.GetString() : null,
            body.TryGetProperty("warnings", out var warnings) ? [.. warnings.EnumerateArray().Select(w => w.GetString()!)] : []);
    }
}
