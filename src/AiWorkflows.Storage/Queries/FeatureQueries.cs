namespace AiWorkflows.Storage.Queries;

/// <summary>What people ask about feature groups. No statement touches the rows of a group: commits know their sums.</summary>
internal sealed class FeatureQueries
{
    private readonly StoreDatabase _database;

    public FeatureQueries(StoreDatabase database)
    {
        QueryMapping.Ensure();
        _database = database;
    }

    public Task<IReadOnlyList<GroupRow>> ListAsync(CancellationToken ct) => GroupsAsync(null, ct);

    /// <summary>All versions of a group; none if the name is unknown.</summary>
    public Task<IReadOnlyList<GroupRow>> FindAsync(string featureGroup, CancellationToken ct) => GroupsAsync(featureGroup, ct);

    private Task<IReadOnlyList<GroupRow>> GroupsAsync(string? featureGroup, CancellationToken ct) => _database.ReadAsync<GroupRow>(
        $$"""
        SELECT g.feature_group, g.version, g.description, g.written_by, g.online, g.deprecated, g.columns_json AS columns,
               COALESCE(SUM(c.new_rows), 0) AS rows, COUNT(c.commit_id) AS commits, COALESCE(SUM(c.rows_quarantined), 0) AS rows_quarantined,
               MAX(c.max_event_time) AS last_event_time, MAX(c.published_at) AS last_published_at,
               (SELECT w.event_time FROM {workflows.watermarks} w WHERE w.pipeline = g.written_by AND w.input = '') AS watermark
        FROM {feature_store.feature_groups} g
        LEFT JOIN {feature_store.commits} c ON c.feature_group = g.feature_group AND c.version = g.version AND c.published_seq IS NOT NULL
        {{(featureGroup is null ? "" : "WHERE g.feature_group = @featureGroup")}}
        GROUP BY g.feature_group, g.version, g.description, g.written_by, g.online, g.deprecated, g.columns_json
        ORDER BY g.feature_group, g.version
        """, new { featureGroup }, ct);

    /// <summary>The newest published commits of a group, newest first.</summary>
    public Task<IReadOnlyList<CommitRow>> CommitsAsync(string featureGroup, int version, int limit, CancellationToken ct) => _database.ReadAsync<CommitRow>(
        """
        SELECT commit_id, feature_group, version, kind, window_from, window_to, published_seq, published_at, rows, tombstones, new_rows, rows_computed, rows_quarantined,
               min_event_time, max_event_time, run_id, stage, code_version
        FROM {feature_store.commits} WHERE feature_group = @featureGroup AND version = @version AND published_seq IS NOT NULL
        ORDER BY published_seq DESC {limit:@limit}
        """, new { featureGroup, version, limit }, ct);

    /// <summary>The statistics of the newest commits that stored rows, newest first.</summary>
    public Task<IReadOnlyList<CommitStatistics>> StatisticsAsync(string featureGroup, int version, int limit, CancellationToken ct) => _database.ReadAsync<CommitStatistics>(
        """
        SELECT commit_id, published_at, window_from, window_to, rows, statistics_json AS "statistics", expectations
        FROM {feature_store.commits} WHERE feature_group = @featureGroup AND version = @version AND published_seq IS NOT NULL AND rows > 0
        ORDER BY published_seq DESC {limit:@limit}
        """, new { featureGroup, version, limit }, ct);

    public Task<IReadOnlyList<InputRow>> InputsAsync(long commitId, CancellationToken ct) => _database.ReadAsync<InputRow>(
        """
        SELECT feature_group, version, as_of_seq, window_from, window_to
        FROM {feature_store.commit_inputs} WHERE commit_id = @commitId ORDER BY feature_group, version, window_from
        """, new { commitId }, ct);

    /// <summary>Which features of which views are made from a group.</summary>
    public Task<IReadOnlyList<LineageRow>> UsedByAsync(string featureGroup, int version, CancellationToken ct) => _database.ReadAsync<LineageRow>(
        """
        SELECT feature_view AS "view", view_version, feature, join_alias, feature_group, group_version, group_column
        FROM {feature_store.lineage} WHERE feature_group = @featureGroup AND group_version = @version ORDER BY feature_view, view_version, feature, join_alias, group_column
        """, new { featureGroup, version }, ct);

    /// <summary>Per group and rule: how many rows were kept out, how many of them came in after all.</summary>
    public Task<IReadOnlyList<QuarantineCount>> QuarantineCountsAsync(string? featureGroup, CancellationToken ct) => _database.ReadAsync<QuarantineCount>(
        """
        SELECT c.feature_group, q.rule_name AS "rule", COUNT(*) AS rows, COUNT(q.replayed_by) AS replayed, MIN(q.reason) AS example
        FROM {feature_store.commits} c JOIN {feature_store.quarantine} q ON q.commit_id = c.commit_id
        WHERE c.published_seq IS NOT NULL AND c.rows_quarantined > 0 AND (@featureGroup IS NULL OR c.feature_group = @featureGroup)
        GROUP BY c.feature_group, q.rule_name ORDER BY c.feature_group, q.rule_name
        """, new { featureGroup }, ct);

    /// <summary>Rows in quarantine, newest first; the next page starts below the last id of this one.</summary>
    public Task<IReadOnlyList<QuarantineRow>> QuarantineAsync(string? featureGroup, bool withReplayed, long? before, int limit, CancellationToken ct) => _database.ReadAsync<QuarantineRow>(
        """
        SELECT q.quarantine_id, c.feature_group, c.version, q.commit_id, c.run_id, q.rule_name AS "rule", q.reason, q.quarantined_at, q.replayed_by, q.row_json AS row
        FROM {feature_store.quarantine} q JOIN {feature_store.commits} c ON c.commit_id = q.commit_id
        WHERE q.quarantine_id < @before AND c.published_seq IS NOT NULL
          AND (@featureGroup IS NULL OR c.feature_group = @featureGroup) AND (@withReplayed = 1 OR q.replayed_by IS NULL)
        ORDER BY q.quarantine_id DESC {limit:@limit}
        """, new { featureGroup, withReplayed = withReplayed ? 1 : 0, before = before ?? long.MaxValue, limit }, ct);

    /// <summary>The groups of which retention has removed versions that a read as of the sequence might have seen.</summary>
    public Task<IReadOnlyList<string>> ThinnedOutAsync(IEnumerable<string> groups, long asOfSeq, CancellationToken ct) => _database.ReadAsync<string>("""
        SELECT DISTINCT feature_group FROM {feature_store.compactions} WHERE feature_group IN @groups AND horizon_seq > @asOfSeq ORDER BY feature_group
        """, new { groups = groups.ToArray(), asOfSeq }, ct);
}
