using System.Text.Json;

namespace AiWorkflows.Tests.Cli;

/// <summary>Rows that an expectation kept out, and the way in after all.</summary>
public sealed class QuarantineTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    [Fact]
    public async Task Rows_that_still_violate_the_rule_stay_unless_somebody_accepts_them()
    {
        await using var copy = shop.Copy();
        var refused = await copy.RunAsync("quarantine", "replay", "purchases");
        refused.Code.ShouldBe(1, refused.ToString());
        refused.Out.ShouldContain("violates 'amount in [0, 1000]': found -1000");
        refused.Out.ShouldContain("6 rows stay in quarantine; --accept publishes them as they are.");
        (await CountAsync(copy, "SELECT count(*) AS n FROM workflows_runs")).ShouldBe(2);

        var one = await copy.RunAsync("features", "quarantine", "replay", "purchases", "--id", "2", "--accept");
        one.Code.ShouldBe(0, one.ToString());
        one.Out.ShouldContain("1 row of purchases is published now, by run 3.");
        (await CountAsync(copy, "SELECT count(*) AS n FROM feature_store_purchases_v1")).ShouldBe(1595);
        (await CountAsync(copy, "SELECT count(*) AS n FROM feature_store_purchases_v1 WHERE amount = -1000")).ShouldBe(1);
        using var left = JsonDocument.Parse((await copy.RunAsync("quarantine", "list", "purchases", "--json")).Out);
        left.RootElement.EnumerateArray().Select(q => q.GetProperty("quarantine_id").GetInt64()).ShouldBe([6, 5, 4, 3, 1]);
        (await copy.RunAsync("quarantine", "list", "--all")).Out.ShouldMatch(@"2  purchases v1 .* commit \d+");
        (await copy.RunAsync("quarantine", "replay", "purchases", "--id", "2", "--accept")).Out.ShouldContain("None of these rows is in quarantine of purchases");
    }

    [Fact]
    public async Task After_the_rule_has_changed_rows_come_in_and_running_the_window_again_keeps_them()
    {
        await using var copy = shop.Copy();
        await File.WriteAllTextAsync(Path.Combine(copy.Directory, "refunds"), "", TestContext.Current.CancellationToken);
        var result = await copy.RunAsync("quarantine", "replay", "purchases", "--json");
        result.Code.ShouldBe(0, result.ToString());
        using var json = JsonDocument.Parse(result.Out);
        (json.RootElement.GetProperty("taken").GetInt64(), json.RootElement.GetProperty("refused").GetArrayLength()).ShouldBe((6, 0));
        (await copy.RunAsync("features", "list")).Out.ShouldMatch("purchases +1 +purchase +1,600 ");

        var again = await copy.RunAsync("run", "shop", "--from", "2024-01-31", "--to", "2024-02-10", "--json");
        again.Code.ShouldBe(0, again.ToString());
        using var summary = JsonDocument.Parse(again.Out);
        summary.RootElement.GetProperty("feature_groups").EnumerateArray().Where(g => g.GetProperty("feature_group").GetString() == "purchases").Sum(g => g.GetProperty("rows").GetInt64()).ShouldBe(0);
        (await CountAsync(copy, "SELECT count(*) AS n FROM feature_store_purchases_v1")).ShouldBe(1600);
    }

    [Fact]
    public async Task A_replay_is_a_run_that_somebody_asked_for()
    {
        await using var copy = shop.Copy();
        (await copy.RunAsync("quarantine", "replay", "purchases", "--accept")).Code.ShouldBe(0);
        var shown = (await copy.RunAsync("runs", "show", "3")).Out;
        shown.ShouldContain("succeeded, rows from quarantine");
        shown.ShouldContain($"by {Environment.UserName}@{Environment.MachineName} (manual)");
        shown.ShouldMatch("purchase/replay +succeeded");
        // What is made of the purchases is computed once more for their days; the purchases themselves are not.
        var late = await copy.RunAsync("run", "shop");
        late.Code.ShouldBe(0, late.ToString());
        late.Out.ShouldMatch("purchase +skipped: already covered");
        (await copy.RunAsync("run", "shop")).Out.ShouldContain("Nothing to do");
    }

    private static async Task<long> CountAsync(ShopHost host, string sql)
    {
        using var json = JsonDocument.Parse((await host.RunAsync("sql", sql, "--json")).Out);
        return json.RootElement[0].GetProperty("n").GetInt64();
    }
}
