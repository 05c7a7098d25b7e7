using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

/// <summary>What a publish step does: everything that the slices of its stage have sealed becomes visible under one sequence, or nothing does.</summary>
internal static class SlicePublishing
{
    private const string OfTheWinner = """
        EXISTS (SELECT 1 FROM {workflows.stage_runs} s WHERE s.stage_run_id = c.stage_run_id AND s.attempt = c.attempt AND s.step = @Stage AND s.state = 'succeeded')
        """;

    /// <summary>Of a commit or batch c: a slice of the step has sealed it.</summary>
    public const string Sealed = $$"""c.run_id = @RunId AND c.state = 'sealed' AND {{OfTheWinner}}""";

    /// <summary>As for a commit published as a whole.</summary>
    public const string ConflictingCommit = $$"""{{Sealed}} AND {{CommitPublishing.Overtaken}}""";

    /// <summary>Why nothing was published: a slice has left nothing to publish.</summary>
    public const string Incomplete = nameof(Incomplete);

    private const string Expected = "(SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId AND step = @Stage)";

    private const string Found = $$"""
        ((SELECT COUNT(*) FROM {feature_store.commits} c WHERE {{Sealed}}) + (SELECT COUNT(*) FROM {prediction_log.batches} c WHERE {{Sealed}}))
        """;

    /// <summary>What the slices of the step have read, whatever has become of their results; the newest of each group.</summary>
    private const string Inputs = $$"""
        SELECT i.feature_group, MAX(i.as_of_seq) AS as_of_seq FROM {feature_store.commits} c JOIN {feature_store.commit_inputs} i ON i.commit_id = c.commit_id
        WHERE c.run_id = @RunId AND c.state IN ('published', 'discarded') AND {{OfTheWinner}} GROUP BY i.feature_group
        UNION ALL
        SELECT i.feature_group, MAX(i.as_of_seq) FROM {prediction_log.batches} c JOIN {prediction_log.batch_inputs} i ON i.batch_id = c.batch_id
        WHERE c.run_id = @RunId AND c.state IN ('published', 'discarded') AND {{OfTheWinner}} GROUP BY i.feature_group
        """;

    public static void Publish(StatementBatch batch, Publication publication)
    {
        var step = new { publication.Attempt.RunId, publication.Attempt.Stage };
        PublicationClock.Lock(batch);
        batch.Never($$"""SELECT COUNT(*) FROM {feature_store.commits} c WHERE {{ConflictingCommit}}""", step, nameof(PublishOutcome.Conflict));
        // From here on nobody can take one of them away.
        batch.Do($$"""UPDATE {feature_store.commits} SET state = state WHERE commit_id IN (SELECT c.commit_id FROM {feature_store.commits} c WHERE {{Sealed}})""", step);
        batch.Do($$"""UPDATE {prediction_log.batches} SET state = state WHERE batch_id IN (SELECT c.batch_id FROM {prediction_log.batches} c WHERE {{Sealed}})""", step);
        batch.Never($$"""SELECT {{Expected}} - {{Found}}""", step, Incomplete);
        batch.Do($$"""
            UPDATE {feature_store.commits} SET state = 'discarded' WHERE commit_id IN (
                SELECT c.commit_id FROM {feature_store.commits} c WHERE {{Sealed}} AND c.rows = 0 AND c.tombstones = 0 AND {{CommitPublishing.Known}})
            """, step);
        batch.Do($$"""
            UPDATE {prediction_log.batches} SET state = 'discarded' WHERE batch_id IN (SELECT c.batch_id FROM {prediction_log.batches} c WHERE {{Sealed}} AND {{BatchPublishing.Known}})
            """, step);
        batch.Do($$"""
            UPDATE {{PublicationClock.Next}} AND (EXISTS (SELECT 1 FROM {feature_store.commits} c WHERE {{Sealed}}) OR EXISTS (SELECT 1 FROM {prediction_log.batches} c WHERE {{Sealed}}))
            """, step);
        PublicationClock.Read(batch);
        batch.Do($$"""
            UPDATE {feature_store.commits} SET state = 'published', published_seq = @Seq, published_at = @PublishedAt
            WHERE commit_id IN (SELECT c.commit_id FROM {feature_store.commits} c WHERE {{Sealed}})
            """, step);
        batch.Do($$"""
            UPDATE {prediction_log.batches} SET state = 'published', published_seq = @Seq, published_at = @PublishedAt
            WHERE batch_id IN (SELECT c.batch_id FROM {prediction_log.batches} c WHERE {{Sealed}})
            """, step);
        batch.Do("""
            INSERT INTO {prediction_log.superseded} (batch_id, by_batch_id, window_from, window_to)
            SELECT CASE WHEN o.hindsight >= n.hindsight THEN o.batch_id ELSE n.batch_id END, CASE WHEN o.hindsight >= n.hindsight THEN n.batch_id ELSE o.batch_id END,
                CASE WHEN o.hindsight >= n.hindsight THEN n.window_from ELSE o.window_from END, CASE WHEN o.hindsight >= n.hindsight THEN n.window_to ELSE o.window_to END
            FROM {prediction_log.batches} n
            JOIN {prediction_log.batches} o ON o.pipeline = n.pipeline AND o.role = n.role AND o.state = 'published' AND o.published_seq <> n.published_seq
                AND o.window_from < n.window_to AND o.window_to > n.window_from
            WHERE n.run_id = @RunId AND n.pipeline = @Stage AND n.published_seq = @Seq
            """, step);
        if (publication.Coverage is not var (window, origin))
            return;
        Watermarks.Cover(batch, publication.Attempt, window, origin, []);
        batch.Do($$"""
            UPDATE {workflows.watermarks} SET event_time = @WatermarkEnd,
                processed_seq = (SELECT MAX(m.seq) FROM (SELECT processed_seq AS seq UNION ALL SELECT r.as_of_seq FROM ({{Inputs}}) r WHERE r.feature_group = {workflows.watermarks}.input) m)
            WHERE pipeline = @Stage AND input IN (SELECT r.feature_group FROM ({{Inputs}}) r)
            """, step);
        batch.Do($$"""
            INSERT INTO {workflows.watermarks} (pipeline, input, event_time, processed_seq)
            SELECT @Stage, r.feature_group, @WatermarkEnd, MAX(r.as_of_seq) FROM ({{Inputs}}) r
            WHERE NOT EXISTS (SELECT 1 FROM {workflows.watermarks} m WHERE m.pipeline = @Stage AND m.input = r.feature_group) GROUP BY r.feature_group
            """, step);
    }

    public static async Task<InvalidOperationException> IncompleteAsync(StoreDatabase database, AttemptRef attempt, CancellationToken ct)
    {
        var (expected, found) = await database.ReadFirstAsync<(long, long)>($$"""SELECT {{Expected}}, {{Found}}""", new { attempt.RunId, attempt.Stage }, ct);
        return new($"{attempt.Stage} has {expected} partitions, but the results of {found} are sealed; nothing was published.");
    }
}
