using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every ledger promises about input that comes late.</summary>
public abstract class LateInputCompliance
{
    private static readonly ReadingPipeline[] Means = [new("means", [(Readings.Group.Name, Readings.Group.Version)], TimeSpan.FromDays(1), new WindowGrid(TimeSpan.FromDays(1), Readings.Start))];

    private protected abstract Task<TestStore> OpenAsync();

    [Fact]
    public async Task A_later_commit_reopens_the_cells_that_have_read_before_it_until_they_have_read_it()
    {
        await using var store = await OpenCoveredAsync();
        (await store.Ledger.ReopenAsync("w", Means, default)).ShouldBe(0, "all of it was read");
        await Readings.PublishAsync(store, Day(1), Readings.Row("late", 1, 1));
        var seq = await store.Features.CurrentSeqAsync(default);

        (await store.Ledger.ReopenAsync("w", Means, default)).ShouldBe(2, "the day itself, and the next one looks back to it");
        (await store.Ledger.ReopenAsync("w", Means, default)).ShouldBe(0, "once is enough");
        (await ReopenedAsync(store)).ShouldBe([new Window(Day(1).From, Day(2).To)]);
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.watermarks} WHERE pipeline = 'means' AND event_time = @End", new { End = (AiWorkflows.Storage.Utc)Day(4).To })).ShouldBe(2, "the watermark stays");

        await CoverAsync(store, Day(1), seq - 1);
        (await ReopenedAsync(store)).ShouldBe([new Window(Day(1).From, Day(2).To)], "that attempt had read what was there before");
        await CoverAsync(store, Day(1), seq);
        (await ReopenedAsync(store)).ShouldBe([Day(2)]);
        await CoverAsync(store, Day(2), seq);
        (await ReopenedAsync(store)).ShouldBeEmpty();
        (await store.Ledger.ReopenAsync("w", Means, default)).ShouldBe(0);
    }

    [Fact]
    public async Task A_cell_that_was_being_computed_while_its_input_changed_is_reopened_when_it_is_covered()
    {
        await using var store = await OpenCoveredAsync();
        var before = await store.Features.CurrentSeqAsync(default);
        await Readings.PublishAsync(store, Day(5), Readings.Row("late", 96, 1));
        (await store.Ledger.ReopenAsync("w", Means, default)).ShouldBe(0, "that day is not covered yet");
        await CoverAsync(store, Day(5), before);
        (await store.Ledger.ReopenAsync("w", Means, default)).ShouldBe(1);
        (await ReopenedAsync(store)).ShouldBe([Day(5)]);
    }

    [Fact]
    public async Task Of_several_that_look_at_once_one_reopens()
    {
        await using var store = await OpenCoveredAsync();
        await Readings.PublishAsync(store, Day(3), Readings.Row("late", 48, 1));
        (await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => store.Ledger.ReopenAsync("w", Means, default))))).Sum().ShouldBe(2);
    }

    [Fact]
    public async Task New_data_is_what_was_published_since_it_was_taken_into_account_and_is_taken_once()
    {
        await using var store = await OpenCoveredAsync();
        string[] groups = [Readings.Group.Name];
        var first = (await store.Ledger.NewDataAsync("w", groups, default))!;
        first.Seq.ShouldBe(await store.Features.CurrentSeqAsync(default));
        first.SinceLatest.ShouldBeInRange(TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(5));
        (await store.Ledger.NewDataAsync("w", ["others"], default)).ShouldBeNull();
        var request = new RunRequest("w", Day(1), "data", "data", DedupKey: "d");
        var taken = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => store.Ledger.TakeDataAsync("w", first.Seq, request, default))));
        taken.Count(t => t.Taken).ShouldBe(1);
        await store.Ledger.CancelAsync(taken.Single(t => t.Taken).RunId!.Value, "ada", "enough", default);
        (await store.Ledger.NewDataAsync("w", groups, default)).ShouldBeNull();

        await Readings.PublishAsync(store, Day(2), Readings.Row("more", 24, 1));
        (await store.Ledger.NewDataAsync("w", groups, default))!.Seq.ShouldBeGreaterThan(first.Seq);
        await store.Ledger.SetPausedAsync("w", "ada", default);
        (await store.Ledger.NewDataAsync("w", groups, default)).ShouldBeNull();
        (await store.Ledger.TakeDataAsync("w", first.Seq + 1, null, default)).ShouldBe((false, null));
    }

    private async Task<TestStore> OpenCoveredAsync()
    {
        var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await store.Ledger.RegisterWorkflowsAsync([("w", 100, OverlapPolicy.Queue)], default);
        await Readings.PublishAsync(store, Day(1), Readings.Row("early", 0, 1));
        for (var day = 1; day <= 4; day++)
            await CoverAsync(store, Day(day), await store.Features.CurrentSeqAsync(default));
        return store;
    }

    private static Window Day(int day) => Readings.Day.Shift(TimeSpan.FromDays(day - 1));

    private static async Task CoverAsync(TestStore store, Window window, long asOf)
    {
        var run = await store.StartRunAsync(window, "means");
        var attempt = await store.ClaimNextAsync(run);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, window), default);
        FeatureInput[] inputs = [new(Readings.Group.Name, Readings.Group.Version, asOf, window)];
        // Nothing has changed, so nothing is published: only the coverage matters here.
        await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, window, 0, inputs: inputs) with { Buckets = [] }, Coverage = (window, Readings.Start) }, default);
    }

    private static async Task<IReadOnlyList<Window>> ReopenedAsync(TestStore store) =>
        [.. (await store.Ledger.CoverageAsync(["means"], default)).Where(c => c.Reopened).Select(c => c.Window)];
}
