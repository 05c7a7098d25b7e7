using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What a host does when the answer to a COMMIT is lost: it asks the database by claim, attempt or key what has become of it, and neither loses nor doubles anything.</summary>
public abstract class LostAnswerCompliance : LedgerSuite
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_won_commit_is_published_once(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync(1000);
        await Readings.RegisterAsync(store.Features);
        var (ledger, database) = Flaky(store);
        var attempt = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        await writer.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 1)], []), default);
        database.LoseAnswer(committed);
        var won = await ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, Readings.Day, 1), Coverage = (Readings.Day, Readings.Start) }, default);
        (won.Outcome, won.Seq).ShouldBe((PublishOutcome.Published, 1));
        (await store.Features.CurrentSeqAsync(default)).ShouldBe(1);
        (await Readings.AsOfAsync(store.Features, 1, Readings.Day)).ShouldHaveSingleItem();
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.coverage}")).ShouldBe(1);
        (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!.State.ShouldBe(States.Succeeded);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Won_predictions_are_published_once(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync(1000);
        var (ledger, database) = Flaky(store);
        var attempt = await store.AttemptAsync(Readings.Day, Predictions.Pipeline);
        var request = new AiWorkflows.Inference.BatchRequest(Predictions.Pipeline, "champion", "m", 1, "v", 1, Readings.Day, 0, false, Readings.Start, attempt, "code");
        await using var writer = await store.Predictions.OpenBatchAsync(request, default);
        await writer.WriteAsync([Predictions.Row("a", 1, 0.5)], default);
        database.LoseAnswer(committed);
        var won = await ledger.WinAsync(new(attempt) { Batch = new(writer.BatchId, request, 1, "hash", "[]", 0.5, [new("readings", 1, 0, Readings.Day)], [1, 2]) }, default);
        (won.Outcome, won.Seq, won.BatchUnchanged).ShouldBe((PublishOutcome.Published, 1, false));
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.predictions}")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.batch_commits}")).ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_step_is_claimed_once(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        var run = await store.StartRunAsync(Readings.Day, "a");
        var step = (await store.Ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.Single();
        database.LoseAnswer(committed);
        var claim = await ledger.ClaimAsync(step.StageRunId, new(Guid.NewGuid(), "host", "job", "code", TimeSpan.FromMinutes(1)), default);
        claim.Lease!.Attempt.ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.attempts}")).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_failure_is_counted_once(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        var attempt = await store.ClaimNextAsync(await store.StartRunAsync(Readings.Day, "a"));
        database.LoseAnswer(committed);
        var failed = (await ledger.FailAsync(attempt, "boom", TimeSpan.Zero, false, default))!;
        (failed.State, failed.Failures, failed.Error).ShouldBe((States.Pending, 1, "boom"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_request_with_a_key_is_one_run(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        database.LoseAnswer(committed);
        var (run, _) = await ledger.RequestAsync(Request("k"), default);
        (await store.Ledger.OpenRunsAsync(default)).ShouldHaveSingleItem().RunId.ShouldBe(run);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_beat_keeps_its_lease_and_a_release_gives_it_back(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        var attempt = await store.ClaimNextAsync(await store.StartRunAsync(Readings.Day, "a"));
        database.LoseAnswer(committed);
        (await ledger.BeatAsync(attempt, TimeSpan.FromMinutes(1), new(), default)).ShouldBeTrue();
        database.LoseAnswer(committed);
        await ledger.ReleaseAsync(attempt, "released", default);
        (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!.State.ShouldBe(States.Pending);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'released'")).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_cancellation_and_a_resumption_are_made_once_and_say_so(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        var run = await store.StartRunAsync(Readings.Day, "a", "b");
        var attempt = await store.ClaimNextAsync(run);
        database.LoseAnswer(committed);
        (await ledger.CancelAsync(run, "me", "enough", default)).ShouldBeTrue();
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'cancelled'")).ShouldBe(1);
        (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!.State.ShouldBe(States.Cancelled);
        database.LoseAnswer(committed);
        (await ledger.ResumeAsync(run, "me", default)).ShouldBeTrue();
        (await store.Ledger.FindRunAsync(run, default))!.State.ShouldBe(States.Requested);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE action IN ('cancel', 'resume')")).ShouldBe(2);
        // Nothing to do is no loss.
        (await ledger.ResumeAsync(run, "me", default)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_tick_requests_its_run_once_and_names_it(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        var tick = await store.Ledger.NowAsync(default);
        database.LoseAnswer(committed);
        var runs = await ledger.TickAsync("w", tick, [Request("tick")], default);
        runs.ShouldBe([(await store.Ledger.OpenRunsAsync(default)).ShouldHaveSingleItem().RunId]);
        // A tick that another one has come before finds nothing, whatever happens to its answer.
        database.LoseAnswer(committed);
        (await ledger.TickAsync("w", tick.AddSeconds(-1), [Request("late")], default)).ShouldBeEmpty();
        (await store.Ledger.OpenRunsAsync(default)).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_is_admitted_and_planned_once(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        var (run, _) = await store.Ledger.RequestAsync(Request(null), default);
        database.LoseAnswer(committed);
        (await ledger.AdmitAsync(run, Plans.Chain("a", "b"), "code", default)).ShouldBe(AdmitResult.Planned);
        (await store.Ledger.StageRunsAsync(run, default)).Select(s => s.Step).ShouldBe(["a", "b"]);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.run_edges}")).ShouldBe(1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_step_that_was_dispatched_gets_its_job_and_a_run_that_ended_is_told(bool committed)
    {
        await using var store = await OpenWithWorkflowAsync();
        var (ledger, database) = Flaky(store);
        var run = await store.StartRunAsync(Readings.Day, "a");
        database.LoseAnswer(committed);
        var step = (await ledger.AdvanceAsync(run, "e", 9, default)).Dispatched.ShouldHaveSingleItem();
        step.DispatchNo.ShouldBe(1);
        database.LoseAnswer(committed);
        await ledger.SetJobsAsync([(step, "job")], default);
        (await store.Ledger.FindStageRunAsync(step.StageRunId, default))!.JobId.ShouldBe("job");

        var attempt = (await store.ClaimAsync(step.StageRunId))!;
        await store.Ledger.WinAsync(new(attempt), default);
        database.LoseAnswer(committed);
        (await ledger.AdvanceAsync(run, "e", 9, default)).EndState.ShouldBe(States.Succeeded);
        (await store.Ledger.FindRunAsync(run, default))!.State.ShouldBe(States.Succeeded);
    }

    private static (ILedger Ledger, FlakyDatabase Database) Flaky(TestStore store)
    {
        var database = new FlakyDatabase(store.Database);
        return (store.LedgerOver(database), database);
    }
}
