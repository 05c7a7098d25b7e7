namespace AiWorkflows.Storage.Queries;

/// <summary>What people ask about runs; every statement is a seek or a short walk along a key.</summary>
internal sealed class RunQueries
{
    private const string RunColumns =
        "run_id, workflow, state, window_from, window_to, mode, hindsight, requested_by, triggered_by, requested_at, started_at, finished_at, code_version, error, reason";

    private const string CommitColumns =
        "commit_id, feature_group, version, kind, window_from, window_to, published_seq, published_at, rows, tombstones, new_rows, rows_computed, rows_quarantined, min_event_time, max_event_time, run_id, stage, code_version";

    private readonly StoreDatabase _database;

    public RunQueries(StoreDatabase database)
    {
        QueryMapping.Ensure();
        _database = database;
    }

    /// <summary>Newest first; the next page starts below the last id of this one.</summary>
    public Task<IReadOnlyList<RunRow>> ListAsync(string? workflow, string? state, long? before, int limit, CancellationToken ct) => _database.ReadAsync<RunRow>(
        $$"""
        SELECT {{RunColumns}} FROM {workflows.runs} r
        WHERE r.run_id < @before {{(workflow is null ? "" : "AND r.workflow = @workflow")}} {{RunFilter.In(state)}}
        ORDER BY r.run_id DESC {limit:@limit}
        """, new { before = before ?? long.MaxValue, workflow, state, limit }, ct);

    public async Task<RunRow?> FindAsync(long runId, CancellationToken ct) => (await _database.ReadAsync<RunRow>(
        $$"""SELECT {{RunColumns}} FROM {workflows.runs} WHERE run_id = @runId""", new { runId }, ct)).SingleOrDefault();

    /// <summary>The ids of the newest runs: what an unknown id may have meant.</summary>
    public Task<IReadOnlyList<long>> RecentIdsAsync(CancellationToken ct) =>
        _database.ReadAsync<long>("SELECT run_id FROM {workflows.runs} ORDER BY run_id DESC {limit:10}", null, ct);

    /// <summary>The newest run of a workflow, or null.</summary>
    public async Task<RunRow?> LastAsync(string workflow, CancellationToken ct) => (await ListAsync(workflow, null, null, 1, ct)).SingleOrDefault();

    public Task<IReadOnlyList<StepRow>> StepsAsync(long runId, CancellationToken ct) => _database.ReadAsync<StepRow>(
        """
        SELECT stage_run_id, step, stage, kind, ordinal, partition, partitions, window_from, window_to, state, attempt, failures, lost, started_at, finished_at, rows_read, rows_written,
               progress_done, progress_total, progress_text, as_of_seq, host, job_id, reason, error
        FROM {workflows.stage_runs} WHERE run_id = @runId ORDER BY ordinal, partition
        """, new { runId }, ct);

    public Task<IReadOnlyList<CommitRow>> CommitsAsync(long runId, CancellationToken ct) => _database.ReadAsync<CommitRow>(
        $$"""SELECT {{CommitColumns}} FROM {feature_store.commits} WHERE run_id = @runId AND state = 'published' ORDER BY commit_id""", new { runId }, ct);

    public Task<IReadOnlyList<BatchRow>> BatchesAsync(long runId, CancellationToken ct) => _database.ReadAsync<BatchRow>(
        """
        SELECT batch_id, pipeline, role, model, version, window_from, window_to, hindsight, predicted_at, rows, positive_share, run_id
        FROM {prediction_log.batches} WHERE run_id = @runId AND state = 'published' ORDER BY batch_id
        """, new { runId }, ct);

    public Task<IReadOnlyList<QuarantineCount>> QuarantineAsync(long runId, CancellationToken ct) => _database.ReadAsync<QuarantineCount>(
        """
        SELECT c.feature_group, q.rule_name AS "rule", COUNT(*) AS rows, COUNT(q.replayed_by) AS replayed, MIN(q.reason) AS example
        FROM {feature_store.commits} c JOIN {feature_store.quarantine} q ON q.commit_id = c.commit_id
        WHERE c.run_id = @runId AND c.state = 'published' AND c.rows_quarantined > 0
        GROUP BY c.feature_group, q.rule_name ORDER BY c.feature_group, q.rule_name
        """, new { runId }, ct);

    /// <summary>Lines with an id above <paramref name="after"/>, oldest first.</summary>
    public Task<IReadOnlyList<LogRow>> LogsAsync(long runId, long after, int limit, CancellationToken ct) => _database.ReadAsync<LogRow>(
        """
        SELECT l.log_id, l.logged_at, s.step, l.attempt, l.level, l.message
        FROM {workflows.stage_logs} l LEFT JOIN {workflows.stage_runs} s ON s.stage_run_id = l.stage_run_id
        WHERE l.run_id = @runId AND l.log_id > @after ORDER BY l.log_id {limit:@limit}
        """, new { runId, after, limit }, ct);

    /// <summary>The watermark of each pipeline's own output.</summary>
    public Task<IReadOnlyList<WatermarkRow>> WatermarksAsync(CancellationToken ct) =>
        _database.ReadAsync<WatermarkRow>("SELECT pipeline, input, event_time FROM {workflows.watermarks} WHERE input = '' ORDER BY pipeline", null, ct);

    /// <summary>The run that catch-up made after this one for the same workflow in the same mode; null where there is none.</summary>
    public Task<long?> NextCatchUpAsync(long runId, CancellationToken ct) => _database.ReadFirstAsync<long?>("""
        SELECT MIN(n.run_id) FROM {workflows.runs} n JOIN {workflows.runs} r ON r.workflow = n.workflow AND r.mode = n.mode
        WHERE r.run_id = @RunId AND n.run_id > r.run_id AND n.catch_up = 1
        """, new { RunId = runId }, ct);
}
