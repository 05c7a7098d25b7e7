using AiWorkflows.Features;
using AiWorkflows.Hosting.Jobs;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Hosting;

public class JobLogTests
{
    [Fact]
    public async Task What_is_logged_inside_a_job_lands_in_its_log_and_nowhere_else()
    {
        await using var harness = new JobHarness();
        var log = harness.Get<ILoggerFactory>().CreateLogger("My.Pipeline");
        log.LogInformation("before any job");
        harness.Script.Then(async (_, _) =>
        {
            log.LogInformation("read {Rows} rows", 5);
            await Task.Yield();
            log.LogWarning("two were odd");
            log.LogError(new InvalidOperationException("third"), "and one broke");
            log.LogDebug("not for people");
        });
        harness.Start();

        var first = await harness.ReachesAsync(harness.Enqueue(), "Succeeded");
        var second = await harness.ReachesAsync(harness.Enqueue(), "Succeeded");

        StateOf(harness, first).Log.Select(line => line[13..]).ShouldBe(["read 5 rows", "warning: two were odd", "error: and one broke: third"]);
        StateOf(harness, second).Log.ShouldBeEmpty();
    }

    [Fact]
    public async Task Progress_of_the_attempt_is_shown_with_its_run()
    {
        await using var harness = new JobHarness();
        harness.Script.Then(() =>
        {
            var progress = new StageProgress { Text = "joining" };
            progress.Report(30, 120);
            progress.AddRead(7);
            progress.AddWritten(3);
            JobProgress.Follow(new(null, new AttemptRef(12, 34, 2, "delay-scoring"), progress));
        });
        harness.Start();

        var state = StateOf(harness, await harness.ReachesAsync(harness.Enqueue(), "Succeeded"));

        (state.RunId, state.StageRunId, state.Attempt, state.Stage).ShouldBe((12, 34, 2, "delay-scoring"));
        (state.Percent, state.Text, state.RowsRead, state.RowsWritten).ShouldBe((25, "joining", 7, 3));
    }

    [Fact]
    public async Task Progress_is_visible_while_the_job_runs()
    {
        await using var harness = new JobHarness();
        var release = new TaskCompletionSource();
        harness.Script.Then(async (_, _) =>
        {
            harness.Get<ILoggerFactory>().CreateLogger("x").LogInformation("half way");
            await release.Task;
        });
        harness.Start();
        var job = harness.Enqueue();

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (JobProgressState.Read(harness.ParameterOf(job, JobProgress.Parameter)) is not { Log: [_] })
            await Task.Delay(20, patience.Token);

        harness.StateOf(job).ShouldBe("Processing");
        release.SetResult();
        await harness.ReachesAsync(job, "Succeeded");
    }

    [Fact]
    public async Task Only_the_last_lines_are_kept_and_a_further_attempt_adds_to_them()
    {
        await using var harness = new JobHarness();
        var log = harness.Get<ILoggerFactory>().CreateLogger("x");
        harness.Script.Then(() =>
        {
            for (var i = 0; i < 250; i++)
                log.LogInformation("line {I}", i);
            throw new StepRetryException(TimeSpan.Zero, "again");
        });
        harness.Script.Then(() => log.LogInformation("second attempt"));
        harness.Start();

        var state = StateOf(harness, await harness.ReachesAsync(harness.Enqueue(), "Succeeded"));

        state.Log.Count.ShouldBe(200);
        state.Log[^1].ShouldEndWith("second attempt");
        state.Log[0].ShouldEndWith("line 51");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("not json")]
    public void A_parameter_that_cannot_be_read_is_none(string? json) => JobProgressState.Read(json).ShouldBeNull();

    private static JobProgressState StateOf(JobHarness harness, string job) => JobProgressState.Read(harness.ParameterOf(job, JobProgress.Parameter)).ShouldNotBeNull();
}
