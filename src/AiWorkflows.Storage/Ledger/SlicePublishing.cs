using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>What a publish step does: everything that the slices of its stage have sealed becomes visible under one sequence, or nothing does.</summary>
internal static class SlicePublishing
{
    private const string OfTheWinner = """
        EXISTS (SELECT 1 FROM {workflows.stage_runs} s WHERE s.stage_run_id = c.stage_run_id AND s.attempt = c.attempt AND s.step = @Stage AND s.state = 'succeeded')
        """;

    /// <summary>Of a commit or batch c: a slice of the step has sealed it.</summary>
    public const string Sealed = $$"""c.run_id = @RunId AND c.state = 'sealed' AND {{OfTheWinner}}""";

    /// <summary>As for a commit published as a whole: somebody has changed the window since the difference was taken.</summary>
    public const string ConflictingCommit = $$"""
        {{Sealed}} AND c.kind = 'replace' AND EXISTS (SELECT 1 FROM {feature_store.commits} o
            WHERE o.feature_group = c.feature_group AND o.version = c.version AND o.state = 'published' AND o.published_seq > c.base_seq
              AND o.window_from < c.window_to AND o.window_to > c.window_from AND o.rows + o.tombstones > 0
              AND (o.min_event_time IS NULL OR (o.min_event_time < c.window_to AND o.max_event_time >= c.window_from)))
        """;

    /// <summary>The batch that counts for exactly this window says the same.</summary>
    private const string UnchangedBatch = $$"""
        {{Sealed}} AND EXISTS (SELECT 1 FROM {prediction_log.batches} b
            WHERE b.pipeline = c.pipeline AND b.role = c.role AND b.state = 'published' AND b.window_from = c.window_from AND b.window_to = c.window_to AND b.model = c.model
              AND b.version = c.version AND b.hindsight = c.hindsight AND b.feature_view = c.feature_view AND b.view_version = c.view_version AND b.content_hash = c.content_hash
              AND NOT EXISTS (SELECT 1 FROM {prediction_log.batches} n
                  WHERE n.pipeline = b.pipeline AND n.role = b.role AND n.state = 'published' AND n.hindsight = b.hindsight
                    AND n.window_from < b.window_to AND n.window_to > b.window_from AND n.published_seq > b.published_seq))
        """;

    public static async Task<bool> ConflictsAsync(WriteTransaction tx, AttemptRef attempt) =>
        await tx.ScalarAsync<long>($$"""SELECT COUNT(*) FROM {feature_store.commits} c WHERE {{ConflictingCommit}}""", Step(attempt)) > 0;

    /// <summary>What the slices have read, for the watermarks.</summary>
    public static async Task<IReadOnlyList<FeatureInput>> InputsAsync(WriteTransaction tx, AttemptRef attempt)
    {
        var rows = await tx.ReadAsync<InputRow>($$"""
            SELECT i.feature_group, MAX(i.as_of_seq) AS as_of_seq FROM {feature_store.commits} c JOIN {feature_store.commit_inputs} i ON i.commit_id = c.commit_id
            WHERE {{Sealed}} GROUP BY i.feature_group
            UNION ALL
            SELECT i.feature_group, MAX(i.as_of_seq) FROM {prediction_log.batches} c JOIN {prediction_log.batch_inputs} i ON i.batch_id = c.batch_id
            WHERE {{Sealed}} GROUP BY i.feature_group
            """, Step(attempt));
        return [.. rows.Select(r => new FeatureInput(r.FeatureGroup, 0, r.AsOfSeq, default))];
    }

