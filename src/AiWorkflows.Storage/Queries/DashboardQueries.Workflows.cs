namespace AiWorkflows.Storage.Queries;

internal sealed partial class DashboardQueries
{
    private const long MicrosADay = 86_400_000_000;
    private const long MicrosAMinute = 60_000_000;

    public Task<IReadOnlyList<DashboardWorkflow>> WorkflowsAsync(CancellationToken ct) =>
        QueryAsync<DashboardWorkflow>("SELECT workflow, last_tick, paused_at, paused_by FROM {workflows.workflows} ORDER BY workflow", null, ct);

    /// <summary>The newest runs of every workflow by window: what its strip is drawn from.</summary>
    public Task<IReadOnlyList<DashboardRun>> NewestRunsAsync(int perWorkflow, CancellationToken ct) => QueryAsync<DashboardRun>(
        $$"""
        SELECT {{RunColumns}} FROM {workflows.workflows} w
        JOIN {workflows.runs} r ON r.run_id IN (SELECT n.run_id FROM {workflows.runs} n WHERE n.workflow = w.workflow ORDER BY n.window_from DESC {limit:@perWorkflow})
        """, new { perWorkflow }, ct);

    public Task<IReadOnlyList<DashboardWatermark>> WatermarksAsync(CancellationToken ct) =>
        QueryAsync<DashboardWatermark>("SELECT pipeline, event_time FROM {workflows.watermarks} WHERE input = ''", null, ct);

    /// <summary>The newest versions of each model, and its champion however old that is.</summary>
    public Task<IReadOnlyList<DashboardVersion>> NewestVersionsAsync(int perModel, CancellationToken ct) => QueryAsync<DashboardVersion>(
        """
        SELECT v.model, v.version, v.primary_metric, v.primary_value, v.baseline_value, v.cut_off, v.created_at, v.promotion,
               CASE WHEN a.version = v.version THEN 1 ELSE 0 END AS is_champion
        FROM {model_registry.models} m
        JOIN {model_registry.versions} v ON v.model = m.model
        LEFT JOIN {model_registry.aliases} a ON a.model = m.model AND a.alias = 'champion'
        WHERE v.version > (SELECT MAX(n.version) FROM {model_registry.versions} n WHERE n.model = m.model) - @perModel OR v.version = a.version
        ORDER BY v.model, v.version
        """, new { perModel }, ct);

    /// <summary>The version that serves; null where none does.</summary>
    public Task<int?> ChampionAsync(string model, CancellationToken ct) =>
        _database.ReadFirstAsync<int?>("SELECT version FROM {model_registry.aliases} WHERE model = @model AND alias = 'champion'", new { model }, ct);

    public async Task<DashboardTotals> TotalsAsync(CancellationToken ct) => (await QueryAsync<DashboardTotals>(
        """
        WITH recent AS (SELECT run_id, state FROM {workflows.runs}
                        WHERE run_id > (SELECT COALESCE(MAX(run_id), 0) FROM {workflows.runs}) - @recent AND requested_at >= {ago:@day}),
             published AS (SELECT COUNT(*) AS commits, COALESCE(SUM(rows), 0) AS stored, COALESCE(SUM(rows_computed), 0) AS computed,
                                  COALESCE(SUM(rows_quarantined), 0) AS quarantined
                           FROM {feature_store.commits} WHERE published_at >= {ago:@day} AND state = 'published')
        SELECT {now} AS now, p.commits, p.stored AS rows_published, p.computed AS rows_computed, p.quarantined AS rows_quarantined,
               (SELECT COALESCE(SUM(b.rows), 0) FROM recent JOIN {prediction_log.batches} b ON b.run_id = recent.run_id WHERE b.state = 'published') AS predictions,
               (SELECT COUNT(*) FROM recent) AS runs,
               (SELECT COUNT(*) FROM recent WHERE state = 'failed') AS runs_failed,
               (SELECT COUNT(*) FROM {workflows.hosts} WHERE last_seen >= {ago:@alive}) AS hosts
        FROM published p
        """, new { day = MicrosADay, alive = MicrosAMinute, recent = RecentRuns }, ct)).Single();

    /// <summary>The live values of one metric over the newest days of event time, newest first.</summary>
    public Task<IReadOnlyList<DashboardDailyMetric>> DailyMetricsAsync(IReadOnlyCollection<string> pipelines, string metric, int limit, CancellationToken ct) => pipelines.Count == 0
        ? Task.FromResult<IReadOnlyList<DashboardDailyMetric>>([])
        : QueryAsync<DashboardDailyMetric>(
            """
            SELECT pipeline, model, version, day, metric, metric_value, predictions, outcomes FROM {prediction_log.metrics}
            WHERE pipeline IN @pipelines AND metric = @metric ORDER BY day DESC {limit:@limit}
            """, new { pipelines, metric, limit }, ct);
}
