using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What winning promises: one transaction in which everything becomes visible, or nothing.</summary>
public abstract class PublicationCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    private protected async Task<TestStore> OpenRegisteredAsync()
    {
        var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        return store;
    }

    [Fact]
    public async Task Two_that_took_their_difference_against_the_same_base_conflict_and_the_second_takes_it_again()
    {
        await using var store = await OpenRegisteredAsync();
        var (first, second) = (await store.AttemptAsync(Readings.Day), await store.AttemptAsync(Readings.Day));
        await using var one = await store.Features.OpenCommitAsync(Readings.Commit(first, Readings.Day), default);
        await using var two = await store.Features.OpenCommitAsync(Readings.Commit(second, Readings.Day), default);
        await one.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 1)], []), default);
        await two.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 2)], []), default);
        (await store.Ledger.WinAsync(new(first) { Commit = Readings.Seal(one, Readings.Day, 1) }, default)).Seq.ShouldBe(1);
        (await store.Ledger.WinAsync(new(second) { Commit = Readings.Seal(two, Readings.Day, 1) }, default)).Outcome.ShouldBe(PublishOutcome.Conflict);

        await Should.ThrowAsync<FencedException>(two.WriteAsync(new Readings.Batch([Readings.Row("b", 1, 2)], []), default));
        (await store.Features.CurrentSeqAsync(default)).ShouldBe(1);
        await using var again = await store.Features.OpenCommitAsync(Readings.Commit(second, Readings.Day), default);
        again.BaseSeq.ShouldBe(1);
        await again.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 2)], []), default);
        (await store.Ledger.WinAsync(new(second) { Commit = Readings.Seal(again, Readings.Day, 1) }, default)).Seq.ShouldBe(2);
        (await Readings.AsOfAsync(store.Features, 2, Readings.Day)).ShouldBe([("a", Readings.At(1), 2.0)]);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(0.5, true)]
    public async Task Only_commits_whose_windows_touch_conflict(double daysLater, bool conflict)
    {
        await using var store = await OpenRegisteredAsync();
        var later = Readings.Day.Shift(TimeSpan.FromDays(daysLater));
        var slow = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(slow, Readings.Day), default);
        await Readings.PublishAsync(store, later, Readings.Row("a", 24 * daysLater, 1));
        (await store.Ledger.WinAsync(new(slow) { Commit = Readings.Seal(writer, Readings.Day, 0) }, default)).Outcome.ShouldBe(conflict ? PublishOutcome.Conflict : PublishOutcome.Published);
    }

    [Fact]
    public async Task A_patch_conflicts_with_nothing()
    {
        await using var store = await OpenRegisteredAsync();
        var slow = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(slow, Readings.Day, CommitKind.Patch), default);
        await writer.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 5)], []), default);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        (await store.Ledger.WinAsync(new(slow) { Commit = Readings.Seal(writer, Readings.Day, 1) }, default)).Seq.ShouldBe(2);
    }

    [Fact]
    public async Task The_first_to_cover_a_window_is_published_even_when_empty_and_the_next_writes_nothing()
    {
        await using var store = await OpenRegisteredAsync();
        (await WinEmptyAsync(store, Readings.Day)).Seq.ShouldBe(1);
        (await WinEmptyAsync(store, Readings.Day)).Seq.ShouldBe(1);
        var half = new Window(Readings.At(0), Readings.At(12));
        (await WinEmptyAsync(store, half)).Seq.ShouldBe(1);
        (await WinEmptyAsync(store, Readings.Day.Shift(TimeSpan.FromHours(1)))).Seq.ShouldBe(2);
        // Two windows side by side cover what lies across both.
        (await WinEmptyAsync(store, new(Readings.At(6), Readings.At(24.5)))).Seq.ShouldBe(2);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'published'")).ShouldBe(2);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'discarded'")).ShouldBe(3);
    }

    [Fact]
    public async Task Newly_quarantined_rows_are_published_and_known_ones_are_not_kept_twice()
    {
        await using var store = await OpenRegisteredAsync();
        (await WinEmptyAsync(store, Readings.Day)).Seq.ShouldBe(1);
        (await WinEmptyAsync(store, Readings.Day, "bad 1", "bad 2")).Seq.ShouldBe(2);
        (await WinEmptyAsync(store, Readings.Day, "bad 2", "bad 1")).Seq.ShouldBe(2);
        (await WinEmptyAsync(store, Readings.Day, "bad 1", "bad 3")).Seq.ShouldBe(3);
        await store.Ledger.CollectAsync(default);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.quarantine}")).ShouldBe(4);
    }

    [Fact]
    public async Task A_step_that_publishes_nothing_takes_no_sequence()
    {
        await using var store = await OpenRegisteredAsync();
        var attempt = await store.AttemptAsync(Readings.Day);
        var won = await store.Ledger.WinAsync(new(attempt) { SkipReason = "no history" }, default);
        (won.Outcome, won.Seq).ShouldBe((PublishOutcome.Published, 0));
        var row = (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!;
        (row.State, row.Reason).ShouldBe((States.Skipped, "no history"));
        (await store.Ledger.WinAsync(new(attempt), default)).Outcome.ShouldBe(PublishOutcome.Fenced);
    }

    [Fact]
    public async Task Inputs_and_touched_days_are_recorded_with_the_commit()
    {
        await using var store = await OpenRegisteredAsync();
        var attempt = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        FeatureInput[] inputs = [new("raw", 1, 0, Readings.Day), new("raw", 1, 0, Readings.Day.Shift(TimeSpan.FromDays(-1))), new("rates", 2, 0, Readings.Day)];
        await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, Readings.Day, 1, inputs: inputs) }, default);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commit_inputs} WHERE commit_id = @CommitId", new { writer.CommitId })).ShouldBe(3);
        (await store.Database.ReadFirstAsync<Utc>("SELECT MIN(bucket) FROM {feature_store.commit_buckets}", null, default)).Value.ShouldBe(Readings.Start);
    }

    [Fact]
    public async Task The_watermark_is_the_end_of_contiguous_coverage_and_never_the_maximum()
    {
        await using var store = await OpenRegisteredAsync();
        var days = Enumerable.Range(0, 4).Select(i => Readings.Day.Shift(TimeSpan.FromDays(i))).ToArray();
        (await CoverAsync(store, days[0])).ShouldBe(days[0].To);
        (await CoverAsync(store, days[2])).ShouldBe(days[0].To);
        (await CoverAsync(store, days[3])).ShouldBe(days[0].To);
        (await CoverAsync(store, days[1])).ShouldBe(days[3].To);
        (await CoverAsync(store, days[1])).ShouldBe(days[3].To);
        (await store.Ledger.CoverageAsync(["readings"], default)).ShouldHaveSingleItem().Window.ShouldBe(new(days[0].From, days[3].To));
        (await store.CountAsync("SELECT processed_seq FROM {workflows.watermarks} WHERE input = 'raw'")).ShouldBe(42);
        (await store.Ledger.CoverageAsync(["other"], default)).ShouldBeEmpty();
        (await store.Ledger.CoverageAsync([], default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_abandoned_is_collected_and_what_is_being_written_is_not()
    {
        await using var store = await OpenRegisteredAsync();
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("kept", 1, 1));
        var dead = await store.AttemptAsync(Readings.Day);
        await using var abandoned = await store.Features.OpenCommitAsync(Readings.Commit(dead, Readings.Day), default);
        await abandoned.WriteAsync(new Readings.Batch([.. Enumerable.Range(0, 5000).Select(i => Readings.Row($"dead {i}", i % 3, 1))], []), default);
        await abandoned.QuarantineAsync([new("{}", "rule", "reason")], default);
        await store.Ledger.ExpireAsync(true, 10, default);
        var alive = await store.AttemptAsync(Readings.Day);
        await using var open = await store.Features.OpenCommitAsync(Readings.Commit(alive, Readings.Day), default);
        await open.WriteAsync(new Readings.Batch([Readings.Row("alive", 1, 1)], []), default);

        (await store.Ledger.CollectAsync(default)).ShouldBe(5000);
        (await store.Ledger.CollectAsync(default)).ShouldBe(0);
        Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day)).Select(r => r.Sensor).ShouldBe(["alive", "kept"]);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'collected'")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.quarantine}")).ShouldBe(0);
        (await store.Ledger.WinAsync(new(alive) { Commit = Readings.Seal(open, Readings.Day, 1) }, default)).Outcome.ShouldBe(PublishOutcome.Published);
    }

    private static async Task<PublishResult> WinEmptyAsync(TestStore store, Window window, params string[] quarantined)
    {
        var attempt = await store.AttemptAsync(window);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, window), default);
        await writer.QuarantineAsync([.. quarantined.Select(q => new QuarantinedRow(q, "rule", "reason"))], default);
        var result = await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, window, 0, quarantined: quarantined.Length), Coverage = (window, Readings.Start) }, default);
        result.Outcome.ShouldBe(PublishOutcome.Published);
        (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default))!.State.ShouldBe(States.Succeeded);
        return result;
    }

    private static async Task<DateTime> CoverAsync(TestStore store, Window window)
    {
        var attempt = await store.AttemptAsync(window);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, window), default);
        await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, window, 0, inputs: [new("raw", 1, 42, window)]), Coverage = (window, Readings.Start) }, default);
        return await store.Database.ReadFirstAsync<Utc>("SELECT event_time FROM {workflows.watermarks} WHERE pipeline = 'readings' AND input = ''", null, default);
    }
}
