using System.Text.Json;
using AiWorkflows.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Cli;

public sealed class RetentionCommandTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    private static readonly string[] Classes = ["StageLogs", "Runs", "Quarantine", "FeatureVersions", "DiscardedCommits", "Predictions", "ModelArtifacts"];

    [Fact]
    public async Task Without_a_policy_everything_is_kept_and_plan_says_so()
    {
        await using var host = shop.Copy();
        var plan = await host.RunAsync("retention", "plan");
        plan.Code.ShouldBe(0, plan.ToString());
        foreach (var kind in Classes)
            plan.Out.ShouldMatch($@"{kind} +kept for ever");
        plan.Out.ShouldContain("No policy is set, so everything is kept");
        (await host.RunAsync("retention", "apply")).Out.ShouldContain("No policy is set");
    }

    [Fact]
    public async Task After_retention_the_model_is_reproduced_its_predictions_are_explained_and_the_lineage_leads_back_to_the_code()
    {
        await using var host = shop.Copy();
        // The refunds are let in: what was quarantined is published, features change, and a new model learns from them.
        await File.WriteAllTextAsync(Path.Combine(host.Directory, "refunds"), "", TestContext.Current.CancellationToken);
        var again = await host.RunAsync("backfill", "shop", "--from", "2024-01-01", "--to", "2024-01-31", "--every", "30d");
        again.Code.ShouldBe(0, again.ToString());
        (await host.RunAsync("run", "shop", "--from", "2024-01-31", "--to", "2024-02-10")).Code.ShouldBe(0);
        var prediction = (await SqlAsync(host, "SELECT prediction_id FROM prediction_log_predictions_all WHERE version = 1 ORDER BY prediction_id LIMIT 1")).GetProperty("prediction_id").GetInt64();
        await BackdateAsync(host);
        string[] explain = ["predictions", "explain", $"{prediction}", "--json"];
        var lineage = (await File.ReadAllTextAsync(Path.Combine(RepositoryRoot(), "docs", "sql.md"), TestContext.Current.CancellationToken)) is var text
            && text[text.IndexOf("WITH wanted", StringComparison.Ordinal)..] is var tail ? tail[..tail.IndexOf("```", StringComparison.Ordinal)] : "";
        var before = (await host.RunAsync(explain), await host.RunAsync("sql", lineage, "--json", "--all"), await host.RunAsync("models", "show", "buy", "1", "--json"));
        foreach (var kind in Classes.Where(c => c != "Predictions"))
            host.Settings[$"AiWorkflows:Retention:{kind}"] = "30d";

        var plan = await host.RunAsync("retention", "plan", "--json");
        var apply = await host.RunAsync("retention", "apply", "--json");
        apply.Code.ShouldBe(0, apply.ToString());
        Rows(apply)["StageLogs"].ShouldBePositive();
        Rows(apply)["Quarantine"].ShouldBePositive();
        Rows(apply).ShouldBe(Rows(plan));

        foreach (var version in new[] { "1", "2" })
        {
            var reproduced = await host.RunAsync("models", "reproduce", "buy", version);
            reproduced.Code.ShouldBe(0, reproduced.ToString());
            reproduced.Out.ShouldContain($"buy v{version}: identical");
        }
        (await host.RunAsync(explain)).ShouldBe(before.Item1);
        (await host.RunAsync("sql", lineage, "--json", "--all")).ShouldBe(before.Item2);
        (await host.RunAsync("models", "show", "buy", "1", "--json")).ShouldBe(before.Item3);

        // A lapsed model and its predictions let go of what they had read, and say so.
        host.Settings["AiWorkflows:Retention:ReproducibleFor"] = "30d";
        host.Settings["AiWorkflows:Retention:Predictions"] = "30d";
        (await host.RunAsync("models", "alias", "buy", "champion", "2")).Code.ShouldBe(0);
        await BackdateAsync(host);
        apply = await host.RunAsync("retention", "apply", "--json");
        Rows(apply)["FeatureVersions"].ShouldBePositive();
        Rows(apply)["Predictions"].ShouldBePositive();
        var lost = await host.RunAsync("models", "reproduce", "buy", "1");
        lost.Code.ShouldBe(1, lost.ToString());
        lost.Out.ShouldContain("Retention has removed versions of");
        (await host.RunAsync("models", "reproduce", "buy", "2")).Code.ShouldBe(0);
        var gone = await host.RunAsync(explain);
        gone.Code.ShouldBe(2);
        gone.Error.ShouldContain("has been removed by retention");
        (await host.RunAsync("features", "get", "buy", "visit_id=35007", "--as-of", "2020-01-01")).Code.ShouldBe(2);
        (await SqlAsync(host, "SELECT COUNT(*) AS n FROM workflows_audit WHERE action = 'retention'")).GetProperty("n").GetInt64().ShouldBeGreaterThan(3);
    }

    [Theory]
    [InlineData("StageLogs", "soon", "give a number with a unit, such as 30d, 36h or 90min")]
    [InlineData("Runs", "30", "give a number with a unit")]
    [InlineData("Predictions", "5min", "keep for at least an hour")]
    [InlineData("Schedule", "every night", "which is no cron expression")]
    [InlineData("Logs", "30d", "Logs")]
    public async Task A_mistake_in_the_policy_is_named(string setting, string value, string message)
    {
        await using var host = new ShopHost();
        host.Settings[$"AiWorkflows:Retention:{setting}"] = value;
        var result = await host.RunAsync("retention", "plan");
        result.Code.ShouldBe(2, result.ToString());
        result.Error.ShouldContain(message);
        result.Error.ShouldContain($"AiWorkflows:Retention");
    }

    private static Dictionary<string, long> Rows(CliResult result)
    {
        using var json = JsonDocument.Parse(result.Out);
        return json.RootElement.EnumerateArray().ToDictionary(l => l.GetProperty("class").GetString()!, l => l.GetProperty("rows").GetInt64());
    }

    private static async Task<JsonElement> SqlAsync(ShopHost host, string query)
    {
        var result = await host.RunAsync("sql", query, "--json");
        result.Code.ShouldBe(0, result.ToString());
        return JsonDocument.Parse(result.Out).RootElement[0];
    }

    private static async Task BackdateAsync(ShopHost host)
    {
        await using var app = host.Build(new TextConsole());
        await app.Services.GetRequiredService<StoreDatabase>().WriteAsync(async tx =>
        {
            // The order of publications stays; two months ago the first of them was made.
            const string Earlier = "- 5184000000000";
            await tx.ExecuteAsync($"UPDATE workflows_runs SET finished_at = finished_at {Earlier}");
            await tx.ExecuteAsync($"UPDATE workflows_stage_logs SET logged_at = logged_at {Earlier}");
            await tx.ExecuteAsync($"UPDATE feature_store_quarantine SET quarantined_at = quarantined_at {Earlier}");
            await tx.ExecuteAsync($"UPDATE feature_store_commits SET created_at = created_at {Earlier}, published_at = published_at {Earlier}");
            await tx.ExecuteAsync($"UPDATE feature_store_training_datasets SET published_at = published_at {Earlier}");
            await tx.ExecuteAsync($"UPDATE prediction_log_batches SET published_at = published_at {Earlier}");
        }, default);
    }

    private static string RepositoryRoot() => Architecture.DependencyTests.RepositoryRoot();
}
