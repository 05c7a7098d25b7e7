using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What a stage of several partitions promises: each is sealed by itself, and all of them become visible at once, or none.</summary>
public abstract class PartitionCompliance
{
    private static readonly Window Days = new(Readings.Start, Readings.Start.AddDays(3));

    private protected abstract Task<TestStore> OpenAsync();

    [Fact]
    public async Task Slices_have_windows_of_their_own_and_one_sequence_to_read_at()
    {
        await using var store = await OpenRegisteredAsync();
        await Readings.PublishAsync(store, Readings.Day.Shift(TimeSpan.FromDays(9)), Readings.Row("a", 9 * 24, 1));
        var run = await StartAsync(store);
        var first = await AdvanceAsync(store, run, cap: 2);
        first.Select(s => (s.Step, s.Partition, s.Partitions)).ShouldBe([("readings", 0, 3), ("readings", 1, 3)]);
        await Readings.PublishAsync(store, Readings.Day.Shift(TimeSpan.FromDays(9)), Readings.Row("a", 9 * 24, 2));
        (await SealAsync(store, first[0].StageRunId, 1)).Outcome.ShouldBe(PublishOutcome.Published);
        (await AdvanceAsync(store, run)).ShouldHaveSingleItem().Partition.ShouldBe(2);

        var rows = await store.Ledger.StageRunsAsync(run, default);
        rows.Select(r => (r.Step, r.Partition, r.Slice, r.IsSlice)).ShouldBe(
            [("readings", 0, Day(0), true), ("readings", 1, Day(1), true), ("readings", 2, Day(2), true), ("readings/publish", 0, null, false), ("next", 0, null, false)]);
        rows.Where(r => r.IsSlice).Select(r => r.AsOfSeq).ShouldBe([1, 1, 1]);
    }

    [Fact]
    public async Task What_is_sealed_is_invisible_until_the_publish_step_shows_all_of_it_under_one_sequence()
    {
        await using var store = await OpenRegisteredAsync();
        var run = await StartAsync(store);
        var slices = await AdvanceAsync(store, run);
        foreach (var slice in slices)
        {
            (await AdvanceAsync(store, run)).ShouldBeEmpty();
            (await store.Features.CurrentSeqAsync(default)).ShouldBe(0);
            await SealAsync(store, slice.StageRunId, 2);
        }
        (await Readings.AsOfAsync(store.Features, long.MaxValue, Days)).ShouldBeEmpty();
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.coverage}")).ShouldBe(0);

