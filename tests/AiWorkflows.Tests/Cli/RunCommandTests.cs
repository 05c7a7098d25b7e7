using System.Text.Json;
using AiWorkflows.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Cli;

/// <summary><c>run</c> and <c>runs</c>: requesting, doing, showing, failing, resuming.</summary>
public sealed class RunCommandTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    [Fact]
    public void It_covers_what_is_owed_and_sums_up()
    {
        var text = shop.Run.Out;
        text.ShouldContain("Run 1 of shop for [2024-01-01, 2024-01-31) was requested.");
        text.ShouldContain("buy-training          skipped: warm-up");
        text.ShouldContain("Run 2 for [2024-01-31, 2024-02-10)");
        text.ShouldMatch(@"purchases +1,600 +1,594 +6 \(amount in \[0, 1000\]: 6\)");
        text.ShouldMatch(@"Model buy v1 \(champion\)\s+AUC on the holdout +0\.\d+ \(\d+ examples; trained on \d+\)\s+baselines +prior 0\.500, constant 0\.500\s+promotion +Promoted");
        text.ShouldMatch(@"400 predictions by buy v1 for \[2024-01-31, 2024-02-10\); AUC 0\.\d+ on 398 whose outcome is known");
        text.ShouldContain("Runs 1 and 2 of shop succeeded in");
        text.ShouldMatch(@"Where to look next\s+predictions list\s+predictions explain 4294967296\s+sql ");
        shop.Run.Error.ShouldBeEmpty();
    }

    [Fact]
    public async Task With_nothing_owed_it_says_so_and_changes_nothing()
    {
        await using var copy = shop.Copy();
        var before = await copy.RunAsync("sql", "SELECT (SELECT count(*) FROM workflows_runs), (SELECT seq FROM feature_store_publication_clock), (SELECT count(*) FROM workflows_audit)");
        var result = await copy.RunAsync("run", "shop");
        result.Code.ShouldBe(0, result.ToString());
        result.Out.ShouldBe("Nothing to do: shop is complete up to 2024-02-10, where its data ends." + Environment.NewLine);
        (await copy.RunAsync("sql", "SELECT (SELECT count(*) FROM workflows_runs), (SELECT seq FROM feature_store_publication_clock), (SELECT count(*) FROM workflows_audit)")).Out.ShouldBe(before.Out);
        using var json = JsonDocument.Parse((await copy.RunAsync("run", "shop", "--json")).Out);
        json.RootElement.GetProperty("outcome").GetString().ShouldBe("nothing_owed");
    }

    [Fact]
    public async Task A_window_is_run_again_and_stores_nothing_where_nothing_changed()
    {
        await using var copy = shop.Copy();
        var result = await copy.RunAsync("run", "shop", "--from", "2024-02-01", "--to", "2024-02-03", "--json");
        result.Code.ShouldBe(0, result.ToString());
        using var json = JsonDocument.Parse(result.Out);
        var summary = json.RootElement;
        summary.GetProperty("outcome").GetString().ShouldBe("succeeded");
        summary.GetProperty("runs").GetArrayLength().ShouldBe(1);
        foreach (var group in summary.GetProperty("feature_groups").EnumerateArray())
            group.GetProperty("rows").GetInt64().ShouldBe(0);
        summary.GetProperty("models")[0].GetProperty("version").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task A_monolith_gives_the_same_model_content()
    {
        await using var host = new ShopHost();
        var train = await host.RunAsync("run", "shop", "--monolith", "train");
        train.Code.ShouldBe(0, train.ToString());
        train.Out.ShouldContain("Model buy v1 (champion)", customMessage: train.ToString());
        var infer = await host.RunAsync("run", "shop", "--monolith", "infer");
        infer.Code.ShouldBe(0, infer.ToString());
        infer.Out.ShouldContain("400 predictions by buy v1");
        const string query = "SELECT content_sha256, (SELECT content_hash FROM prediction_log_batches WHERE state = 'published' ORDER BY batch_id LIMIT 1) FROM model_registry_versions WHERE version = 1";
        (await host.RunAsync("sql", query)).Out.ShouldBe((await shop.Host.RunAsync("sql", query)).Out);
    }

    [Fact]
    public async Task What_lies_before_the_cut_off_is_scored_only_in_hindsight()
    {
        await using var copy = shop.Copy();
        var without = await copy.RunAsync("run", "shop", "--from", "2024-01-28", "--to", "2024-01-30");
        without.Out.ShouldContain("none: the whole window lies before the cut-off of buy v1; --hindsight scores it");
        var with = await copy.RunAsync("run", "shop", "--from", "2024-01-28", "--to", "2024-01-30", "--hindsight");
        with.Out.ShouldContain("80 predictions by buy v1 for [2024-01-28, 2024-01-30), in hindsight", customMessage: with.ToString());
    }

    [Fact]
    public async Task A_failed_stage_is_named_with_what_to_do_and_resuming_goes_on()
    {
        await using var host = new ShopHost();
        await File.WriteAllTextAsync(Path.Combine(host.Directory, "closed"), "", TestContext.Current.CancellationToken);
        var failed = await host.RunAsync("run", "shop");
        failed.Code.ShouldBe(1, failed.ToString());
        failed.Error.ShouldContain("visit failed: The shop is closed; open it and resume the run.");
        failed.Error.ShouldContain("`runs logs 1` shows more; `runs resume 1` goes on where it stopped.");
        failed.Error.ShouldNotContain("   at ");

        var shown = await host.RunAsync("runs", "show", "1");
        shown.Out.ShouldContain("The shop is closed");
        (await host.RunAsync("runs", "list", "--state", "failed")).Out.ShouldContain("failed");

        File.Delete(Path.Combine(host.Directory, "closed"));
        var resumed = await host.RunAsync("runs", "resume", "1");
        resumed.Code.ShouldBe(0, resumed.ToString());
        resumed.Out.ShouldContain("Run 1 of shop goes on where it stopped.");
        resumed.Out.ShouldContain("succeeded in");
        var again = await host.RunAsync("runs", "resume", "1");
        again.Code.ShouldBe(2);
        again.Error.ShouldContain("Run 1 is succeeded; only a failed or cancelled run can be resumed.");
    }

    [Fact]
    public async Task Detached_it_only_requests_and_the_next_host_does_the_work()
    {
        await using var host = new ShopHost();
        var requested = await host.RunAsync("run", "shop", "--detach");
        requested.Code.ShouldBe(0, requested.ToString());
        requested.Out.ShouldContain("No host is running: `serve` or `run` will start it.");
        (await host.RunAsync("runs", "list", "--json")).Out.ShouldContain("\"state\": \"requested\"");
        var cancelled = await host.RunAsync("runs", "cancel", "1");
        cancelled.Code.ShouldBe(0, cancelled.ToString());
        (await host.RunAsync("runs", "cancel", "1")).Error.ShouldContain("Run 1 is cancelled; there is nothing to cancel.");
        var resumed = await host.RunAsync("runs", "resume", "1", "--detach");
        resumed.Code.ShouldBe(0, resumed.ToString());
        (await host.RunAsync("run", "shop")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task With_a_host_that_works_already_it_hands_over_and_shows()
    {
        await using var host = new ShopHost();
        (await host.RunAsync("migrate")).Code.ShouldBe(0);
        await using var other = host.Build(new TextConsole());
        var engine = other.Services.GetRequiredService<EmbeddedHost>();
        (await engine.TryBecomeHostAsync("serve-like", TestContext.Current.CancellationToken)).ShouldBeTrue();

        var result = await host.RunAsync("run", "shop");
        result.Code.ShouldBe(0, result.ToString());
        result.Out.ShouldContain($"The host that has the database does the work, process {Environment.ProcessId}");
        result.Out.ShouldContain("Runs 1 and 2 of shop succeeded");
        (await host.RunAsync("run", "shop", "--from", "2024-02-01", "--to", "2024-02-02", "--detach")).Out.ShouldContain("`runs show 3` shows how far it is.");
        await engine.StopAsync();
    }

    [Fact]
    public async Task Interrupted_it_gives_the_work_back()
    {
        await using var host = new ShopHost();
        using var stop = new CancellationTokenSource();
        await File.WriteAllTextAsync(Path.Combine(host.Directory, "slow"), "", TestContext.Current.CancellationToken);
        var running = host.RunAsync(["run", "shop"], stop.Token);
        await host.WaitForAsync("visiting");
        await stop.CancelAsync();
        var result = await running;
        result.Code.ShouldBe(1, result.ToString());
        result.Error.ShouldContain("Interrupted: run 1 has given back what it had not finished.");
        File.Delete(Path.Combine(host.Directory, "slow"));
        (await host.RunAsync("run", "shop")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task Lists_page_by_id()
    {
        using var all = JsonDocument.Parse((await shop.Host.RunAsync("runs", "list", "--json")).Out);
        all.RootElement.EnumerateArray().Select(r => r.GetProperty("run_id").GetInt64()).ShouldBe([2, 1]);
        using var page = JsonDocument.Parse((await shop.Host.RunAsync("runs", "list", "--json", "--limit", "1", "--before", "2")).Out);
        page.RootElement.EnumerateArray().Select(r => r.GetProperty("run_id").GetInt64()).ShouldBe([1]);
        (await shop.Host.RunAsync("runs", "list", "--limit", "1")).Out.ShouldContain("More with --before 2.");
    }

    [Fact]
    public async Task A_run_is_shown_with_everything_that_came_of_it()
    {
        var text = (await shop.Host.RunAsync("runs", "show", "2")).Out;
        text.ShouldContain("buy-scoring/outcomes");
        using var json = JsonDocument.Parse((await shop.Host.RunAsync("runs", "show", "2", "--json")).Out);
        var report = json.RootElement;
        report.GetProperty("run").GetProperty("window_from").GetString().ShouldBe("2024-01-31T00:00:00Z");
        report.GetProperty("run").GetProperty("requested_by").GetString().ShouldBe($"{Environment.UserName}@{Environment.MachineName}");
        report.GetProperty("steps").GetArrayLength().ShouldBe(6);
        report.GetProperty("commits").GetArrayLength().ShouldBe(3);
        report.GetProperty("models")[0].GetProperty("metrics").GetProperty("auc").GetDouble().ShouldBeInRange(0.5, 1);
        report.GetProperty("batches")[0].GetProperty("rows").GetInt64().ShouldBe(400);
        report.GetProperty("quarantine")[0].GetProperty("rows").GetInt64().ShouldBe(2);
    }

    [Fact]
    public async Task The_log_of_a_run_is_shown_and_followed_to_its_end()
    {
        (await shop.Host.RunAsync("runs", "logs", "2", "--follow")).Out.ShouldContain("amount in [0, 1000]");
        using var json = JsonDocument.Parse((await shop.Host.RunAsync("runs", "logs", "2", "--json")).Out);
        json.RootElement.EnumerateArray().Select(l => l.GetProperty("step").GetString()).ShouldContain("purchase");
    }
}
