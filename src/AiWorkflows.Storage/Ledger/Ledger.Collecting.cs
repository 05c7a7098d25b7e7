using AiWorkflows.Features;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    private const int PredictionsPerDelete = 2000;

    private const string AbandonedCommit = """
        state = 'writing' AND NOT EXISTS (SELECT 1 FROM {workflows.stage_runs} s
            WHERE s.stage_run_id = {feature_store.commits}.stage_run_id AND s.state = 'running' AND s.attempt = {feature_store.commits}.attempt)
        """;

    private const string AbandonedBatch = """
        state = 'writing' AND NOT EXISTS (SELECT 1 FROM {workflows.stage_runs} s
            WHERE s.stage_run_id = {prediction_log.batches}.stage_run_id AND s.state = 'running' AND s.attempt = {prediction_log.batches}.attempt)
        """;

    public async Task<long> CollectAsync(CancellationToken ct)
    {
        await DiscardAsync(ct);
        await DiscardSealedAsync(ct);
        var deleted = 0L;
        foreach (var commit in await database.ReadAsync<DiscardedCommit>("""
            SELECT c.commit_id, c.feature_group, c.version, c.window_from, c.window_to, g.columns_json
            FROM {feature_store.commits} c JOIN {feature_store.feature_groups} g ON g.feature_group = c.feature_group AND g.version = c.version
            WHERE c.state = 'discarded'
            """, null, ct))
            deleted += await CollectAsync(commit, ct);
        foreach (var batchId in await database.ReadAsync<long>("SELECT batch_id FROM {prediction_log.batches} WHERE state = 'discarded'", null, ct))
            deleted += await CollectBatchAsync(batchId, ct);
        return deleted;
    }

    /// <summary>What is still open although its attempt is not running any more can never be published.</summary>
    private async Task DiscardAsync(CancellationToken ct)
    {
        if (await database.ReadFirstAsync<long>($$"""
            SELECT (SELECT COUNT(*) FROM {feature_store.commits} WHERE {{AbandonedCommit}}) + (SELECT COUNT(*) FROM {prediction_log.batches} WHERE {{AbandonedBatch}})
            """, null, ct) == 0)
            return;
        await database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync($$"""UPDATE {feature_store.commits} SET state = 'discarded' WHERE {{AbandonedCommit}}""");
            await tx.ExecuteAsync($$"""UPDATE {prediction_log.batches} SET state = 'discarded' WHERE {{AbandonedBatch}}""");
        }, ct, durable: false);
    }

    private async Task<long> CollectAsync(DiscardedCommit commit, CancellationToken ct)
    {
        var eventTime = StoredColumn.Read(commit.ColumnsJson).Single(c => c.Role == ColumnRole.EventTime).Name;
        var window = new Window(commit.WindowFrom, commit.WindowTo);
        var deleted = await collector.DeleteRowsAsync(commit.FeatureGroup, commit.Version, eventTime, commit.CommitId, window, ct);
        await database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync("DELETE FROM {feature_store.quarantine} WHERE commit_id = @CommitId", new { commit.CommitId });
            await tx.ExecuteAsync("DELETE FROM {feature_store.commit_inputs} WHERE commit_id = @CommitId", new { commit.CommitId });
            await tx.ExecuteAsync("DELETE FROM {feature_store.commit_buckets} WHERE commit_id = @CommitId", new { commit.CommitId });
            await tx.ExecuteAsync("UPDATE {feature_store.commits} SET state = 'collected' WHERE commit_id = @CommitId AND state = 'discarded'", new { commit.CommitId });
        }, ct, durable: false);
        return deleted;
    }

    private async Task<long> CollectBatchAsync(long batchId, CancellationToken ct)
    {
        var total = 0L;
        for (int deleted; ; total += deleted)
        {
            deleted = await database.WriteAsync(async tx => await tx.ExecuteAsync("""
                DELETE FROM {prediction_log.prediction_rows} WHERE batch_id = @BatchId
                  AND ordinal < (SELECT MIN(ordinal) FROM {prediction_log.prediction_rows} WHERE batch_id = @BatchId) + @Count
                """, new { BatchId = batchId, Count = PredictionsPerDelete }), ct, durable: false);
            if (deleted == 0)
                break;
        }
        await database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync("DELETE FROM {prediction_log.batch_inputs} WHERE batch_id = @BatchId", new { BatchId = batchId });
            await tx.ExecuteAsync("DELETE FROM {prediction_log.batch_commits} WHERE batch_id = @BatchId", new { BatchId = batchId });
            await tx.ExecuteAsync("UPDATE {prediction_log.batches} SET state = 'collected' WHERE batch_id = @BatchId AND state = 'discarded'", new { BatchId = batchId });
        }, ct, durable: false);
        return total;
    }

    private sealed class DiscardedCommit
    {
        public long CommitId { get; set; }

        public string FeatureGroup { get; set; } = "";

        public int Version { get; set; }

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }

        public string ColumnsJson { get; set; } = "";
    }
}
