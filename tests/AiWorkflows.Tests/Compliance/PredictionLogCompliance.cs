using AiWorkflows.Inference;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every prediction log promises.</summary>
public abstract class PredictionLogCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    [Fact]
    public async Task A_prediction_is_found_by_its_id_once_it_is_published()
    {
        await using var store = await OpenAsync();
        var attempt = await store.AttemptAsync(Readings.Day, Predictions.Pipeline);
        var request = new BatchRequest(Predictions.Pipeline, "champion", "m", 3, "v", 1, Readings.Day, 7, false, Readings.At(30), attempt, "code");
        await using var writer = await store.Predictions.OpenBatchAsync(request, default);
        await writer.WriteAsync([Predictions.Row("a", 1, 0.25)], default);
        PredictionRow second = new("[\"ü\",2]", Readings.At(2), null, double.NaN, "late", "{}", long.MinValue);
        await writer.WriteAsync([second], default);
        var id = (writer.BatchId << 32) + 1;
        (await store.Predictions.FindAsync(id, default)).ShouldBeNull();

        await store.Ledger.WinAsync(new(attempt) { Batch = new(writer.BatchId, request, 2, "hash", "[]", double.NaN, [], []) }, default);
        var found = (await store.Predictions.FindAsync(id, default))!;
        found.PredictionId.ShouldBe(id);
        found.Row.ShouldBe(second with { Probability = null });
        found.Batch.ShouldBe(new BatchRecord(writer.BatchId, Predictions.Pipeline, "champion", "m", 3, "v", 1, Readings.Day, 7, false, Readings.At(30), attempt.RunId, 2, "code"));
        (await store.Predictions.FindAsync(id + 1, default)).ShouldBeNull();
        (await store.Predictions.FindAsync(-1, default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_fenced_attempt_can_neither_open_nor_write_nor_publish_a_batch()
    {
        await using var store = await OpenAsync();
        var attempt = await store.AttemptAsync(Readings.Day, Predictions.Pipeline);
        var request = new BatchRequest(Predictions.Pipeline, "champion", "m", 1, "v", 1, Readings.Day, 0, false, Readings.Start, attempt, "code");
        await using var writer = await store.Predictions.OpenBatchAsync(request, default);
        await writer.WriteAsync([.. Enumerable.Range(0, 4500).Select(i => Predictions.Row($"{i}", 1, 0.5))], default);
        await store.Ledger.ExpireAsync(true, 10, default);
        await Should.ThrowAsync<FencedException>(writer.WriteAsync([Predictions.Row("b", 1, 0.5)], default));
        await Should.ThrowAsync<FencedException>(store.Predictions.OpenBatchAsync(request, default));
        (await store.Ledger.WinAsync(new(attempt) { Batch = new(writer.BatchId, request, 1, "h", "[]", 0, [], []) }, default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        (await store.Ledger.CollectAsync(default)).ShouldBe(4500);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.prediction_rows}")).ShouldBe(0);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.batches} WHERE state = 'collected'")).ShouldBe(1);
    }

    [Fact]
    public async Task The_same_predictions_again_are_not_published_again_unless_something_else_counts_now()
    {
        await using var store = await OpenAsync();
        PredictionRow[] rows = [Predictions.Row("a", 1, 0.5)];
        var first = await Predictions.PublishAsync(store, Readings.Day, rows, "same");
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.batch_commits} WHERE batch_id = @BatchId", new { first.BatchId })).ShouldBe(2);
        var again = await Predictions.PublishAsync(store, Readings.Day, rows, "same");
        (again.Result.BatchUnchanged, again.Result.Seq).ShouldBe((true, first.Result.Seq));
        (await Predictions.PublishAsync(store, Readings.Day, rows, "same", hindsight: true)).Result.BatchUnchanged.ShouldBeFalse();
        (await Predictions.PublishAsync(store, Readings.Day, rows, "same", version: 2)).Result.BatchUnchanged.ShouldBeFalse();
        // Version 1 has to count again: its old batch has been superseded by version 2.
        (await Predictions.PublishAsync(store, Readings.Day, rows, "same")).Result.BatchUnchanged.ShouldBeFalse();
        (await CurrentAsync(store)).ShouldHaveSingleItem().Version.ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.batches} WHERE state = 'discarded'")).ShouldBe(1);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Which_prediction_counts_agrees_with_the_rule_for_any_order_of_batches(int seed)
    {
        await using var store = await OpenAsync();
        var random = new Random(seed);
        var published = new List<(long BatchId, int From, int To, bool Hindsight, int Version)>();
        for (var i = 0; i < 12; i++)
        {
            var (from, length, hindsight) = (random.Next(20), random.Next(1, 8), random.Next(3) == 0);
            var batch = await Predictions.PublishAsync(store, new(Readings.At(from), Readings.At(from + length)),
                [.. Enumerable.Range(from, length).Select(h => Predictions.Row($"k{h}", h, i / 20.0))], version: i + 1, hindsight: hindsight);
            published.Add((batch.BatchId, from, from + length, hindsight, i + 1));
        }
        var expected = Enumerable.Range(0, 28)
            .Select(h => (Hour: h, Best: published.Where(b => b.From <= h && b.To > h).OrderBy(b => b.Hindsight).ThenByDescending(b => b.Version).FirstOrDefault()))
            .Where(x => x.Best.BatchId != 0).Select(x => (Readings.At(x.Hour), x.Best.Version)).ToArray();
        (await CurrentAsync(store)).Select(r => (r.EventTime, r.Version)).ShouldBe(expected);
        var scored = new List<ScoredRow>();
        await foreach (var row in store.Predictions.ScoredAsync(Predictions.Pipeline, new(Readings.At(3), Readings.At(15)), default))
            scored.Add(row);
        scored.Select(r => (r.EventTime, r.Version)).ShouldBe(expected.Where(x => x.Item1 >= Readings.At(3) && x.Item1 < Readings.At(15) && !published[x.Version - 1].Hindsight));
    }

    [Fact]
    public async Task Other_roles_never_count()
    {
        await using var store = await OpenAsync();
        await Predictions.PublishAsync(store, Readings.Day, [Predictions.Row("a", 1, 0.5)]);
        await Predictions.PublishAsync(store, Readings.Day, [Predictions.Row("a", 1, 0.9)], version: 2, role: "challenger");
        (await CurrentAsync(store)).ShouldHaveSingleItem().Version.ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.predictions_all}")).ShouldBe(2);
    }

    [Fact]
    public async Task Outcomes_are_inserted_corrected_and_counted_only_where_they_change()
    {
        await using var store = await OpenAsync();
        await Predictions.PublishAsync(store, Readings.Day, [Predictions.Row("a", 1, 0.1), Predictions.Row("b", 2, 0.2), Predictions.Row("c", 3, 0.3)]);
        (await store.Predictions.PendingOutcomesAsync(Predictions.Pipeline, "v", Readings.Start, default)).ShouldBe(new Window(Readings.At(1), Readings.At(3).AddMicroseconds(1)));
        (await store.Predictions.PendingOutcomesAsync(Predictions.Pipeline, "v", Readings.At(2), default)).ShouldBe(new Window(Readings.At(2), Readings.At(3).AddMicroseconds(1)));
        (await store.Predictions.PendingOutcomesAsync(Predictions.Pipeline, "v", Readings.At(4), default)).ShouldBeNull();
        OutcomeRow a = new("[\"a\"]", Readings.At(1), 1, null, Readings.At(5)), b = new("[\"b\"]", Readings.At(2), 0, "no", Readings.At(6));
        (await store.Predictions.UpsertOutcomesAsync("v", [a, b], 5, default)).ShouldBe(2);
        (await store.Predictions.UpsertOutcomesAsync("v", [a, b], 6, default)).ShouldBe(0);
        (await store.Predictions.PendingOutcomesAsync(Predictions.Pipeline, "v", Readings.Start, default)).ShouldBe(new Window(Readings.At(3), Readings.At(3).AddMicroseconds(1)));
        (await store.Predictions.UpsertOutcomesAsync("v", [a with { Actual = 0 }, new("[\"c\"]", Readings.At(3), 1, null, Readings.At(7))], 7, default)).ShouldBe(2);
        // What was read earlier corrects nothing that was read later.
        (await store.Predictions.UpsertOutcomesAsync("v", [a], 6, default)).ShouldBe(0);
        (await store.Predictions.PendingOutcomesAsync(Predictions.Pipeline, "v", Readings.Start, default)).ShouldBeNull();
        (await store.Predictions.PendingOutcomesAsync("other", "v", Readings.Start, default)).ShouldBeNull();
        (await CurrentAsync(store)).Select(r => (r.Actual, r.ActualText)).ShouldBe([(0.0, null), (0.0, "no"), (1.0, null)]);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.scored} WHERE actual = 1")).ShouldBe(1);
    }

    [Fact]
    public async Task Metrics_of_a_day_are_replaced()
    {
        await using var store = await OpenAsync();
        DailyMetric auc = new(Predictions.Pipeline, "m", 1, Readings.Start, "auc", 0.7, 100, 50);
        await store.Predictions.ReplaceMetricsAsync([auc, auc with { Metric = "log_loss", Value = double.NaN }], default);
        await store.Predictions.ReplaceMetricsAsync([auc with { Value = null, Outcomes = 60 }], default);
        (await store.CountAsync("SELECT COUNT(*) FROM {prediction_log.metrics}")).ShouldBe(2);
        (await store.CountAsync("SELECT outcomes FROM {prediction_log.metrics} WHERE metric = 'auc' AND metric_value IS NULL")).ShouldBe(60);
    }

    private static async Task<List<ScoredRow>> CurrentAsync(TestStore store)
    {
        var rows = await store.Database.ReadAsync<Current>("SELECT p.version, p.prediction_id, o.actual, o.actual_text FROM {prediction_log.predictions} p LEFT JOIN {prediction_log.scored} o ON o.prediction_id = p.prediction_id ORDER BY p.event_time", null, default);
        var result = new List<ScoredRow>();
        foreach (var row in rows)
        {
            var found = (await store.Predictions.FindAsync(row.PredictionId, default))!;
            result.Add(new("m", row.Version, found.Row.EventTime, found.Row.Score, found.Row.Probability, null, row.Actual, row.ActualText));
        }
        return result;
    }

    private sealed class Current
    {
        public int Version { get; set; }

        public long PredictionId { get; set; }

        public double? Actual { get; set; }

        public string? ActualText { get; set; }
    }
}