        (await PublishAsync(store, run)).ShouldBe((PublishOutcome.Published, 1));
        (await Readings.AsOfAsync(store.Features, 1, Days)).Count.ShouldBe(6);
        (await Readings.AsOfAsync(store.Features, 0, Days)).ShouldBeEmpty();
        (await store.CountAsync("SELECT COUNT(DISTINCT published_seq) * 10 + COUNT(*) FROM {feature_store.commits} WHERE state = 'published'")).ShouldBe(13);
        (await store.Ledger.CoverageAsync(["readings"], default)).ShouldHaveSingleItem().Window.ShouldBe(Days);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.watermarks} WHERE pipeline = 'readings' AND input IN ('', 'raw')")).ShouldBe(2);
        (await AdvanceAsync(store, run)).ShouldHaveSingleItem().Step.ShouldBe("next");
    }

    [Fact]
    public async Task A_slice_that_failed_for_good_keeps_everything_invisible_and_resuming_finishes_only_the_rest()
    {
        await using var store = await OpenRegisteredAsync();
        var run = await StartAsync(store);
        var slices = await AdvanceAsync(store, run);
        await SealAsync(store, slices[0].StageRunId, 1);
        var failing = (await store.ClaimAsync(slices[1].StageRunId))!;
        (await store.Ledger.FailAsync(failing, "boom", TimeSpan.Zero, final: true, default))!.State.ShouldBe(States.Failed);
        // The siblings of what has failed are left alone, and are worth keeping.
        (await AdvanceAsync(store, run)).ShouldBeEmpty();
        await SealAsync(store, slices[2].StageRunId, 1);
        (await store.Ledger.AdvanceAsync(run, "engine", 100, default)).EndState.ShouldBe(States.Failed);
        (await Readings.AsOfAsync(store.Features, long.MaxValue, Days)).ShouldBeEmpty();
        await store.Ledger.CollectAsync(default);

        await Readings.PublishAsync(store, Readings.Day.Shift(TimeSpan.FromDays(9)), Readings.Row("a", 9 * 24, 2));
        await ResumeAsync(store, run);
        var again = (await AdvanceAsync(store, run)).ShouldHaveSingleItem();
        again.Partition.ShouldBe(1);
        (await store.Ledger.FindStageRunAsync(again.StageRunId, default))!.AsOfSeq.ShouldBe(0);
        await SealAsync(store, again.StageRunId, 1);
        (await PublishAsync(store, run)).ShouldBe((PublishOutcome.Published, 2));
        (await Readings.AsOfAsync(store.Features, 2, Days)).Count.ShouldBe(3);
        (await store.Ledger.StageRunsAsync(run, default)).Where(r => r.IsSlice).Select(r => r.Attempt).ShouldBe([1, 2, 1]);
    }

    [Fact]
    public async Task Only_the_slice_that_another_commit_overtook_takes_its_difference_again()
    {
        await using var store = await OpenRegisteredAsync();
        var run = await StartAsync(store);
        foreach (var slice in await AdvanceAsync(store, run))
            await SealAsync(store, slice.StageRunId, 1);
        var publish = (await AdvanceAsync(store, run)).ShouldHaveSingleItem();
        await Readings.PublishAsync(store, Day(1), Readings.Row("a", 30, 7));
        var attempt = (await store.ClaimAsync(publish.StageRunId))!;
        (await store.Ledger.WinAsync(All(attempt), default)).Outcome.ShouldBe(PublishOutcome.Conflict);

        (await store.Ledger.StageRunsAsync(run, default)).Select(r => r.State).ShouldBe(["succeeded", "pending", "succeeded", "pending", "pending"]);
        (await Readings.AsOfAsync(store.Features, long.MaxValue, Days)).Count.ShouldBe(1);
        (await store.Ledger.WinAsync(All(attempt), default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        var again = (await AdvanceAsync(store, run)).ShouldHaveSingleItem();
        again.Partition.ShouldBe(1);
        await SealAsync(store, again.StageRunId, 1);
        (await PublishAsync(store, run)).ShouldBe((PublishOutcome.Published, 2));
        await store.Ledger.CollectAsync(default);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'collected'")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commit_inputs}")).ShouldBe(3);
    }

    [Fact]
    public async Task Slices_that_change_nothing_leave_no_commit_and_if_none_does_no_sequence_is_taken()
    {
        await using var store = await OpenRegisteredAsync();
        (await RunAsync(store, 1, 1, 1)).ShouldBe((PublishOutcome.Published, 1));
        (await RunAsync(store, 0, 1, 0)).ShouldBe((PublishOutcome.Published, 2));
        (await RunAsync(store, 0, 0, 0)).ShouldBe((PublishOutcome.Published, 2));
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'published'")).ShouldBe(4);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'discarded'")).ShouldBe(5);
    }

    [Fact]
    public async Task A_result_that_is_missing_publishes_nothing()
    {
        await using var store = await OpenRegisteredAsync();
        var run = await StartAsync(store);
        var slices = await AdvanceAsync(store, run);
        foreach (var slice in slices)
            await SealAsync(store, slice.StageRunId, 1);
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {feature_store.commits} SET state = 'discarded' WHERE stage_run_id = @StageRunId", new { slices[1].StageRunId }), default);
        var publish = (await AdvanceAsync(store, run)).ShouldHaveSingleItem();
        var attempt = (await store.ClaimAsync(publish.StageRunId))!;
        (await Should.ThrowAsync<InvalidOperationException>(store.Ledger.WinAsync(All(attempt), default))).Message.ShouldContain("3 partitions, but the results of 2");
        (await store.Features.CurrentSeqAsync(default)).ShouldBe(0);
        (await Readings.AsOfAsync(store.Features, long.MaxValue, Days)).ShouldBeEmpty();
        (await store.Ledger.FindStageRunAsync(publish.StageRunId, default))!.State.ShouldBe(States.Running);
    }

    [Fact]
    public async Task A_slice_that_has_lost_its_lease_seals_nothing()
    {
        await using var store = await OpenRegisteredAsync();
        var run = await StartAsync(store);
        var slice = (await AdvanceAsync(store, run))[0];
        var zombie = (await store.ClaimAsync(slice.StageRunId))!;
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(zombie, Day(0)), default);
        await store.LetLeasesRunOutAsync();
        await store.Ledger.ExpireAsync(false, 10, default);
        await AdvanceAsync(store, run);
        (await SealAsync(store, slice.StageRunId, 1)).Outcome.ShouldBe(PublishOutcome.Published);
        (await store.Ledger.WinAsync(new(zombie) { Kind = PublicationKind.Slice, Commit = Readings.Seal(writer, Day(0), 0) }, default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'sealed'")).ShouldBe(1);
    }

    [Fact]
    public async Task What_a_cancelled_run_has_sealed_waits_a_week_to_be_resumed_and_is_then_collected()
    {
        await using var store = await OpenRegisteredAsync();
        var run = await StartAsync(store);
        var slices = await AdvanceAsync(store, run);
        await SealAsync(store, slices[0].StageRunId, 1);
        await SealAsync(store, slices[1].StageRunId, 1);
        await store.Ledger.CancelAsync(run, "ada", "enough", default);
        (await store.Ledger.CollectAsync(default)).ShouldBe(0);
        await ResumeAsync(store, run);
        (await AdvanceAsync(store, run)).ShouldHaveSingleItem().Partition.ShouldBe(2);

        await store.Ledger.CancelAsync(run, "ada", "enough", default);
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.runs} SET finished_at = {ago:@Age}", new { Age = Timestamps.ToMicros(TimeSpan.FromDays(8)) }), default);
        (await store.Ledger.CollectAsync(default)).ShouldBe(2);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'collected'")).ShouldBe(2);
        await ResumeAsync(store, run);
        foreach (var slice in await AdvanceAsync(store, run))
            await SealAsync(store, slice.StageRunId, 1);
        (await PublishAsync(store, run)).ShouldBe((PublishOutcome.Published, 1));
        (await Readings.AsOfAsync(store.Features, 1, Days)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Batches_of_all_slices_supersede_what_was_there_and_the_same_again_is_not_kept()
    {
        await using var store = await OpenRegisteredAsync();
        await ScoreAsync(store, "whole", [Days]);
        await ScoreAsync(store, "first", [Day(0), Day(1), Day(2)]);
        await CurrentAsync(store, "first", "first", "first");
        await ScoreAsync(store, "first", [Day(0), Day(1), Day(2)]);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.batches} WHERE state = 'discarded'")).ShouldBe(3);
        await ScoreAsync(store, "second", [Day(0), new(Readings.Start.AddDays(1), Days.To)]);
        await CurrentAsync(store, "second", "second");
        (await store.CountAsync("SELECT COUNT(DISTINCT published_seq) FROM {prediction_log.batches} WHERE state = 'published'")).ShouldBe(3);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.batch_inputs} i JOIN {prediction_log.batches} b ON b.batch_id = i.batch_id WHERE b.state = 'published'")).ShouldBe(6);
    }

    [Fact]
    public async Task Of_a_thousand_partitions_jobs_are_made_a_few_at_a_time()
    {
        await using var store = await OpenRegisteredAsync();
        var hours = Enumerable.Range(0, 1000).Select(h => new Window(Readings.At(h), Readings.At(h + 1))).ToArray();
        var run = await StartAsync(store, hours);
        var slices = await AdvanceAsync(store, run, cap: 16);
        slices.Select(s => s.Partition).ShouldBe(Enumerable.Range(0, 16));
        for (var i = 0; i < 3; i++)
        {
            await SealAsync(store, slices[i].StageRunId, 0, hours[i]);
            (await AdvanceAsync(store, run, cap: 16)).ShouldBeEmpty();
        }
        await SealAsync(store, slices[3].StageRunId, 0, hours[3]);
        (await AdvanceAsync(store, run, cap: 16)).Select(s => s.Partition).ShouldBe([16, 17, 18, 19]);
    }

    private async Task<TestStore> OpenRegisteredAsync()
    {
        var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await store.Ledger.RegisterWorkflowsAsync([("w", 1000, OverlapPolicy.Queue)], default);
        return store;
    }

    private static Window Day(int day) => Readings.Day.Shift(TimeSpan.FromDays(day));

    private static async Task<long> StartAsync(TestStore store, IReadOnlyList<Window>? slices = null)
    {
        slices ??= [Day(0), Day(1), Day(2)];
        var (run, _) = await store.Ledger.RequestAsync(new("w", new(slices[0].From, slices[^1].To), "test", "manual"), default);
        var plan = new RunPlan(
            [Plans.Step("readings", 0) with { Slices = slices }, Plans.Step("readings", 1) with { Step = "readings/publish", Kind = StepKinds.Control, Queue = "control" }, Plans.Step("next", 2)],
            [("readings/publish", "readings"), ("next", "readings/publish")]);
        (await store.Ledger.AdmitAsync(run, plan, "code", default)).ShouldBe(AdmitResult.Planned);
        return run;
    }

    private static async Task<IReadOnlyList<DispatchedStep>> AdvanceAsync(TestStore store, long run, int cap = 100) =>
        (await store.Ledger.AdvanceAsync(run, "engine", cap, default)).Dispatched;

    private static async Task ResumeAsync(TestStore store, long run)
    {
        (await store.Ledger.ResumeAsync(run, "ada", default)).ShouldBeTrue();
        (await store.Ledger.AdmitAsync(run, Plans.Chain("ignored"), "code", default)).ShouldBe(AdmitResult.Planned);
    }

    /// <summary>Claims a slice and seals a commit with one row per hour of its window.</summary>
    private static async Task<PublishResult> SealAsync(TestStore store, long stageRunId, int rows, Window? window = null)
    {
        var attempt = (await store.ClaimAsync(stageRunId))!;
        var slice = window ?? (await store.Ledger.FindStageRunAsync(stageRunId, default))!.Slice!.Value;
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, slice), default);
        if (rows > 0)
            await writer.WriteAsync(new Readings.Batch([.. Enumerable.Range(0, rows).Select(h => new Reading("a", 1, slice.From.AddHours(h), h, null, null, null, null))], []), default);
        var seal = Readings.Seal(writer, slice, rows, inputs: [new FeatureInput("raw", 1, 0, slice)]);
        return await store.Ledger.WinAsync(new(attempt) { Kind = PublicationKind.Slice, Commit = seal }, default);
    }

    private static Publication All(AttemptRef attempt) => new(attempt) { Kind = PublicationKind.AllSlices, Coverage = (Days, Readings.Start) };

    private static async Task<(PublishOutcome, long)> PublishAsync(TestStore store, long run)
    {
        var publish = (await AdvanceAsync(store, run)).ShouldHaveSingleItem();
        publish.Step.ShouldBe("readings/publish");
        var result = await store.Ledger.WinAsync(All((await store.ClaimAsync(publish.StageRunId))!), default);
        return (result.Outcome, result.Seq);
    }

    private static async Task<(PublishOutcome, long)> RunAsync(TestStore store, params int[] rows)
    {
        var run = await StartAsync(store);
        foreach (var (slice, count) in (await AdvanceAsync(store, run)).Zip(rows))
            await SealAsync(store, slice.StageRunId, count);
        return await PublishAsync(store, run);
    }

    /// <summary>Logs a prediction per slice, with the label; a single slice is published as a whole.</summary>
    private static async Task ScoreAsync(TestStore store, string label, IReadOnlyList<Window> slices)
    {
        if (slices.Count == 1)
        {
            var alone = await store.AttemptAsync(slices[0]);
            (await store.Ledger.WinAsync(new(alone) { Batch = await WriteAsync(alone, slices[0]) }, default)).Outcome.ShouldBe(PublishOutcome.Published);
            return;
        }
        var run = await StartAsync(store, slices);
        foreach (var slice in await AdvanceAsync(store, run))
        {
            var attempt = (await store.ClaimAsync(slice.StageRunId))!;
            (await store.Ledger.WinAsync(new(attempt) { Kind = PublicationKind.Slice, Batch = await WriteAsync(attempt, slices[slice.Partition]) }, default)).Outcome.ShouldBe(PublishOutcome.Published);
        }
        (await PublishAsync(store, run)).Item1.ShouldBe(PublishOutcome.Published);

        async Task<BatchSeal> WriteAsync(AttemptRef attempt, Window window)
        {
            var request = new BatchRequest("readings", "champion", "model", 1, "view", 1, window, 0, false, window.From, attempt, "code");
            await using var writer = await store.Predictions.OpenBatchAsync(request, default);
            await writer.WriteAsync([new PredictionRow("[\"a\"]", window.From, 0.5, 0.5, label, "{}", 1)], default);
            return new(writer.BatchId, request, 1, label, "[]", 0, [new("raw", 1, 0, window)], []);
        }
    }

    private static async Task CurrentAsync(TestStore store, params string[] labels)
    {
        var scored = new List<string?>();
        await foreach (var row in store.Predictions.ScoredAsync("readings", Days, default))
            scored.Add(row.Label);
        scored.ShouldBe(labels);
    }
}
