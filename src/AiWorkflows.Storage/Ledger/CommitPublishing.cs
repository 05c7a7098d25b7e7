using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>What publishing does to a feature group's commit.</summary>
internal static class CommitPublishing
{
    private const string Overlapping = """
        o.feature_group = @Group AND o.version = @Version AND o.state = 'published' AND o.commit_id <> @CommitId AND o.window_from < @To AND o.window_to > @From
        """;

    /// <summary>Whether somebody has changed the window since the difference was taken. A patch is no difference and conflicts with nothing.</summary>
    public static async Task<bool> ConflictsAsync(WriteTransaction tx, CommitSeal commit) => await tx.ScalarAsync<long>($$"""
        SELECT COUNT(*) FROM {feature_store.commits} c JOIN {feature_store.commits} o ON {{Overlapping}}
        WHERE c.commit_id = @CommitId AND c.kind = 'replace' AND o.published_seq > c.base_seq AND o.rows + o.tombstones > 0
          AND (o.min_event_time IS NULL OR (o.min_event_time < @To AND o.max_event_time >= @From))
        """, KeyOf(commit)) > 0;

    /// <summary>Publishes the commit, or discards it where it changes nothing; false when it is no longer open.</summary>
    public static async Task<bool> PublishAsync(WriteTransaction tx, CommitSeal commit, PublicationClock clock)
    {
        if (commit.Rows + commit.Tombstones == 0 && await IsKnownAsync(tx, KeyOf(commit), commit.RowsQuarantined))
            return await tx.ExecuteAsync("UPDATE {feature_store.commits} SET state = 'discarded' WHERE commit_id = @CommitId AND state = 'writing'", new { commit.CommitId }) == 1;

        var (seq, publishedAt) = await clock.TakeAsync();
        return await StoreAsync(tx, commit, "published", seq, publishedAt);
    }

    /// <summary>Keeps the commit, whole and invisible, for the publish step of its stage; false when it is no longer open.</summary>
    public static Task<bool> SealAsync(WriteTransaction tx, CommitSeal commit) => StoreAsync(tx, commit, "sealed", null, null);

    private static async Task<bool> StoreAsync(WriteTransaction tx, CommitSeal commit, string state, long? seq, Utc? publishedAt)
    {
        if (await tx.ExecuteAsync("""
            UPDATE {feature_store.commits} SET state = @State, published_seq = @Seq, published_at = @PublishedAt, rows = @Rows, tombstones = @Tombstones, new_rows = @NewRows,
                rows_computed = @RowsComputed, rows_quarantined = @RowsQuarantined, min_event_time = @Min, max_event_time = @Max, statistics_json = @StatisticsJson, expectations = @ExpectationsJson
            WHERE commit_id = @CommitId AND state = 'writing'
            """, new
        {
            commit.CommitId,
            State = state,
            Seq = seq,
            PublishedAt = publishedAt,
            commit.Rows,
            commit.Tombstones,
            commit.NewRows,
            commit.RowsComputed,
            commit.RowsQuarantined,
            Min = Utc.From(commit.MinEventTime),
            Max = Utc.From(commit.MaxEventTime),
            commit.StatisticsJson,
            commit.ExpectationsJson,
        }) != 1)
            return false;
        await tx.ExecuteAsync("""
            INSERT INTO {feature_store.commit_inputs} (commit_id, feature_group, version, as_of_seq, window_from, window_to) VALUES (@Id, @Group, @Version, @AsOfSeq, @From, @To)
            """, InputRows(commit.CommitId, commit.Inputs));
        await tx.ExecuteAsync("INSERT INTO {feature_store.commit_buckets} (commit_id, bucket) VALUES (@CommitId, @Bucket)",
            commit.Buckets.Distinct().Select(b => new { commit.CommitId, Bucket = (Utc)b }).ToArray());
        return true;
    }

    /// <summary>Parameters of an insert of inputs, the same for commits, datasets and batches; one row per group and window, as the tables' keys want it.</summary>
    public static object[] InputRows(long id, IReadOnlyList<FeatureInput> inputs) =>
        [.. inputs.DistinctBy(i => (i.Group, i.Version, i.Window)).Select(i => new
        {
            Id = id,
            i.Group,
            i.Version,
            i.AsOfSeq,
            From = (Utc)i.Window.From,
            To = (Utc)i.Window.To,
        })];

    /// <summary>Whether earlier commits cover the commit's window already, and every row that it has quarantined is known from them.</summary>
    public static async Task<bool> IsKnownAsync(WriteTransaction tx, CommitKey commit, long quarantined)
    {
        var covered = commit.From;
        foreach (var window in await tx.ReadAsync<WindowRow>($$"""
            SELECT o.window_from, o.window_to FROM {feature_store.commits} o WHERE {{Overlapping}} ORDER BY o.window_from
            """, commit))
        {
            if (window.WindowFrom > covered)
                break;
            covered = Utc.Later(covered, window.WindowTo);
        }
        if (covered < commit.To)
            return false;
        return quarantined == 0 || await tx.ScalarAsync<long>($$"""
            SELECT COUNT(*) FROM (
                SELECT rule_name, row_json FROM {feature_store.quarantine} WHERE commit_id = @CommitId
                EXCEPT SELECT q.rule_name, q.row_json FROM {feature_store.quarantine} q JOIN {feature_store.commits} o ON o.commit_id = q.commit_id WHERE {{Overlapping}}) fresh
            """, commit) == 0;
    }

    private static CommitKey KeyOf(CommitSeal commit) => new(commit.CommitId, commit.Group.Name, commit.Group.Version, commit.Window.From, commit.Window.To);

    private sealed class WindowRow
    {
        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }
    }
}

/// <summary>A commit and what it claims to replace, as statements about it take them.</summary>
internal sealed record CommitKey(long CommitId, string Group, int Version, Utc From, Utc To);
