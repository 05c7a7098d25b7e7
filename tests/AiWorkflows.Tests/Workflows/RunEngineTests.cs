using System.Collections.Concurrent;
using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class RunEngineTests
{
    [Fact]
    public async Task A_fresh_store_catches_up_with_a_warm_up_run_and_one_for_the_rest_and_then_owes_nothing()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var runs = await host.FollowAsync();

        runs.Select(r => (r.Window, r.State)).ShouldBe([(Days(1, 5), "succeeded"), (Days(5, 11), "succeeded")]);
        var warmUp = await host.StepsAsync(runs[0].RunId);
        warmUp.ToDictionary(s => s.Key, s => (s.Value.State, s.Value.Reason)).ShouldBe(new Dictionary<string, (string, string?)>
        {
            ["tick"] = ("succeeded", null), ["outcome"] = ("succeeded", null), ["double"] = ("succeeded", null),
            ["train"] = ("skipped", "warm-up"), ["score"] = ("skipped", "warm-up"), ["score/outcomes"] = ("skipped", "warm-up"),
        }, ignoreOrder: true);
        (await host.StepsAsync(runs[1].RunId)).Values.ShouldAllBe(s => s.State == "succeeded");
        host.Probe.Executions.Select(e => e.Stage).ShouldBe(["tick", "outcome", "double", "tick", "outcome", "double", "train", "score"], ignoreOrder: true);

        var executions = host.Probe.Executions.Count;
        (await host.RequestAsync()).Outcome.ShouldBe(RequestOutcome.NothingOwed);
        (await host.RequestAsync()).Message.ShouldContain("complete up to 2001-01-11, where its data ends");
        (await host.Ledger.LatestRunIdAsync("w", default)).ShouldBe(runs[1].RunId);
        host.Probe.Executions.Count.ShouldBe(executions);
    }

    [Fact]
    public async Task A_stage_starts_after_what_it_reads_and_its_job_continues_the_job_that_made_it_ready()
    {
        await using var file = await SqliteFile.MigratedAsync();
        // The sweep would create jobs without a parent, were it to come between a stage's end and its advance.
        await using var host = await EngineHost.StartAsync(file, options: EngineHost.Quick(sweep: TimeSpan.FromMinutes(1)));
        var run = (await host.RequestAsync(Days(5, 7))).RunId!.Value;
        (await host.EndAsync(run)).Run.State.ShouldBe("succeeded");

        var steps = await host.StepsAsync(run);
        steps["double"].StartedAt!.Value.ShouldBeGreaterThanOrEqualTo(steps["tick"].FinishedAt!.Value);
        steps["train"].StartedAt!.Value.ShouldBeGreaterThanOrEqualTo(steps["double"].FinishedAt!.Value);
        steps["score"].StartedAt!.Value.ShouldBeGreaterThanOrEqualTo(steps["train"].FinishedAt!.Value);
        var jobs = host.Dispatcher.Enqueued.ToDictionary(j => j.Step.Step);
        jobs["tick"].ParentJobId.ShouldBeNull();
        // Whichever of the two ended second may have found it ready first.
        jobs["double"].ParentJobId.ShouldBeOneOf(jobs["tick"].JobId, jobs["outcome"].JobId);
        jobs["score"].ParentJobId.ShouldBe(jobs["train"].JobId);
        jobs["score/outcomes"].ParentJobId.ShouldBe(jobs["score"].JobId);
        jobs["train"].Title.ShouldBe($"w #{run} train");
        steps["score"].JobId.ShouldBe(jobs["score"].JobId);
    }

    [Fact]
    public async Task What_a_run_publishes_becomes_visible_with_its_stage_and_coverage()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        await host.FollowAsync();

        (await host.Get<IModelRegistry>().FindAliasAsync("tick-model", "champion", default))!.Version.ShouldBe(1);
        (await host.Get<IFeatureStore>().CommitsAsync(GroupSchema.Of(typeof(Doubled)), long.MaxValue, Days(1, 11), default)).Select(c => c.Window).ShouldBe([Days(1, 5), Days(5, 11)]);
        var coverage = await host.Ledger.CoverageAsync(["tick", "outcome", "double", "train", "score"], default);
        OwedWindows.Find(host.Get<Catalog>().Workflow("w"), RunModes.Stages, coverage, Day(20)).ShouldBeEmpty();
        coverage.Where(c => c.Pipeline == "score").ShouldHaveSingleItem().Window.ShouldBe(Days(5, 11));
    }

    [Fact]
    public async Task An_error_that_may_pass_is_tried_again_and_counted()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        host.Probe.Before["double"] = (_, _) => host.Probe.CountOf("double") < 3 ? throw new IOException("The share is away.") : Task.CompletedTask;
        var run = (await host.RequestAsync(Days(5, 7))).RunId!.Value;
        (await host.EndAsync(run)).Run.State.ShouldBe("succeeded");
        var step = (await host.StepsAsync(run))["double"];
        (step.State, step.Attempt, step.Failures).ShouldBe(("succeeded", 3, 2));
        (await LogAsync(host, run)).ShouldContain("Attempt 1 failed: The share is away.");
    }

    [Fact]
    public async Task After_the_last_attempt_the_step_fails_and_what_depends_on_it_is_cancelled()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        host.Probe.Before["double"] = (_, _) => throw new IOException("The share is away.");
        var ended = await host.EndAsync((await host.RequestAsync(Days(5, 7))).RunId!.Value);

        ended.Run.State.ShouldBe("failed");
        ended.FailedStages.ShouldHaveSingleItem().Error.ShouldBe("The share is away.");
        host.Probe.CountOf("double").ShouldBe(3);
        var steps = await host.StepsAsync(ended.Run.RunId);
        steps.ToDictionary(s => s.Key, s => s.Value.State).ShouldBe(new Dictionary<string, string>
        {
            ["tick"] = "succeeded", ["outcome"] = "succeeded", ["double"] = "failed", ["train"] = "cancelled", ["score"] = "cancelled", ["score/outcomes"] = "cancelled",
        }, ignoreOrder: true);
    }

    [Fact]
    public async Task An_error_that_cannot_pass_is_not_tried_again()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        host.Probe.Before["tick"] = (_, _) => throw new StageFailedException("ticks.csv has no column 'value'.");
        var ended = await host.EndAsync((await host.RequestAsync(Days(5, 7))).RunId!.Value);
        ended.FailedStages.ShouldHaveSingleItem().Error.ShouldBe("ticks.csv has no column 'value'.");
        host.Probe.CountOf("tick").ShouldBe(1);
    }

    [Fact]
    public async Task Run_resumes_a_failed_run_at_the_stage_that_failed_and_then_goes_on()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        host.Probe.Before["train"] = (_, _) => throw new StageFailedException("Too few rows.");
        var first = await host.FollowAsync();
        first.Select(r => r.State).ShouldBe(["succeeded", "failed"]);

        host.Probe.Before.Clear();
        host.Probe.Executions.Clear();
        var resumed = (await host.FollowAsync()).ShouldHaveSingleItem();
        (resumed.RunId, resumed.State).ShouldBe((first[1].RunId, "succeeded"));
        host.Probe.Executions.Select(e => e.Stage).ShouldBe(["train", "score"]);
        (await host.RequestAsync()).Outcome.ShouldBe(RequestOutcome.NothingOwed);
    }

    [Fact]
    public async Task An_open_run_comes_first_so_that_its_cells_are_not_requested_twice()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var gate = new TaskCompletionSource();
        host.Probe.Before["tick"] = (_, ct) => gate.Task.WaitAsync(ct);
        var first = await host.RequestAsync();
        var second = await host.RequestAsync();
        (second.Outcome, second.RunId).ShouldBe((RequestOutcome.AlreadyOpen, first.RunId));
        gate.SetResult();
        (await host.FollowAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_cancellation_reaches_running_code_within_two_seconds_and_nothing_of_it_becomes_visible()
    {
        await using var file = await SqliteFile.MigratedAsync();
        // No beat comes to its help within the two seconds.
        await using var host = await EngineHost.StartAsync(file, options: EngineHost.Quick(beat: TimeSpan.FromMinutes(1), logFlush: TimeSpan.FromMinutes(1)));
        var entered = new TaskCompletionSource();
        var stopped = new TaskCompletionSource();
        host.Probe.Before["tick"] = async (_, ct) =>
        {
            entered.SetResult();
            await using var registration = ct.Register(stopped.SetResult);
            await Task.Delay(Timeout.Infinite, ct);
        };
        var run = (await host.RequestAsync(Days(5, 7))).RunId!.Value;
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(10));
        // Through the ledger alone, as another process would.
        (await host.Ledger.CancelAsync(run, "somebody", "changed my mind", default)).ShouldBeTrue();
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(2));
        (await host.Engine.CancelAsync(run, "me", default)).ShouldBeFalse();
        (await host.Get<IFeatureStore>().CommitsAsync(GroupSchema.Of(typeof(Tick)), long.MaxValue, Days(1, 11), default)).ShouldBeEmpty();
        (await host.Ledger.FindRunAsync(run, default))!.State.ShouldBe("cancelled");
    }

    [Fact]
    public async Task Without_a_champion_inference_fails_at_once_and_says_so()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var ended = await host.EndAsync((await host.RequestAsync(Days(5, 7), RunModes.MonolithInfer)).RunId!.Value);
        ended.Run.State.ShouldBe("failed");
        var error = ended.FailedStages.ShouldHaveSingleItem();
        error.Failures.ShouldBe(1);
        error.Error.ShouldNotBeNull().ShouldContain("Model 'tick-model' has no champion: it was never trained");
    }

    [Fact]
    public async Task A_monolith_runs_in_one_job_and_leaves_inference_to_the_other_mode()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var train = await host.FollowAsync(RunModes.MonolithTrain);
        train.Select(r => (r.Window, r.State)).ShouldBe([(Days(1, 5), "succeeded"), (Days(5, 11), "succeeded")]);
        host.Dispatcher.Enqueued.Count.ShouldBe(2);
        host.Probe.CountOf("score").ShouldBe(0);
        var steps = await host.StepsAsync(train[1].RunId);
        (steps["score"].State, steps["score"].Reason).ShouldBe(("skipped", "monolith train"));
        steps["train"].JobId.ShouldBe(steps["tick"].JobId);

        (await host.FollowAsync(RunModes.MonolithTrain)).ShouldBeEmpty();
        var infer = await host.FollowAsync(RunModes.MonolithInfer);
        infer.ShouldHaveSingleItem().Window.ShouldBe(Days(5, 11));
        host.Probe.Executions.Last().Stage.ShouldBe("score");
        (await host.FollowAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Sweeps_leave_a_monolith_that_is_being_executed_alone()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        for (var i = 0; i < 5; i++)
        {
            var ended = host.EndAsync((await host.RequestAsync(Days(5 + i, 6 + i), RunModes.MonolithTrain)).RunId!.Value);
            while (!ended.IsCompleted)
                await host.Engine.SweepAsync(default);
            (await ended).Run.State.ShouldBe("succeeded");
        }
        host.Dispatcher.Enqueued.Count.ShouldBe(5);
    }

    [Fact]
    public async Task A_monolith_that_fails_for_a_while_goes_on_in_the_same_job_at_the_step_that_failed()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        host.Probe.Before["train"] = (_, _) => host.Probe.CountOf("train") < 2 ? throw new IOException("Away.") : Task.CompletedTask;
        var run = (await host.RequestAsync(Days(5, 7), RunModes.MonolithTrain)).RunId!.Value;
        (await host.EndAsync(run)).Run.State.ShouldBe("succeeded");
        host.Dispatcher.Enqueued.Count.ShouldBe(1);
        host.Probe.Executions.Select(e => e.Stage).ShouldBe(["outcome", "tick", "double", "train", "train"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_tick_requests_what_is_owed_and_nothing_when_nothing_is_or_the_workflow_is_paused()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        await host.Engine.PauseAsync("w", "me", default);
        (await host.Engine.TickAsync("w", default)).Message.ShouldBe("w is paused.");
        await host.Engine.ResumeScheduleAsync("w", "me", default);
        var tick = await host.Engine.TickAsync("w", default);
        tick.Outcome.ShouldBe(RequestOutcome.Requested);
        (await host.EndAsync(tick.RunId!.Value)).Run.TriggeredBy.ShouldBe("schedule");
        (await host.EndAsync(tick.RunId.Value + 1)).Run.Window.ShouldBe(Days(5, 11));
        for (var hour = 0; hour < 23; hour++)
            (await host.Engine.TickAsync("w", default)).Outcome.ShouldBe(RequestOutcome.NothingOwed);
        (await host.Ledger.LatestRunIdAsync("w", default)).ShouldBe(tick.RunId.Value + 1);
    }

    [Fact]
    public async Task Two_requests_at_the_same_moment_become_one_run()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, loop: false);
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => host.RequestAsync())));
        results.Select(r => r.RunId).Distinct().ShouldHaveSingleItem();
        results.Count(r => r.Outcome == RequestOutcome.Requested).ShouldBe(1);
    }

    [Fact]
    public async Task Unknown_names_and_wrong_windows_are_refused_before_anything_is_stored()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        (await Should.ThrowAsync<InvalidRequestException>(host.Engine.RequestAsync(new("v", null, "me", "manual"), default))).Message.ShouldBe("Unknown workflow 'v': did you mean w?");
        (await Should.ThrowAsync<InvalidRequestException>(host.RequestAsync(Days(1.5, 3)))).Message.ShouldContain("Nearest");
        await Should.ThrowAsync<InvalidRequestException>(host.RequestAsync(mode: "all"));
        await Should.ThrowAsync<InvalidRequestException>(host.Engine.CancelAsync(17, "me", default));
        (await host.Ledger.LatestRunIdAsync("w", default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_row_that_somebody_inserted_for_an_unknown_workflow_is_cancelled_with_the_reason()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var (run, _) = await host.Ledger.RequestAsync(new("nonsense", Days(1, 2), "dba", "sql"), default);
        var ended = await host.EndAsync(run);
        ended.Run.State.ShouldBe("cancelled");
        ended.Run.Reason.ShouldNotBeNull().ShouldContain("Unknown workflow 'nonsense'");
    }

    [Fact]
    public async Task The_log_of_a_run_holds_what_its_stages_did()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var run = (await host.RequestAsync(Days(5, 7))).RunId!.Value;
        await host.EndAsync(run);
        await Task.WhenAll(host.Dispatcher.Jobs);
        (await LogAsync(host, run)).Count(l => l.StartsWith("Succeeded after", StringComparison.Ordinal)).ShouldBe(6);
        // What a pipeline writes to a logger of its own is part of it.
        var own = (await host.Ledger.LogsAsync(run, 0, 1000, default)).Single(l => l.Message == "Outcomes of 2 days");
        (own.Level, own.StageRunId, own.Attempt).ShouldBe(("warning", (await host.StepsAsync(run))["outcome"].StageRunId, 1));
    }

    private static async Task<IReadOnlyList<string>> LogAsync(EngineHost host, long run) => [.. (await host.Ledger.LogsAsync(run, 0, 1000, default)).Select(l => l.Message)];
}
