using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every ledger promises about backfills.</summary>
public abstract class BackfillCompliance
{
    private const int Windows = 4;

    private protected abstract Task<TestStore> OpenAsync();

    private protected async Task<TestStore> OpenWithWorkflowAsync(OverlapPolicy overlap = OverlapPolicy.Queue)
    {
        var store = await OpenAsync();
        await store.Ledger.RegisterWorkflowsAsync([("w", 1, overlap)], default);
        return store;
    }

    [Fact]
    public async Task The_same_request_is_the_same_backfill_unless_another_is_wanted()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (first, created) = await store.Ledger.RequestBackfillAsync(Request(), default);
        created.ShouldBeTrue();
        (await store.Ledger.RequestBackfillAsync(Request(parallel: null), default)).ShouldBe((first, false));
        (await store.Ledger.FindBackfillAsync(first, default))!.Parallel.ShouldBe(1);
        (await store.Ledger.RequestBackfillAsync(Request(parallel: 3), default)).ShouldBe((first, false));
        (await store.Ledger.FindBackfillAsync(first, default))!.Parallel.ShouldBe(3);
        (await store.Ledger.RequestBackfillAsync(Request(train: true), default)).Created.ShouldBeTrue();
        (await store.Ledger.RequestBackfillAsync(Request(models: [new("m", 2)]), default)).Created.ShouldBeTrue();
        (await store.Ledger.RequestBackfillAsync(Request(models: [new("m", 3)]), default)).Created.ShouldBeTrue();
        var (again, anew) = await store.Ledger.RequestBackfillAsync(Request(again: true), default);
        anew.ShouldBeTrue();
        (await store.Ledger.RequestBackfillAsync(Request(), default)).ShouldBe((again, false), "the newest of them is meant");
    }

    [Fact]
    public async Task Of_many_that_ask_at_once_one_makes_it()
    {
        await using var store = await OpenWithWorkflowAsync();
        var asked = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => store.Ledger.RequestBackfillAsync(Request(), default))));
        asked.Count(a => a.Created).ShouldBe(1);
        asked.Select(a => a.BackfillId).Distinct().Count().ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.runs}")).ShouldBe(Windows);
    }

    [Fact]
    public async Task Its_windows_are_runs_in_order_of_time_with_hindsight_and_the_models_of_the_moment()
    {
        await using var store = await OpenWithWorkflowAsync();
        await store.Registry.SetAliasAsync(new("m", "champion", 7, "ada", "best"), default);
        var (id, _) = await store.Ledger.RequestBackfillAsync(Request(champions: ["m", "never-trained"], models: [new("n", 2)]), default);
        await store.Registry.SetAliasAsync(new("m", "champion", 8, "ada", "better"), default);
        var runs = await RunsAsync(store, id);
        runs.Select(r => r.Window).ShouldBe(Days());
        runs.ShouldAllBe(r => r.Hindsight && !r.CatchUp && r.TriggeredBy == "backfill" && r.State == States.Requested && r.BackfillId == id);
        foreach (var run in runs)
            (await store.Ledger.PinsAsync(run.RunId, default)).ShouldBe([new("m", 7), new("n", 2)]);
        var backfill = (await store.Ledger.FindBackfillAsync(id, default))!;
        (backfill.Workflow, backfill.Window, backfill.Every, backfill.Models, backfill.RequestedBy).ShouldBe(("w", new Window(Days()[0].From, Days()[^1].To), TimeSpan.FromDays(1), "n=2", "ada"));
    }

    [Fact]
    public async Task Windows_are_admitted_oldest_first_as_many_as_may_run_beside_what_runs_anyway()
    {
        await using var store = await OpenWithWorkflowAsync(OverlapPolicy.Skip);
        await store.StartRunAsync(Readings.Day, "a");
        var (id, _) = await store.Ledger.RequestBackfillAsync(Request(parallel: 2), default);
        var runs = await RunsAsync(store, id);
        (await OpenAsync(store, id)).ShouldBe([runs[0].RunId], "only the next window of a backfill is there to be admitted");
        (await AdmitAsync(store, runs[1].RunId)).ShouldBe(AdmitResult.NotNow);
        (await AdmitAsync(store, runs[0].RunId)).ShouldBe(AdmitResult.Planned);
        (await OpenAsync(store, id)).ShouldBe([runs[0].RunId, runs[1].RunId]);
        (await AdmitAsync(store, runs[1].RunId)).ShouldBe(AdmitResult.Planned);
        (await AdmitAsync(store, runs[2].RunId)).ShouldBe(AdmitResult.NotNow, "two of two are running");
        await store.Ledger.CancelAsync(runs[0].RunId, "ada", "enough", default);
        (await AdmitAsync(store, runs[2].RunId)).ShouldBe(AdmitResult.Planned);
        // What is due today has room of its own, and none is left of it.
        var (today, _) = await store.Ledger.RequestAsync(new("w", Readings.Day, "ada", "manual"), default);
        (await AdmitAsync(store, today)).ShouldBe(AdmitResult.Ended);
    }

    [Fact]
    public async Task Catch_up_does_not_see_windows_of_backfills()
    {
        await using var store = await OpenWithWorkflowAsync();
        await store.Ledger.RequestBackfillAsync(Request(), default);
        (await store.Ledger.UnfinishedRunsAsync("w", default)).ShouldBeEmpty();
        (await store.Ledger.LatestRunIdAsync("w", default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_step_waits_for_its_predecessors_in_earlier_windows_but_not_for_those_that_have_failed()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (id, _) = await store.Ledger.RequestBackfillAsync(Request(parallel: 3), default);
        var runs = await RunsAsync(store, id);
        foreach (var run in runs.Take(3))
            (await AdmitAsync(store, run.RunId)).ShouldBe(AdmitResult.Planned);
        var first = await store.ClaimNextAsync(runs[0].RunId);
        var second = await store.ClaimNextAsync(runs[1].RunId);
        await store.Ledger.WinAsync(new(second), default);
        (await store.Ledger.AdvanceAsync(runs[1].RunId, "e", 9, default)).Dispatched.ShouldBeEmpty("a of the first window is not done");
        (await store.Ledger.WaitingWindowsAsync(id, runs[0].RunId, default)).ShouldBe([runs[1].RunId, runs[2].RunId]);

        // Whoever claims a step that was dispatched before an earlier window was taken up again finds it not ready.
        var b = (await store.Ledger.StageRunsAsync(runs[1].RunId, default)).Single(s => s.Step == "b");
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stage_runs} SET dispatched_at = {now} WHERE stage_run_id = @Id", new { Id = b.StageRunId }), default);
        (await store.ClaimAsync(b.StageRunId)).ShouldBeNull();
        (await store.Ledger.FindStageRunAsync(b.StageRunId, default))!.DispatchedAt.ShouldBeNull("it is dispatched again when it is ready");

        await store.Ledger.FailAsync(first, "boom", TimeSpan.Zero, final: true, default);
        (await store.Ledger.AdvanceAsync(runs[0].RunId, "e", 9, default)).EndState.ShouldBe(States.Failed);
        (await store.ClaimNextAsync(runs[1].RunId)).Stage.ShouldBe("b");

        // Taken up again it waits for room, and blocks nobody meanwhile: what runs must end to make that room.
        (await store.Ledger.RetryBackfillAsync(id, "ada", default)).ShouldBe(1);
        (await AdmitAsync(store, runs[3].RunId)).ShouldBe(AdmitResult.NotNow);
        (await AdmitAsync(store, runs[0].RunId)).ShouldBe(AdmitResult.Planned);
        await store.Ledger.WinAsync(new(await store.ClaimNextAsync(runs[2].RunId)), default);
        (await store.Ledger.AdvanceAsync(runs[2].RunId, "e", 9, default)).Dispatched.ShouldBeEmpty("a of the first window is open again");
    }

    [Fact]
    public async Task A_control_step_waits_for_that_of_its_stage_in_earlier_windows()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (id, _) = await store.Ledger.RequestBackfillAsync(Request(parallel: 2), default);
        var runs = await RunsAsync(store, id);
        var plan = new RunPlan([Plans.Step("a", 0), Plans.Step("a/outcomes", 1) with { Stage = "a", Kind = StepKinds.Control }], [("a/outcomes", "a")]);
        foreach (var run in runs.Take(2))
            await store.Ledger.AdmitAsync(run.RunId, plan, "code", default);
        foreach (var run in runs.Take(2))
            await store.Ledger.WinAsync(new(await store.ClaimNextAsync(run.RunId)), default);
        (await store.Ledger.AdvanceAsync(runs[1].RunId, "e", 9, default)).Dispatched.ShouldBeEmpty();
        await store.Ledger.WinAsync(new(await store.ClaimNextAsync(runs[0].RunId)), default);
        (await store.Ledger.AdvanceAsync(runs[1].RunId, "e", 9, default)).Dispatched.Select(d => d.Step).ShouldBe(["a/outcomes"]);
    }

    [Fact]
    public async Task Cancelling_ends_all_open_windows_at_once_and_retrying_resumes_them_with_what_they_had()
    {
        await using var store = await OpenWithWorkflowAsync();
        var (id, _) = await store.Ledger.RequestBackfillAsync(Request(parallel: 2), default);
        var runs = await RunsAsync(store, id);
        await AdmitAsync(store, runs[0].RunId);
        await store.Ledger.WinAsync(new(await store.ClaimNextAsync(runs[0].RunId)), default);
        var attempt = await store.ClaimNextAsync(runs[0].RunId);
        var (windows, running) = await store.Ledger.CancelBackfillAsync(id, "ada", null, default);
        windows.ShouldBe(Windows);
        running.ShouldBe([runs[0].RunId]);
        (await store.Ledger.WinAsync(new(attempt), default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        (await store.Ledger.CancelBackfillAsync(id, "ada", null, default)).Windows.ShouldBe(0);
        (await RunsAsync(store, id)).ShouldAllBe(r => r.State == States.Cancelled);

        (await store.Ledger.RetryBackfillAsync(id, "ada", default)).ShouldBe(Windows);
        (await store.Ledger.RetryBackfillAsync(id, "ada", default)).ShouldBe(0);
        await AdmitAsync(store, runs[0].RunId);
        var steps = await store.Ledger.StageRunsAsync(runs[0].RunId, default);
        steps.Select(s => (s.Step, s.State)).ShouldBe([("a", States.Succeeded), ("b", States.Pending)]);
        (await AdmitAsync(store, runs[1].RunId)).ShouldBe(AdmitResult.Planned);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE subject = @Subject", new { Subject = $"backfill {id}" })).ShouldBe(3);
    }

    private static Window[] Days() => [.. Enumerable.Range(0, Windows).Select(i => Readings.Day.Shift(TimeSpan.FromDays(i)))];

    private static BackfillRequest Request(int? parallel = null, bool train = false, ModelPin[]? models = null, string[]? champions = null, bool again = false) =>
        new(new("w", Days()[0].From, Days()[^1].To, TimeSpan.FromDays(1), parallel, train, models ?? [], "ada", again), Days(), champions ?? []);

    private static async Task<IReadOnlyList<RunRecord>> RunsAsync(TestStore store, long backfillId)
    {
        var ids = await store.Database.ReadAsync<long>("SELECT run_id FROM {workflows.runs} WHERE backfill_id = @Id ORDER BY window_from", new { Id = backfillId }, default);
        var runs = new List<RunRecord>();
        foreach (var id in ids)
            runs.Add((await store.Ledger.FindRunAsync(id, default))!);
        return runs;
    }

    private static async Task<long[]> OpenAsync(TestStore store, long backfillId) => [.. (await store.Ledger.OpenRunsAsync(default)).Where(r => r.BackfillId == backfillId).Select(r => r.RunId)];

    private static Task<AdmitResult> AdmitAsync(TestStore store, long run) => store.Ledger.AdmitAsync(run, Plans.Chain("a", "b"), "code", default);
}
