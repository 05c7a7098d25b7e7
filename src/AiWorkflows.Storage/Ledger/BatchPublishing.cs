using AiWorkflows.Inference;

namespace AiWorkflows.Storage;

/// <summary>What publishing does to a batch of predictions.</summary>
internal static class BatchPublishing
{
    /// <summary>True when published, false when discarded because the current batch says the same, null when it is no longer open.</summary>
    public static async Task<bool?> PublishAsync(WriteTransaction tx, BatchSeal batch, PublicationClock clock)
    {
        var request = batch.Request;
        var unchanged = await tx.ScalarAsync<long>("""
            SELECT COUNT(*) FROM {prediction_log.batches} b
            WHERE b.pipeline = @Pipeline AND b.role = @Role AND b.state = 'published' AND b.window_from = @From AND b.window_to = @To
              AND b.model = @Model AND b.version = @Version AND b.hindsight = @Hindsight AND b.feature_view = @View AND b.view_version = @ViewVersion AND b.content_hash = @ContentHash
              AND NOT EXISTS (SELECT 1 FROM {prediction_log.batches} n
                  WHERE n.pipeline = b.pipeline AND n.role = b.role AND n.state = 'published' AND n.hindsight = b.hindsight
                    AND n.window_from < b.window_to AND n.window_to > b.window_from AND n.published_seq > b.published_seq)
            """, new
        {
            request.Pipeline,
            request.Role,
            request.Model,
            request.Version,
            request.View,
            request.ViewVersion,
            From = (Utc)request.Window.From,
            To = (Utc)request.Window.To,
            Hindsight = request.Hindsight ? 1 : 0,
            batch.ContentHash,
        }) > 0;
        if (unchanged)
            return await tx.ExecuteAsync("UPDATE {prediction_log.batches} SET state = 'discarded' WHERE batch_id = @BatchId AND state = 'writing'", new { batch.BatchId }) == 1 ? false : null;

        var (seq, publishedAt) = await clock.TakeAsync();
        if (!await StoreAsync(tx, batch, "published", seq, publishedAt))
            return null;
        await SupersedeAsync(tx, batch.BatchId);
        return true;
    }

    /// <summary>Keeps the batch, whole and invisible, for the publish step of its stage; false when it is no longer open.</summary>
    public static Task<bool> SealAsync(WriteTransaction tx, BatchSeal batch) => StoreAsync(tx, batch, "sealed", null, null);

    private static async Task<bool> StoreAsync(WriteTransaction tx, BatchSeal batch, string state, long? seq, Utc? publishedAt)
    {
        if (await tx.ExecuteAsync("""
            UPDATE {prediction_log.batches} SET state = @State, published_seq = @Seq, published_at = @PublishedAt, rows = @Rows, content_hash = @ContentHash,
                score_bins = @ScoreBinsJson, positive_share = @PositiveShare
            WHERE batch_id = @BatchId AND state = 'writing'
            """, new
        {
            batch.BatchId,
            State = state,
            Seq = seq,
            PublishedAt = publishedAt,
            batch.Rows,
            batch.ContentHash,
            batch.ScoreBinsJson,
            PositiveShare = double.IsNaN(batch.PositiveShare) ? (double?)null : batch.PositiveShare,
        }) != 1)
            return false;
        await tx.ExecuteAsync("""
            INSERT INTO {prediction_log.batch_inputs} (batch_id, feature_group, version, as_of_seq, window_from, window_to) VALUES (@Id, @Group, @Version, @AsOfSeq, @From, @To)
            """, CommitPublishing.InputRows(batch.BatchId, batch.Inputs));
        await tx.ExecuteAsync("INSERT INTO {prediction_log.batch_commits} (batch_id, commit_id) VALUES (@Id, @CommitId)",
            batch.Commits.Distinct().Select(c => new { Id = batch.BatchId, CommitId = c }).ToArray());
        return true;
    }

    /// <summary>Records for the batch and those that it overlaps which of the two counts: the one published later, but one without hindsight before any with it.</summary>
    private static Task<int> SupersedeAsync(WriteTransaction tx, long batchId) => tx.ExecuteAsync("""
        INSERT INTO {prediction_log.superseded} (batch_id, by_batch_id, window_from, window_to)
        SELECT CASE WHEN o.hindsight >= n.hindsight THEN o.batch_id ELSE n.batch_id END, CASE WHEN o.hindsight >= n.hindsight THEN n.batch_id ELSE o.batch_id END,
            CASE WHEN o.hindsight >= n.hindsight THEN n.window_from ELSE o.window_from END, CASE WHEN o.hindsight >= n.hindsight THEN n.window_to ELSE o.window_to END
        FROM {prediction_log.batches} n
        JOIN {prediction_log.batches} o ON o.pipeline = n.pipeline AND o.role = n.role AND o.state = 'published' AND o.batch_id <> n.batch_id
            AND o.window_from < n.window_to AND o.window_to > n.window_from
        WHERE n.batch_id = @BatchId
        """, new { BatchId = batchId });
}
