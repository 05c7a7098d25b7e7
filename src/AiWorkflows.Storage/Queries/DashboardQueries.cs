namespace AiWorkflows.Storage.Queries;

/// <summary>
/// What the dashboard reads. Every statement is a seek or a short walk along an index, none touches rows of feature groups or predictions,
/// and a page makes at most eight.
/// </summary>
internal sealed partial class DashboardQueries
{
    /// <summary>How many of the newest runs count as recent where no index bounds a question.</summary>
    private const int RecentRuns = 2_000;

    private const string RunColumns =
        """
        r.run_id, r.workflow, r.state, r.window_from, r.window_to, r.mode, r.catch_up, r.hindsight, r.requested_by, r.triggered_by,
        r.requested_at, r.started_at, r.finished_at, r.code_version, r.error, r.reason, r.backfill_id
        """;

    private readonly StoreDatabase _database;

    public DashboardQueries(StoreDatabase database)
    {
        QueryMapping.Ensure();
        _database = database;
    }

    /// <summary>
    /// What the section bar counts: runs that are requested or running, and recent failed ones that no later run over the same window
    /// has made good.
    /// </summary>
    public Task<IReadOnlyList<DashboardRun>> OpenAndFailedAsync(CancellationToken ct) => QueryAsync<DashboardRun>(
        $$"""
        SELECT {{RunColumns}} FROM {workflows.runs} r WHERE r.state IN ('requested', 'running') AND (r.state = 'running' OR r.backfill_id IS NULL)
        UNION ALL
        SELECT {{RunColumns}} FROM {workflows.runs} r
        WHERE r.state = 'failed' AND r.run_id > (SELECT COALESCE(MAX(run_id), 0) FROM {workflows.runs}) - @recent
          AND NOT EXISTS (SELECT 1 FROM {workflows.runs} n
                          WHERE n.workflow = r.workflow AND n.window_from <= r.window_from AND n.window_to >= r.window_to
                            AND n.run_id > r.run_id AND n.state IN ('succeeded', 'requested', 'running'))
        """, new { recent = RecentRuns }, ct);

    /// <summary>The steps of these runs, added up; a statement names only so many of them, for an engine takes no more than 2,100 parameters.</summary>
    public async Task<IReadOnlyList<DashboardRunSteps>> StepsOfAsync(IReadOnlyCollection<long> runs, CancellationToken ct)
    {
        var found = new List<DashboardRunSteps>();
        foreach (var some in runs.Chunk(MostRunsAtOnce))
            found.AddRange(await StepsOfSomeAsync(some, ct));
        return found;
    }

    private const int MostRunsAtOnce = 1_000;

    private Task<IReadOnlyList<DashboardRunSteps>> StepsOfSomeAsync(long[] runs, CancellationToken ct) => QueryAsync<DashboardRunSteps>(
        """
        SELECT run_id, COUNT(*) AS steps,
               SUM(CASE WHEN state IN ('succeeded', 'skipped') THEN 1 ELSE 0 END) AS done,
               SUM(CASE WHEN state = 'running' THEN 1 ELSE 0 END) AS running,
               SUM(failures + lost) AS setbacks, SUM(rows_read) AS rows_read, SUM(rows_written) AS rows_written,
               SUM(CASE WHEN state IN ('succeeded', 'skipped') THEN 1000
                        WHEN state = 'running' AND progress_total > 0
                        THEN CASE WHEN progress_done >= progress_total THEN 1000 ELSE 1000 * progress_done / progress_total END
                        ELSE 0 END) AS progress,
               MIN(CASE WHEN state = 'running' THEN step END) AS running_step
        FROM {workflows.stage_runs} WHERE run_id IN @runs GROUP BY run_id
        """, new { runs }, ct);

    private Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? parameters, CancellationToken ct) => _database.ReadAsync<T>(sql, parameters, ct);
}