    /// <exception cref="InvalidOperationException">A slice has left nothing to publish; the transaction must not be committed.</exception>
    public static async Task PublishAsync(WriteTransaction tx, AttemptRef attempt, PublicationClock clock)
    {
        var step = Step(attempt);
        var expected = await tx.ScalarAsync<long>("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId AND step = @Stage", step);
        var found = await tx.ScalarAsync<long>($$"""
            SELECT (SELECT COUNT(*) FROM {feature_store.commits} c WHERE {{Sealed}}) + (SELECT COUNT(*) FROM {prediction_log.batches} c WHERE {{Sealed}})
            """, step);
        if (found != expected)
            throw new InvalidOperationException($"{attempt.Stage} has {expected} partitions, but the results of {found} are sealed; nothing was published.");

        var unchanged = await UnchangedCommitsAsync(tx, step);
        foreach (var commits in unchanged.Chunk(500))
            found -= await tx.ExecuteAsync("UPDATE {feature_store.commits} SET state = 'discarded' WHERE commit_id IN @Ids AND state = 'sealed'", new { Ids = commits });
        found -= await tx.ExecuteAsync($$"""
            UPDATE {prediction_log.batches} SET state = 'discarded' WHERE batch_id IN (SELECT c.batch_id FROM {prediction_log.batches} c WHERE {{UnchangedBatch}})
            """, step);
        if (found == 0)
            return;
        var (seq, publishedAt) = await clock.TakeAsync();
        var publication = new { attempt.RunId, attempt.Stage, Seq = seq, PublishedAt = publishedAt };
        found -= await tx.ExecuteAsync($$"""
            UPDATE {feature_store.commits} SET state = 'published', published_seq = @Seq, published_at = @PublishedAt
            WHERE commit_id IN (SELECT c.commit_id FROM {feature_store.commits} c WHERE {{Sealed}})
            """, publication);
        found -= await tx.ExecuteAsync($$"""
            UPDATE {prediction_log.batches} SET state = 'published', published_seq = @Seq, published_at = @PublishedAt
            WHERE batch_id IN (SELECT c.batch_id FROM {prediction_log.batches} c WHERE {{Sealed}})
            """, publication);
        if (found != 0)
            throw new InvalidOperationException($"{attempt.Stage}: {found} of {expected} sealed partitions were taken away in this moment; nothing was published.");
        await tx.ExecuteAsync("""
            INSERT INTO {prediction_log.superseded} (batch_id, by_batch_id, window_from, window_to)
            SELECT CASE WHEN o.hindsight >= n.hindsight THEN o.batch_id ELSE n.batch_id END, CASE WHEN o.hindsight >= n.hindsight THEN n.batch_id ELSE o.batch_id END,
                CASE WHEN o.hindsight >= n.hindsight THEN n.window_from ELSE o.window_from END, CASE WHEN o.hindsight >= n.hindsight THEN n.window_to ELSE o.window_to END
            FROM {prediction_log.batches} n
            JOIN {prediction_log.batches} o ON o.pipeline = n.pipeline AND o.role = n.role AND o.state = 'published' AND o.published_seq <> n.published_seq
                AND o.window_from < n.window_to AND o.window_to > n.window_from
            WHERE n.run_id = @RunId AND n.pipeline = @Stage AND n.published_seq = @Seq
            """, publication);
    }

    /// <summary>Commits of which no row differs, whose window earlier ones cover already, and whose quarantined rows are known from them.</summary>
    private static async Task<IReadOnlyList<long>> UnchangedCommitsAsync(WriteTransaction tx, object step)
    {
        var empty = await tx.ReadAsync<EmptyCommit>($$"""
            SELECT c.commit_id, c.feature_group, c.version, c.window_from, c.window_to, c.rows_quarantined FROM {feature_store.commits} c
            WHERE {{Sealed}} AND c.rows = 0 AND c.tombstones = 0 ORDER BY c.window_from
            """, step);
        var unchanged = new List<long>();
        foreach (var commit in empty)
            if (await CommitPublishing.IsKnownAsync(tx, new(commit.CommitId, commit.FeatureGroup, commit.Version, commit.WindowFrom, commit.WindowTo), commit.RowsQuarantined))
                unchanged.Add(commit.CommitId);
        return unchanged;
    }

    private static object Step(AttemptRef attempt) => new { attempt.RunId, attempt.Stage };

    private sealed class EmptyCommit
    {
        public long CommitId { get; set; }

        public string FeatureGroup { get; set; } = "";

        public int Version { get; set; }

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }

        public long RowsQuarantined { get; set; }
    }

    private sealed class InputRow
    {
        public string FeatureGroup { get; set; } = "";

        public long AsOfSeq { get; set; }
    }
}
