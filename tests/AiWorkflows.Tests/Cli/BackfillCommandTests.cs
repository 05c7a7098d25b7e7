using System.Text.Json;

namespace AiWorkflows.Tests.Cli;

/// <summary><c>backfill</c>: requesting, doing, showing, failing, retrying, cancelling.</summary>
public sealed class BackfillCommandTests(FinishedShop shop) : IClassFixture<FinishedShop>
{
    private static readonly string[] FirstDays = ["backfill", "shop", "--from", "2024-01-01", "--to", "2024-01-06", "--every", "2d"];

    [Fact]
    public async Task It_shows_each_window_and_the_whole_and_the_same_request_again_does_nothing()
    {
        await using var copy = shop.Copy();
        var result = await copy.RunAsync([.. FirstDays, "--parallel", "2"]);
        result.Code.ShouldBe(0, result.ToString());
        result.Out.ShouldContain("Backfill 1 of shop for [2024-01-01, 2024-01-06) every 2d was requested.");
        result.Out.ShouldMatch(@"\[2024-01-05, 2024-01-06\)  done, \d+\.\d s");
        result.Out.ShouldMatch(@"Backfill 1 of shop succeeded: 3 of 3 done, \d+\.\d s\.");

        var again = await copy.RunAsync(FirstDays);
        again.Code.ShouldBe(0, again.ToString());
        again.Out.ShouldContain("Backfill 1 is that request already");
        var fresh = await copy.RunAsync([.. FirstDays, "--again", "--json"]);
        using var json = JsonDocument.Parse(fresh.Out);
        var backfill = json.RootElement.GetProperty("backfill");
        (backfill.GetProperty("backfill_id").GetInt64(), backfill.GetProperty("state").GetString(), backfill.GetProperty("succeeded").GetInt32(), backfill.GetProperty("every_seconds").GetDouble())
            .ShouldBe((2, "succeeded", 3, 172800));
        json.RootElement.GetProperty("windows").EnumerateArray().Select(w => w.GetProperty("window_from").GetString()).ShouldBe(["2024-01-01T00:00:00Z", "2024-01-03T00:00:00Z", "2024-01-05T00:00:00Z"]);

        (await copy.RunAsync("backfill", "list")).Out.ShouldMatch(@"2 +shop +2024-01-01 +2024-01-06 +2d +succeeded +3 of 3 done");
        (await copy.RunAsync("backfill", "show", "1")).Out.ShouldMatch(@"every 2d, 2 at a time[\s\S]*2024-01-05 +2024-01-06 +succeeded");
    }

    [Fact]
    public async Task Predictions_from_before_the_cut_off_are_flagged_and_leave_the_others_as_they_are()
    {
        await using var copy = shop.Copy();
        const string current = "SELECT COUNT(*) AS n, SUM(hindsight) AS h FROM prediction_log_predictions";
        (await copy.RunAsync("sql", current)).Out.ShouldMatch(@"400 +0");
        var result = await copy.RunAsync("backfill", "shop", "--from", "2024-01-29", "--to", "2024-02-02", "--every", "1d", "--parallel", "3", "--model", "buy=1");
        result.Code.ShouldBe(0, result.ToString());
        (await copy.RunAsync("sql", current)).Out.ShouldMatch(@"480 +80", "two days before the cut-off");
    }

    [Fact]
    public async Task With_training_each_window_predicts_with_what_was_known_at_its_start()
    {
        await using var host = new ShopHost();
        var result = await host.RunAsync("backfill", "shop", "--from", "2024-01-01", "--to", "2024-02-10", "--every", "5d", "--train");
        result.Code.ShouldBe(0, result.ToString());
        (await host.RunAsync("sql", "SELECT COUNT(*), MAX(cut_off <= window_from) FROM prediction_log_batches b JOIN model_registry_versions v ON v.model = b.model AND v.version = b.version WHERE b.hindsight = 0"))
            .Out.ShouldMatch(@"[1-9] +1\s*$");
        var steps = await host.RunAsync("sql", "SELECT reason, COUNT(*) FROM workflows_stage_runs WHERE state = 'skipped' GROUP BY reason ORDER BY reason");
        steps.Out.ShouldMatch(@"no history +[1-7]\s+no model +[1-7]");
        (await host.RunAsync("sql", "SELECT DISTINCT alias FROM model_registry_aliases")).Out.ShouldContain("backfill-1");
    }

    [Fact]
    public async Task A_failed_window_is_the_exit_code_of_the_whole_and_only_it_is_retried()
    {
        await using var host = new ShopHost();
        await File.WriteAllTextAsync(Path.Combine(host.Directory, "closed"), "", TestContext.Current.CancellationToken);
        var failed = await host.RunAsync(FirstDays);
        failed.Code.ShouldBe(1, failed.ToString());
        failed.Out.ShouldContain("Backfill 1 of shop failed: 0 of 3 done, 3 failed");
        failed.Error.ShouldContain("[2024-01-01, 2024-01-03) failed: visit: The shop is closed; open it and resume the run.");
        failed.Error.ShouldContain("`backfill retry 1` resumes what failed");
        (await host.RunAsync(FirstDays)).Code.ShouldBe(1, "the same request again is the same backfill, and that has failed");

        File.Delete(Path.Combine(host.Directory, "closed"));
        var retried = await host.RunAsync("backfill", "retry", "1");
        retried.Code.ShouldBe(0, retried.ToString());
        retried.Out.ShouldContain("3 windows of backfill 1 go on where they stopped.");
        var nothing = await host.RunAsync("backfill", "retry", "1");
        nothing.Code.ShouldBe(2);
        nothing.Error.ShouldContain("there is nothing to retry");
    }

    [Fact]
    public async Task One_that_was_only_requested_can_be_cancelled_and_says_so()
    {
        await using var host = new ShopHost();
        var detached = await host.RunAsync([.. FirstDays, "--detach"]);
        detached.Code.ShouldBe(0, detached.ToString());
        detached.Out.ShouldContain("No host is running");
        (await host.RunAsync("backfill", "cancel", "1")).Out.ShouldContain("3 windows of backfill 1 are cancelled.");
        var second = await host.RunAsync("backfill", "cancel", "1");
        second.Code.ShouldBe(2);
        second.Error.ShouldContain("All windows of backfill 1 have ended");
        (await host.RunAsync("backfill", "list")).Out.ShouldMatch(@"cancelled +0 of 3 done, 3 cancelled");
    }

    [Fact]
    public async Task An_interrupted_one_goes_on_with_the_same_command()
    {
        await using var host = new ShopHost();
        await File.WriteAllTextAsync(Path.Combine(host.Directory, "slow"), "", TestContext.Current.CancellationToken);
        using var interrupt = new CancellationTokenSource();
        var running = host.RunAsync(FirstDays, interrupt.Token);
        await host.WaitForAsync("visiting");
        await interrupt.CancelAsync();
        var interrupted = await running;
        interrupted.Code.ShouldBe(1, interrupted.ToString());
        interrupted.Error.ShouldContain("Interrupted: backfill 1 has given back what it had not finished.");
        File.Delete(Path.Combine(host.Directory, "slow"));
        var result = await host.RunAsync(FirstDays);
        result.Code.ShouldBe(0, result.ToString());
        result.Out.ShouldContain("3 of 3 done");
    }
}
