using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every ledger promises about the steps of a run: when they are dispatched, and what they read.</summary>
public abstract class StepCompliance : LedgerSuite
{
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
    public async Task A_dispatch_whose_job_is_gone_is_taken_back_but_not_a_newer_one()
    {
        await using var store = await OpenWithWorkflowAsync();
        var run = await store.StartRunAsync(Readings.Day, "a");
        var step = (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched[0];
        await store.Ledger.SetJobsAsync([(step, "17")], default);
        await store.Ledger.SetJobsAsync([(step with { DispatchNo = step.DispatchNo + 1 }, "18")], default);
        (await store.Ledger.StaleDispatchesAsync(TimeSpan.FromMinutes(1), default)).ShouldBeEmpty();
        (await store.Ledger.StaleDispatchesAsync(TimeSpan.Zero, default)).ShouldHaveSingleItem().JobId.ShouldBe("17");
        await store.Ledger.UndispatchAsync(step.StageRunId, step.DispatchNo + 1, default);
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.ShouldBeEmpty();
        await store.Ledger.UndispatchAsync(step.StageRunId, step.DispatchNo, default);
        (await store.ClaimAsync(step.StageRunId)).ShouldBeNull();
        (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.ShouldHaveSingleItem().DispatchNo.ShouldBe(2);
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

    private sealed class ByContent : IEqualityComparer<AdvanceResult>
    {
        public bool Equals(AdvanceResult? x, AdvanceResult? y) => x!.EndState == y!.EndState && x.Dispatched.SequenceEqual(y.Dispatched);

        public int GetHashCode(AdvanceResult obj) => 0;
    }
}
