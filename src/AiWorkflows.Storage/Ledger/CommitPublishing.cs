using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

/// <summary>What publishing does to a feature group's commit.</summary>
internal static class CommitPublishing
{
    private const string Overlapping = """
        w.feature_group = c.feature_group AND w.version = c.version AND w.state = 'published' AND w.commit_id <> c.commit_id AND w.window_from < c.window_to AND w.window_to > c.window_from
        """;

    /// <summary>Of a commit c: somebody has changed its window since the difference was taken. A patch is no difference and conflicts with nothing.</summary>
    public const string Overtaken = $$"""
        c.kind = 'replace' AND EXISTS (SELECT 1 FROM {feature_store.commits} w WHERE {{Overlapping}} AND w.published_seq > c.base_seq AND w.rows + w.tombstones > 0
            AND (w.min_event_time IS NULL OR (w.min_event_time < c.window_to AND w.max_event_time >= c.window_from)))
        """;

    /// <summary>Of a commit c of which no row differs: earlier ones cover its window already, and every row that it has quarantined is known from them.</summary>
    public const string Known = $$"""
        (SELECT {{Watermarks.Reach}}
            FROM {feature_store.commits} w WHERE {{Overlapping}}) x) >= c.window_to
        AND NOT EXISTS (
            SELECT f.rule_name, f.row_json FROM {feature_store.quarantine} f WHERE f.commit_id = c.commit_id
            EXCEPT SELECT q.rule_name, q.row_json FROM {feature_store.quarantine} q JOIN {feature_store.commits} w ON w.commit_id = q.commit_id WHERE {{Overlapping}})
        """;

    /// <summary>Stops where the commit was overtaken; discards it where it changes nothing.</summary>
    public static void Decide(StatementBatch batch, CommitSeal commit)
    {
        var id = new { commit.CommitId };
        batch.Never($$"""SELECT COUNT(*) FROM {feature_store.commits} c WHERE c.commit_id = @CommitId AND {{Overtaken}}""", id, nameof(PublishOutcome.Conflict));
        batch.Must("UPDATE {feature_store.commits} SET state = state WHERE commit_id = @CommitId AND state = 'writing'", id, nameof(PublishOutcome.Fenced));
        if (commit.Rows == 0 && commit.Tombstones == 0)
            batch.Do($$"""
                UPDATE {feature_store.commits} SET state = 'discarded' WHERE commit_id IN (SELECT c.commit_id FROM {feature_store.commits} c WHERE c.commit_id = @CommitId AND {{Known}})
                """, id);
    }

    /// <summary>Shows the commit, unless it has been discarded.</summary>
    public static void Publish(StatementBatch batch, CommitSeal commit)
    {
        batch.Do($$"""UPDATE {feature_store.commits} SET state = 'published', published_seq = @Seq, published_at = @PublishedAt, {{Described}}""", Description(commit));
        PutParts(batch, commit);
    }

    /// <summary>Keeps the commit, whole and invisible, for the publish step of its stage.</summary>
    public static void Seal(StatementBatch batch, CommitSeal commit)
    {
        batch.Must($$"""UPDATE {feature_store.commits} SET state = 'sealed', {{Described}}""", Description(commit), nameof(PublishOutcome.Fenced));
        PutParts(batch, commit);
    }

    private const string Described = """
        rows = @Rows, tombstones = @Tombstones, new_rows = @NewRows, rows_computed = @RowsComputed, rows_quarantined = @RowsQuarantined,
        min_event_time = @Min, max_event_time = @Max, statistics_json = @StatisticsJson, expectations = @ExpectationsJson WHERE commit_id = @CommitId AND state = 'writing'
        """;

    private static object Description(CommitSeal commit) => new
    {
        commit.CommitId,
        commit.Rows,
        commit.Tombstones,
        commit.NewRows,
        commit.RowsComputed,
        commit.RowsQuarantined,
        Min = Utc.From(commit.MinEventTime),
        Max = Utc.From(commit.MaxEventTime),
        commit.StatisticsJson,
        commit.ExpectationsJson,
    };

    private static void PutParts(StatementBatch batch, CommitSeal commit)
    {
        // Where the commit was discarded, they are collected with it.
        batch.PutRows("INSERT INTO {feature_store.commit_inputs} (commit_id, feature_group, version, as_of_seq, window_from, window_to) VALUES (@Id, @Group, @Version, @AsOfSeq, @From, @To)",
            InputRows(commit.Inputs, commit.CommitId));
        batch.PutRows("INSERT INTO {feature_store.commit_buckets} (commit_id, bucket) VALUES (@CommitId, @Bucket)",
            commit.Buckets.Distinct().Select(b => new { commit.CommitId, Bucket = (Utc)b }).ToArray());
    }

    /// <summary>Parameters of an insert of inputs, the same for commits, datasets and batches; one row per group and window, as the tables' keys want it.</summary>
    public static object[] InputRows(IReadOnlyList<FeatureInput> inputs, long id) =>
        [.. inputs.DistinctBy(i => (i.Group, i.Version, i.Window)).Select(i => new
        {
            Id = id,
            i.Group,
            i.Version,
            i.AsOfSeq,
            From = (Utc)i.Window.From,
            To = (Utc)i.Window.To,
        })];
}
