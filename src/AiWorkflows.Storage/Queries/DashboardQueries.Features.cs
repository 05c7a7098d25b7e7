namespace AiWorkflows.Storage.Queries;

internal sealed partial class DashboardQueries
{
    /// <summary>The groups, each with its newest commit: nothing is added up over commits here.</summary>
    public Task<IReadOnlyList<DashboardGroup>> GroupsAsync(CancellationToken ct) => QueryAsync<DashboardGroup>(
        """
        SELECT g.feature_group, g.version, g.description, g.written_by, g.online, g.deprecated, w.event_time AS watermark,
               c.run_id, c.rows, c.rows_computed, c.rows_quarantined, c.max_event_time, c.published_at
        FROM {feature_store.feature_groups} g
        LEFT JOIN {feature_store.commits} c ON c.commit_id = (
            SELECT n.commit_id FROM {feature_store.commits} n
            WHERE n.feature_group = g.feature_group AND n.version = g.version AND n.published_seq IS NOT NULL ORDER BY n.published_seq DESC {limit:@one})
        LEFT JOIN {workflows.watermarks} w ON w.pipeline = g.written_by AND w.input = ''
        ORDER BY g.feature_group, g.version
        """, new { one = 1 }, ct);

    /// <summary>The newest version of a group; null where there is none.</summary>
    public Task<DashboardSchema?> GroupAsync(string featureGroup, CancellationToken ct) => _database.ReadFirstAsync<DashboardSchema>(
        "SELECT version, online, columns_json FROM {feature_store.feature_groups} WHERE feature_group = @featureGroup ORDER BY version DESC", new { featureGroup }, ct);

    /// <summary>The newest commits of a group up to a sequence, newest first.</summary>
    /// <param name="withStatistics">Only those that stored rows, with what they counted.</param>
    public Task<IReadOnlyList<DashboardCommit>> CommitsAsync(string featureGroup, int version, long seq, bool withStatistics, int limit, CancellationToken ct) => QueryAsync<DashboardCommit>(
        $$"""
        SELECT c.commit_id, c.kind, c.window_from, c.window_to, c.published_seq, c.published_at, c.rows, c.tombstones, c.rows_computed, c.rows_quarantined, c.run_id
        {{(withStatistics ? ", c.statistics_json, c.expectations" : "")}}
        FROM {feature_store.commits} c WHERE c.feature_group = @featureGroup AND c.version = @version AND c.published_seq <= @seq {{(withStatistics ? "AND c.rows_computed > 0" : "")}}
        ORDER BY c.published_seq DESC {limit:@limit}
        """, new { featureGroup, version, seq, limit }, ct);

    /// <summary>Per rule of a group: how many of the newest rows that were kept out, and how many of those came in after all.</summary>
    /// <param name="most">How many rows are counted at most.</param>
    public Task<IReadOnlyList<QuarantineCount>> QuarantineCountsAsync(string featureGroup, int version, int most, CancellationToken ct) => QueryAsync<QuarantineCount>(
        """
        SELECT k.feature_group, k.rule_name AS "rule", COUNT(*) AS rows, COUNT(k.replayed_by) AS replayed, MIN(k.reason) AS example
        FROM (SELECT c.feature_group, q.rule_name, q.replayed_by, q.reason
              FROM {feature_store.commits} c {then:JOIN} {feature_store.quarantine} q ON q.commit_id = c.commit_id
              WHERE c.feature_group = @featureGroup AND c.version = @version AND c.published_seq > 0 AND c.rows_quarantined > 0
              ORDER BY c.published_seq DESC {limit:@most}) k
        GROUP BY k.feature_group, k.rule_name ORDER BY k.rule_name
        """, new { featureGroup, version, most }, ct);

    /// <summary>Rows of a group that are still kept out, of its newest commits that kept any.</summary>
    public Task<IReadOnlyList<QuarantineRow>> QuarantineAsync(string featureGroup, int version, int commits, int limit, CancellationToken ct) => QueryAsync<QuarantineRow>(
        """
        SELECT q.quarantine_id, c.feature_group, c.version, q.commit_id, c.run_id, q.rule_name AS "rule", q.reason, q.quarantined_at, q.replayed_by, q.row_json AS row
        FROM (SELECT n.commit_id, n.feature_group, n.version, n.run_id FROM {feature_store.commits} n
              WHERE n.feature_group = @featureGroup AND n.version = @version AND n.published_seq > 0 AND n.rows_quarantined > 0 ORDER BY n.published_seq DESC {limit:@commits}) c
        {then:JOIN} {feature_store.quarantine} q ON q.commit_id = c.commit_id
        WHERE q.replayed_by IS NULL ORDER BY q.quarantine_id DESC {limit:@limit}
        """, new { featureGroup, version, commits, limit }, ct);

    /// <summary>Who is served by views: the champions of the models that were trained on them.</summary>
    public Task<IReadOnlyList<DashboardChampion>> ChampionsOnAsync(IReadOnlyCollection<string> views, CancellationToken ct) => views.Count == 0
        ? Task.FromResult<IReadOnlyList<DashboardChampion>>([])
        : QueryAsync<DashboardChampion>(
            """
            SELECT v.model, v.version, v.feature_view, v.primary_metric, v.primary_value
            FROM {model_registry.aliases} a JOIN {model_registry.versions} v ON v.model = a.model AND v.version = a.version
            WHERE a.alias = 'champion' AND v.feature_view IN @views ORDER BY v.model
            """, new { views }, ct);
}

/// <summary>A feature group with its newest commit.</summary>
internal sealed record DashboardGroup
{
    public required string FeatureGroup { get; init; }
    public int Version { get; init; }
    public string? Description { get; init; }
    public string? WrittenBy { get; init; }
    public bool Online { get; init; }
    public bool Deprecated { get; init; }
    public Utc? Watermark { get; init; }
    public long? RunId { get; init; }
    public long? Rows { get; init; }
    public long? RowsComputed { get; init; }
    public long? RowsQuarantined { get; init; }
    public Utc? MaxEventTime { get; init; }
    public Utc? PublishedAt { get; init; }
}

/// <summary>The columns of a group.</summary>
internal sealed record DashboardSchema
{
    public int Version { get; init; }
    public bool Online { get; init; }
    public JsonText ColumnsJson { get; init; }
}

/// <summary>A published commit, with what it counted where that was asked for.</summary>
internal sealed record DashboardCommit
{
    public long CommitId { get; init; }
    public required string Kind { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public long PublishedSeq { get; init; }
    public Utc PublishedAt { get; init; }
    public long Rows { get; init; }
    public long Tombstones { get; init; }
    public long RowsComputed { get; init; }
    public long RowsQuarantined { get; init; }
    public long? RunId { get; init; }
    public JsonText? StatisticsJson { get; init; }
    public JsonText? Expectations { get; init; }
}

/// <summary>A version that serves.</summary>
internal sealed record DashboardChampion
{
    public required string Model { get; init; }
    public int Version { get; init; }
    public required string FeatureView { get; init; }
    public required string PrimaryMetric { get; init; }
    public double PrimaryValue { get; init; }
}
