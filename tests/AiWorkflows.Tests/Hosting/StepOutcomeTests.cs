using AiWorkflows.Hosting.Jobs;

namespace AiWorkflows.Tests.Hosting;

public class StepOutcomeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task A_retry_of_the_ledger_becomes_scheduled_and_runs_again_on_its_queue()
    {
        await using var harness = new JobHarness();
        harness.Script.Then(() => throw new StepRetryException(Soon, "the file was locked"));
        harness.Script.Then(() => throw new StepRetryException(Soon, null));
        harness.Script.Then(() => { });
        harness.Start();

        var job = await harness.ReachesAsync(harness.Enqueue("inference"), "Succeeded");

        var history = harness.HistoryOf(job);
        // Hangfire keeps the state that was asked for at first (Failed) beside the one that it became; a scheduled job goes straight to its queue.
        history.Select(h => h.State).ShouldBe(["Enqueued", "Processing", "Failed", "Scheduled", "Processing", "Failed", "Scheduled", "Processing", "Succeeded"]);
        history[3].Reason.ShouldBe("Ledger: the attempt failed: the file was locked");
        history[6].Reason.ShouldBe("Ledger: too early");
        harness.Script.Parts.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_step_that_has_failed_for_good_fails_once_without_retries_of_hangfire()
    {
        await using var harness = new JobHarness();
        harness.Script.Then(() => throw new StageFailedException("no champion"));
        harness.Start();

        var job = await harness.ReachesAsync(harness.Enqueue(), "Failed");

        harness.HistoryOf(job).Select(h => h.State).ShouldBe(["Enqueued", "Processing", "Failed"]);
    }

    [Fact]
    public async Task A_cancelled_step_ends_as_deleted_and_says_why()
    {
        await using var harness = new JobHarness();
        harness.Script.Then(() => throw new StepCancelledException("The run was cancelled."));
        harness.Start();

        var job = await harness.ReachesAsync(harness.Enqueue(), "Deleted");

        harness.HistoryOf(job)[^1].Reason.ShouldBe("Ledger: The run was cancelled.");
    }

    [Fact]
    public async Task When_the_host_stops_code_is_told_and_the_job_goes_back_to_its_queue()
    {
        await using var harness = new JobHarness();
        var begun = new TaskCompletionSource();
        harness.Script.Then(async (_, ct) =>
        {
            begun.SetResult();
            await Task.Delay(Timeout.Infinite, ct);
        });
        harness.Start();
        var job = harness.Enqueue();
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        await harness.StopAsync().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);

        harness.StateOf(job).ShouldNotBe("Failed");
        harness.Storage.GetMonitoringApi().EnqueuedJobs("features", 0, 10).ShouldContain(j => j.Key == job);
    }
}
