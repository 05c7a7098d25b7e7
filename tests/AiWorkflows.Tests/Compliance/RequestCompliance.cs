using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every ledger promises about requests, ticks and admission.</summary>
public abstract class RequestCompliance : LedgerSuite
{
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
    public async Task The_change_token_moves_with_every_write_and_only_then()
    {
        await using var store = await OpenWithWorkflowAsync();
        var before = await store.Ledger.ChangeTokenAsync(default);
        (await store.Ledger.ChangeTokenAsync(default)).ShouldBe(before);
        await store.Ledger.RequestAsync(Request(), default);
        (await store.Ledger.ChangeTokenAsync(default)).ShouldNotBe(before);
    }
}
