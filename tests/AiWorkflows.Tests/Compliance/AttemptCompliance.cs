using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every ledger promises about attempts: claims, leases, failures and recovery.</summary>
public abstract class AttemptCompliance : LedgerSuite
{
    [Fact]
    public async Task Of_many_claimers_exactly_one_wins()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a");
        var step = (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched[0];
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => store.ClaimAsync(step.StageRunId, $"h{i}"))));
        claims.Count(c => c is not null).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.attempts}")).ShouldBe(1);
    }

    [Fact]
    public async Task A_beat_prolongs_the_lease_and_stores_progress_until_the_lease_is_lost()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a");
        var attempt = await store.ClaimNextAsync(run);
        var progress = new StageProgress { Text = "reading" };
        progress.AddRead(5);
        progress.Report(1, 10);
        await store.LetLeasesRunOutAsync();
        (await store.Ledger.BeatAsync(attempt, TimeSpan.FromMinutes(1), progress, default)).ShouldBeTrue();
        (await store.Ledger.ExpireAsync(false, 10, default)).ShouldBe(0);
        var row = (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!;
        (row.ProgressDone, row.ProgressTotal, row.ProgressText, row.RowsRead).ShouldBe((1, 10, "reading", 5));
        await store.Ledger.CancelAsync(run, "ada", "enough", default);
        (await store.Ledger.BeatAsync(attempt, TimeSpan.FromMinutes(1), progress, default)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_beat_after_the_deadline_is_refused()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (run, _) = await store.Ledger.RequestAsync(Request(), default);
        await store.Ledger.AdmitAsync(run, new([Plans.Step("a", 0) with { TimeLimit = TimeSpan.FromHours(1) }], []), "code", default);
        var attempt = await store.ClaimNextAsync(run);
        (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!.DeadlineAt.ShouldNotBeNull();
        (await store.Ledger.BeatAsync(attempt, TimeSpan.FromMinutes(1), new(), default)).ShouldBeTrue();
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stage_runs} SET deadline_at = {ago:86400000000}"), default);
        (await store.Ledger.BeatAsync(attempt, TimeSpan.FromMinutes(1), new(), default)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_failure_is_tried_again_later_and_the_last_one_fails_the_run_and_what_depends_on_it()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a", "b", "c");
        var attempt = await store.ClaimNextAsync(run);
        var failed = (await store.Ledger.FailAsync(attempt, "boom", TimeSpan.FromHours(1), false, default))!;
        (failed.State, failed.Failures, failed.Error).ShouldBe((States.Pending, 1, "boom"));
        var early = await store.Ledger.ClaimAsync(attempt.StageRunId, new(Guid.NewGuid(), "h", null, "code", TimeSpan.FromMinutes(1)), default);
        early.Lease.ShouldBeNull();
        early.RetryIn!.Value.ShouldBeInRange(TimeSpan.FromMinutes(59), TimeSpan.FromHours(1));

        for (var i = 2; i <= 3; i++)
        {
            await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stage_runs} SET not_before = {ago:86400000000}"), default);
            attempt = (await store.ClaimAsync(attempt.StageRunId))!;
            attempt.Attempt.ShouldBe(i);
            failed = (await store.Ledger.FailAsync(attempt, $"boom {i}", TimeSpan.Zero, false, default))!;
        }
        failed.State.ShouldBe(States.Failed);
        (await store.Ledger.FailAsync(attempt, "again", TimeSpan.Zero, false, default)).ShouldBeNull();
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).EndState.ShouldBe(States.Failed);
        (await store.Ledger.FindRunAsync(run, default))!.Error.ShouldBe("a: boom 3");
        (await store.Ledger.StageRunsAsync(run, default)).Select(s => (s.State, s.Reason)).ShouldBe([(States.Failed, null), (States.Cancelled, "upstream"), (States.Cancelled, "upstream")]);
    }

    [Fact]
    public async Task What_cannot_succeed_fails_at_once()
    {
        await using var store = await OpenWithWorkflowAsync();
        var attempt = await store.ClaimNextAsync(await store.StartRunAsync(Readings.Day, "a"));
        (await store.Ledger.FailAsync(attempt, "no champion", TimeSpan.Zero, true, default))!.State.ShouldBe(States.Failed);
    }

    [Fact]
    public async Task Releasing_counts_no_failure_and_keeps_the_job()
    {
        await using var store = await OpenWithWorkflowAsync();
        var attempt = await store.ClaimNextAsync(await store.StartRunAsync(Readings.Day, "a"));
        await store.Ledger.ReleaseAsync(attempt, "released", default);
        var row = (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!;
        (row.State, row.Failures, row.Lost, row.JobId).ShouldBe((States.Pending, 0, 0, "job"));
        (await store.ClaimAsync(attempt.StageRunId))!.Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task A_lost_lease_is_no_failure_until_it_happens_too_often()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a");
        for (var lost = 1; lost <= 3; lost++)
        {
            var attempt = await store.ClaimNextAsync(run);
            attempt.Attempt.ShouldBe(lost);
            (await store.Ledger.ExpireAsync(false, 3, default)).ShouldBe(0);
            (await store.Ledger.ExpireAsync(true, 3, default)).ShouldBe(1);
            var row = (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!;
            (row.Failures, row.Lost, row.DispatchedAt, row.State).ShouldBe((0, lost, null, lost == 3 ? States.Failed : States.Pending));
        }
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'lost' AND ended_at IS NOT NULL")).ShouldBe(3);
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).EndState.ShouldBe(States.Failed);
    }

    [Fact]
    public async Task A_zombie_can_do_nothing_to_the_attempt_that_has_taken_its_place()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a");
        var zombie = await store.ClaimNextAsync(run);
        await store.Ledger.ExpireAsync(true, 10, default);
        var successor = await store.ClaimNextAsync(run);
        (await store.Ledger.BeatAsync(zombie, TimeSpan.FromMinutes(1), new(), default)).ShouldBeFalse();
        (await store.Ledger.WinAsync(new(zombie), default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        (await store.Ledger.FailAsync(zombie, "boom", TimeSpan.Zero, true, default)).ShouldBeNull();
        await store.Ledger.ReleaseAsync(zombie, "released", default);
        (await store.Ledger.FindStageRunAsync(zombie.StageRunId, default))!.State.ShouldBe(States.Running);
        (await store.Ledger.WinAsync(new(successor), default)).Outcome.ShouldBe(PublishOutcome.Published);
    }

    [Fact]
    public async Task A_redelivered_job_expires_the_dead_lease_that_it_finds()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a");
        var attempt = await store.ClaimNextAsync(run);
        (await store.ClaimAsync(attempt.StageRunId)).ShouldBeNull();
        await store.LetLeasesRunOutAsync();
        (await store.ClaimAsync(attempt.StageRunId)).ShouldBeNull();
        (await store.ClaimNextAsync(run)).Attempt.ShouldBe(2);
    }

    [Fact]
    public async Task A_host_runs_one_step_at_a_time_of_those_that_have_lost_their_host()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (run, _) = await store.Ledger.RequestAsync(Request(), default);
        await store.Ledger.AdmitAsync(run, new([Plans.Step("a", 0), Plans.Step("b", 1)], []), "code", default);
        var steps = (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched;
        foreach (var step in steps)
            (await store.ClaimAsync(step.StageRunId)).ShouldNotBeNull();
        await store.Ledger.ExpireAsync(true, 10, default);
        await store.Ledger.AdvanceAsync(run, "e", 9, default);
        (await store.ClaimAsync(steps[0].StageRunId)).ShouldNotBeNull();
        var second = await store.Ledger.ClaimAsync(steps[1].StageRunId, new(Guid.NewGuid(), "host", null, "code", TimeSpan.FromMinutes(1)), default);
        second.Lease.ShouldBeNull();
        second.RetryIn.ShouldNotBeNull();
        (await store.ClaimAsync(steps[1].StageRunId, "another host")).ShouldNotBeNull();
    }
}
