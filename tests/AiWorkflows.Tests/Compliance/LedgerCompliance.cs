using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every ledger promises about requests, admission, dispatch, leases and recovery.</summary>
public abstract class LedgerCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    private protected async Task<TestStore> OpenWithWorkflowAsync(int maxRunning = 1, OverlapPolicy overlap = OverlapPolicy.Queue)
    {
        var store = await OpenAsync();
        await store.Ledger.RegisterWorkflowsAsync([("w", maxRunning, overlap)], default);
        return store;
    }

    private static RunRequest Request(string? dedupKey = null) => new("w", Readings.Day, "ada", "manual", DedupKey: dedupKey);

    [Fact]
    public async Task A_request_with_the_same_key_is_the_same_run()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (first, created) = await store.Ledger.RequestAsync(Request("k"), default);
        created.ShouldBeTrue();
        (await store.Ledger.RequestAsync(Request("k"), default)).ShouldBe((first, false));
        (await store.Ledger.RequestAsync(Request(), default)).Created.ShouldBeTrue();
        (await store.Ledger.RequestAsync(Request(), default)).Created.ShouldBeTrue();
        var run = (await store.Ledger.FindRunAsync(first, default))!;
        (run.State, run.Window, run.RequestedBy, run.TriggeredBy, run.Mode).ShouldBe((States.Requested, Readings.Day, "ada", "manual", RunModes.Stages));
        (await store.Ledger.OpenRunsAsync(default)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Unfinished_runs_are_those_that_still_own_their_cells()
    {
        await using var store = await OpenWithWorkflowAsync(maxRunning: 10);
        (await store.Ledger.LatestRunIdAsync("w", default)).ShouldBe(0);
        var failed = await store.StartRunAsync(Readings.Day, "a");
        await store.Ledger.FailAsync(await store.ClaimNextAsync(failed), "boom", TimeSpan.Zero, true, default);
        await store.Ledger.AdvanceAsync(failed, "e", 9, default);
        var done = await store.StartRunAsync(Readings.Day, "a");
        await store.Ledger.WinAsync(new(await store.ClaimNextAsync(done)), default);
        await store.Ledger.AdvanceAsync(done, "e", 9, default);
        var cancelled = await store.StartRunAsync(Readings.Day, "a");
        await store.Ledger.CancelAsync(cancelled, "ada", "enough", default);
        var running = await store.StartRunAsync(Readings.Day, "a");
        var (requested, _) = await store.Ledger.RequestAsync(Request(), default);
        (await store.Ledger.UnfinishedRunsAsync("w", default)).Select(r => r.RunId).ShouldBe([failed, running, requested]);
        (await store.Ledger.UnfinishedRunsAsync("other", default)).ShouldBeEmpty();
        (await store.Ledger.LatestRunIdAsync("w", default)).ShouldBe(requested);
    }

    [Fact]
    public async Task A_tick_is_taken_once_and_not_while_paused()
    {
        await using var store = await OpenWithWorkflowAsync();
        (await store.Ledger.TickAsync("w", Readings.At(1), [Request("a")], default)).Count.ShouldBe(1);
        (await store.Ledger.TickAsync("w", Readings.At(1), [Request("b")], default)).ShouldBeEmpty();
        await store.Ledger.SetPausedAsync("w", "ada", default);
        (await store.Ledger.TickAsync("w", Readings.At(2), [Request("c")], default)).ShouldBeEmpty();
        (await store.Ledger.WorkflowStatesAsync(default)).ShouldHaveSingleItem().PausedBy.ShouldBe("ada");
        await store.Ledger.SetPausedAsync("w", null, default);
        (await store.Ledger.TickAsync("w", Readings.At(2), [Request("c")], default)).Count.ShouldBe(1);
        (await store.Ledger.WorkflowStatesAsync(default)).ShouldHaveSingleItem().ShouldBe(new WorkflowState("w", Readings.At(2), null, null));
    }

    [Fact]
    public async Task Runs_are_admitted_oldest_first_and_never_more_than_allowed()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (first, _) = await store.Ledger.RequestAsync(Request(), default);
        var (second, _) = await store.Ledger.RequestAsync(Request(), default);
        var plan = Plans.Chain("s");
        (await store.Ledger.AdmitAsync(second, plan, "code", default)).ShouldBe(AdmitResult.NotNow);
        (await store.Ledger.AdmitAsync(first, plan, "code", default)).ShouldBe(AdmitResult.Planned);
        (await store.Ledger.AdmitAsync(first, plan, "code", default)).ShouldBe(AdmitResult.Planned);
        (await store.Ledger.AdmitAsync(second, plan, "code", default)).ShouldBe(AdmitResult.NotNow);
        (await store.Ledger.StageRunsAsync(first, default)).Count.ShouldBe(1);
        (await store.Ledger.CancelAsync(first, "ada", "enough", default)).ShouldBeTrue();
        (await store.Ledger.AdmitAsync(first, plan, "code", default)).ShouldBe(AdmitResult.Ended);
        (await store.Ledger.AdmitAsync(second, plan, "code", default)).ShouldBe(AdmitResult.Planned);
    }

    [Fact]
    public async Task A_workflow_that_skips_overlaps_cancels_the_request_with_the_reason()
    {
        await using var store = await OpenWithWorkflowAsync(overlap: OverlapPolicy.Skip);
        await store.StartRunAsync(Readings.Day, "s");
        var (second, _) = await store.Ledger.RequestAsync(Request(), default);
        (await store.Ledger.AdmitAsync(second, Plans.Chain("s"), "code", default)).ShouldBe(AdmitResult.Ended);
        var run = (await store.Ledger.FindRunAsync(second, default))!;
        (run.State, run.Reason).ShouldBe((States.Cancelled, "overlap"));
    }

    [Fact]
    public async Task Steps_are_dispatched_when_their_predecessors_are_done_and_the_run_ends_with_the_last()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a", "b");
        var dispatched = (await store.Ledger.AdvanceAsync(run, "e", 10, default)).Dispatched.ShouldHaveSingleItem();
        (dispatched.Step, dispatched.DispatchNo, dispatched.Queue).ShouldBe(("a", 1, "features"));
        (await store.Ledger.AdvanceAsync(run, "e", 10, default)).Dispatched.ShouldBeEmpty();
        var steps = await store.Ledger.StageRunsAsync(run, default);
        (await store.ClaimAsync(steps[1].StageRunId)).ShouldBeNull();

        var a = (await store.ClaimAsync(dispatched.StageRunId))!;
        (await store.Ledger.WinAsync(new(a) { RowsRead = 7, ProgressText = "done" }, default)).Outcome.ShouldBe(PublishOutcome.Published);
        var b = await store.ClaimNextAsync(run);
        b.Stage.ShouldBe("b");
        (await store.Ledger.AdvanceAsync(run, "e", 10, default)).EndState.ShouldBeNull();
        await store.Ledger.WinAsync(new(b), default);
        (await store.Ledger.AdvanceAsync(run, "e", 10, default)).EndState.ShouldBe(States.Succeeded);
        (await store.Ledger.FindRunAsync(run, default))!.State.ShouldBe(States.Succeeded);
        (await store.Ledger.AdvanceAsync(run, "e", 10, default)).ShouldBe(new AdvanceResult(null, []), new ByContent());
        (await store.Ledger.StageRunsAsync(run, default))[0].RowsRead.ShouldBe(7);
    }

    [Fact]
    public async Task No_more_than_the_cap_is_dispatched_at_a_time()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (run, _) = await store.Ledger.RequestAsync(Request(), default);
        await store.Ledger.AdmitAsync(run, new([.. Enumerable.Range(0, 5).Select(i => Plans.Step($"s{i}", i))], []), "code", default);
        (await store.Ledger.AdvanceAsync(run, "e", 2, default)).Dispatched.Select(d => d.Step).ShouldBe(["s0", "s1"]);
        (await store.Ledger.AdvanceAsync(run, "e", 3, default)).Dispatched.Select(d => d.Step).ShouldBe(["s2"]);
    }

    [Fact]
    public async Task A_skipped_step_lets_its_successors_through()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (run, _) = await store.Ledger.RequestAsync(Request(), default);
        await store.Ledger.AdmitAsync(run, new([Plans.Step("a", 0, "warm-up"), Plans.Step("b", 1)], [("b", "a")]), "code", default);
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.ShouldHaveSingleItem().Step.ShouldBe("b");
        var a = (await store.Ledger.StageRunsAsync(run, default))[0];
        (a.State, a.Reason).ShouldBe((States.Skipped, "warm-up"));
    }

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
        early.NotBefore.ShouldBe(failed.NotBefore);

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
        second.NotBefore.ShouldNotBeNull();
        (await store.ClaimAsync(steps[1].StageRunId, "another host")).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_dispatch_whose_job_is_gone_is_taken_back_but_not_a_newer_one()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a");
        var step = (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched[0];
        await store.Ledger.SetJobAsync(step.StageRunId, step.DispatchNo, "17", default);
        await store.Ledger.SetJobAsync(step.StageRunId, step.DispatchNo + 1, "18", default);
        (await store.Ledger.StaleDispatchesAsync(TimeSpan.FromMinutes(1), default)).ShouldBeEmpty();
        (await store.Ledger.StaleDispatchesAsync(TimeSpan.Zero, default)).ShouldHaveSingleItem().JobId.ShouldBe("17");
        await store.Ledger.UndispatchAsync(step.StageRunId, step.DispatchNo + 1, default);
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.ShouldBeEmpty();
        await store.Ledger.UndispatchAsync(step.StageRunId, step.DispatchNo, default);
        (await store.ClaimAsync(step.StageRunId)).ShouldBeNull();
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.ShouldHaveSingleItem().DispatchNo.ShouldBe(2);
    }

    [Fact]
    public async Task Cancelling_fences_the_running_attempt_and_resuming_repeats_only_what_had_not_succeeded()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a", "b");
        var a = await store.ClaimNextAsync(run);
        await store.Ledger.WinAsync(new(a), default);
        var b = await store.ClaimNextAsync(run);
        (await store.Ledger.CancelAsync(run, "ada", "enough", default)).ShouldBeTrue();
        (await store.Ledger.CancelAsync(run, "ada", "enough", default)).ShouldBeFalse();
        (await store.Ledger.WinAsync(new(b), default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE done_by = 'ada' AND action = 'cancel'")).ShouldBe(1);

        (await store.Ledger.ResumeAsync(run, "ada", default)).ShouldBeTrue();
        (await store.Ledger.ResumeAsync(run, "ada", default)).ShouldBeFalse();
        (await store.Ledger.AdmitAsync(run, Plans.Chain("other"), "code", default)).ShouldBe(AdmitResult.Planned);
        var again = await store.ClaimNextAsync(run);
        (again.Stage, again.Attempt).ShouldBe(("b", 2));
        await store.Ledger.WinAsync(new(again), default);
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).EndState.ShouldBe(States.Succeeded);
        (await store.Ledger.ResumeAsync(run, "ada", default)).ShouldBeFalse();
    }

    [Fact]
    public async Task Every_attempt_of_a_step_reads_as_of_the_sequence_of_its_first_dispatch()
    {
        await using var store = await OpenWithWorkflowAsync(maxRunning: 10);
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        var run = await store.StartRunAsync(Readings.Day, "x");
        var attempt = await store.ClaimNextAsync(run);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        await store.Ledger.ExpireAsync(true, 10, default);
        var again = await store.ClaimNextAsync(run);
        again.Attempt.ShouldBe(attempt.Attempt + 1);
        (await store.Ledger.FindStageRunAsync(again.StageRunId, default))!.AsOfSeq.ShouldBe(1);
    }

    [Fact]
    public async Task Log_lines_are_read_on_from_the_last_one()
    {
        await using var store = await OpenWithWorkflowAsync();
        await store.Ledger.LogAsync([.. Enumerable.Range(1, 5).Select(i => new StageLogLine(0, 1, null, null, default, "info", $"line {i}"))], default);
        var first = await store.Ledger.LogsAsync(1, 0, 3, default);
        first.Select(l => l.Message).ShouldBe(["line 1", "line 2", "line 3"]);
        (await store.Ledger.LogsAsync(1, first[^1].LogId, 10, default)).Select(l => l.Message).ShouldBe(["line 4", "line 5"]);
        first[0].LoggedAt.Year.ShouldBeGreaterThan(2020);
    }

    [Fact]
    public async Task Hosts_come_are_seen_and_go()
    {
        await using var store = await OpenWithWorkflowAsync();
        var host = new HostRecord("h", "e", 1, "serve", "http://localhost:5000", "{}", "code", default, default);
        await store.Ledger.HostSeenAsync(host, default);
        await store.Ledger.HostSeenAsync(host with { Url = null }, default);
        var seen = (await store.Ledger.HostsAsync(default)).ShouldHaveSingleItem();
        (seen.Host, seen.Url).ShouldBe(("h", null));
        seen.LastSeen.ShouldBeGreaterThanOrEqualTo(seen.StartedAt);
        await store.Ledger.HostGoneAsync("h", default);
        (await store.Ledger.HostsAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_change_token_moves_with_every_write_and_only_then()
    {
        await using var store = await OpenWithWorkflowAsync();
        var before = await store.Ledger.ChangeTokenAsync(default);
        (await store.Ledger.ChangeTokenAsync(default)).ShouldBe(before);
        await store.Ledger.RequestAsync(Request(), default);
        (await store.Ledger.ChangeTokenAsync(default)).ShouldNotBe(before);
    }

    private sealed class ByContent : IEqualityComparer<AdvanceResult>
    {
        public bool Equals(AdvanceResult? x, AdvanceResult? y) => x!.EndState == y!.EndState && x.Dispatched.SequenceEqual(y.Dispatched);

        public int GetHashCode(AdvanceResult obj) => 0;
    }
}
