using AiWorkflows.Inference;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

/// <summary>What publishing does to a batch of predictions.</summary>
internal static class BatchPublishing
{
    /// <summary>1 where the batch was discarded.</summary>
    public const string Unchanged = "BatchUnchanged";

    /// <summary>Of a batch c: the one that counts for exactly this window says the same.</summary>
    public const string Known = """
        EXISTS (SELECT 1 FROM {prediction_log.batches} b
            WHERE b.pipeline = c.pipeline AND b.role = c.role AND b.state = 'published' AND b.window_from = c.window_from AND b.window_to = c.window_to AND b.model = c.model
              AND b.version = c.version AND b.hindsight = c.hindsight AND b.feature_view = c.feature_view AND b.view_version = c.view_version AND b.content_hash = c.content_hash
              AND NOT EXISTS (SELECT 1 FROM {prediction_log.batches} n
                  WHERE n.pipeline = b.pipeline AND n.role = b.role AND n.state = 'published' AND n.hindsight = b.hindsight
                    AND n.window_from < b.window_to AND n.window_to > b.window_from AND n.published_seq > b.published_seq))
        """;

    /// <summary>Stops where the batch is no longer open; discards it where it says nothing new.</summary>
    public static void Decide(StatementBatch batch, BatchSeal seal)
    {
        Describe(batch, seal);
        batch.Do($$"""
            UPDATE {prediction_log.batches} SET state = 'discarded' WHERE batch_id IN (SELECT c.batch_id FROM {prediction_log.batches} c WHERE c.batch_id = @BatchId AND {{Known}})
            """, new { seal.BatchId });
    }

    /// <summary>Shows the batch, unless it has been discarded.</summary>
    public static void Publish(StatementBatch batch, BatchSeal seal)
    {
        var id = new { seal.BatchId };
        batch.Do("UPDATE {prediction_log.batches} SET state = 'published', published_seq = @Seq, published_at = @PublishedAt WHERE batch_id = @BatchId AND state = 'writing'", id);
        Supersede(batch, seal.BatchId);
        batch.Find<long>(Unchanged, "SELECT COUNT(*) FROM {prediction_log.batches} WHERE batch_id = @BatchId AND state = 'discarded'", id);
    }

    /// <summary>Keeps the batch, whole and invisible, for the publish step of its stage.</summary>
    public static void Seal(StatementBatch batch, BatchSeal seal)
    {
        Describe(batch, seal);
        batch.Do("UPDATE {prediction_log.batches} SET state = 'sealed' WHERE batch_id = @BatchId AND state = 'writing'", new { seal.BatchId });
    }

    private static void Describe(StatementBatch batch, BatchSeal seal)
    {
        batch.Must("""
            UPDATE {prediction_log.batches} SET rows = @Rows, content_hash = @ContentHash, score_bins = @ScoreBinsJson, positive_share = @PositiveShare
            WHERE batch_id = @BatchId AND state = 'writing'
            """, new
        {
            seal.BatchId,
            seal.Rows,
            seal.ContentHash,
            seal.ScoreBinsJson,
            PositiveShare = double.IsNaN(seal.PositiveShare) ? (double?)null : seal.PositiveShare,
        }, nameof(PublishOutcome.Fenced));
        // Where the batch is discarded, they are collected with it.
        batch.PutRows("INSERT INTO {prediction_log.batch_inputs} (batch_id, feature_group, version, as_of_seq, window_from, window_to) VALUES (@Id, @Group, @Version, @AsOfSeq, @From, @To)",
            CommitPublishing.InputRows(seal.Inputs, seal.BatchId));
        batch.PutRows("INSERT INTO {prediction_log.batch_commits} (batch_id, commit_id) VALUES (@Id, @CommitId)", seal.Commits.Distinct().Select(c => new { Id = seal.BatchId, CommitId = c }).ToArray());
    }

    /// <summary>Records for the batch and those that it overlaps which of the two counts: the one published later, but one without hindsight before any with it.</summary>
    private static void Supersede(StatementBatch batch, long batchId) => batch.Do("""
        INSERT INTO {prediction_log.superseded} (batch_id, by_batch_id, window_from, window_to)
        SELECT CASE WHEN o.hindsight >= n.hindsight THEN o.batch_id ELSE n.batch_id END, CASE WHEN o.hindsight >= n.hindsight THEN n.batch_id ELSE o.batch_id END,
            CASE WHEN o.hindsight >= n.hindsight THEN n.window_from ELSE o.window_from END, CASE WHEN o.hindsight >= n.hindsight THEN n.window_to ELSE o.window_to END
        FROM {prediction_log.batches} n
        JOIN {prediction_log.batches} o ON o.pipeline = n.pipeline AND o.role = n.role AND o.state = 'published' AND o.batch_id <> n.batch_id
            AND o.window_from < n.window_to AND o.window_to > n.window_from
        WHERE n.batch_id = @BatchId AND n.state = 'published'
        """, new { BatchId = batchId });
}
