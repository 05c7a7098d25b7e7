namespace AiWorkflows.Storage.Queries;

/// <summary>What the list of runs is narrowed to; null members do not narrow.</summary>
internal sealed record DashboardRunFilter(string? Workflow = null, string? State = null, string? Trigger = null, DateTime? From = null, DateTime? To = null);

internal sealed partial class DashboardQueries
{
    private const string StepColumns =
        """
        stage_run_id, run_id, step, stage, kind, ordinal, partition, partitions, queue, state, attempt, failures, lost, max_failures, not_before, lease_until,
        started_at, finished_at, rows_read, rows_written, progress_done, progress_total, progress_text, as_of_seq, host, engine, job_id, reason, error
        """;

    /// <summary>
    /// Newest first, from below a run's id; paging never counts and never skips. Where no index knows what the list is narrowed to, as many runs as
    /// <see cref="Reach"/> are looked through.
    /// </summary>
    public async Task<DashboardRunPage> RunsAsync(DashboardRunFilter filter, long? before, int limit, CancellationToken ct)
    {
        var bounded = filter.Trigger is not null || filter.From is not null || filter.To is not null || filter.State is not null && !RunFilter.IsIndexed(filter.State);
        var first = !bounded ? 0 : (before ?? 1 + await NewestRunIdAsync(ct)) - Reach;
        var runs = await QueryAsync<DashboardRun>(
            $$"""
            SELECT {{RunColumns}} FROM {workflows.runs} r WHERE r.run_id < @before AND r.run_id >= @first
            {{(filter.Workflow is null ? "" : "AND r.workflow = @workflow")}}
            {{RunFilter.In(filter.State)}}
            {{(filter.Trigger is null ? "" : "AND r.triggered_by = @Trigger")}}
            {{(filter.From is null ? "" : "AND r.window_to > @from")}}
            {{(filter.To is null ? "" : "AND r.window_from < @to")}}
            ORDER BY r.run_id DESC {limit:@limit}
            """,
            new
            {
                before = before ?? long.MaxValue, first, workflow = filter.Workflow, state = filter.State, filter.Trigger, limit = limit + 1,
                from = Utc.From(filter.From), to = Utc.From(filter.To),
            }, ct);
        return runs.Count > limit ? new([.. runs.Take(limit)], runs[limit - 1].RunId, null) : new(runs, first > 1 ? first : null, bounded && first > 1 ? first : null);
    }

    /// <summary>How many ids of runs a page looks through where no index tells which of them fit.</summary>
    public const long Reach = 100_000;

    private Task<long> NewestRunIdAsync(CancellationToken ct) => _database.ReadFirstAsync<long>("SELECT COALESCE(MAX(run_id), 0) FROM {workflows.runs}", null, ct);

    public async Task<DashboardRun?> RunAsync(long runId, CancellationToken ct) =>
        (await QueryAsync<DashboardRun>($$"""SELECT {{RunColumns}} FROM {workflows.runs} r WHERE r.run_id = @runId""", new { runId }, ct)).SingleOrDefault();

    /// <summary>The newest succeeded run of the workflow before this one: what its duration is compared with.</summary>
    public async Task<DashboardRun?> PreviousSuccessAsync(string workflow, long runId, CancellationToken ct) => (await QueryAsync<DashboardRun>(
        $$"""
        SELECT {{RunColumns}} FROM {workflows.runs} r
        WHERE r.workflow = @workflow AND r.run_id < @runId AND r.run_id > @runId - @recent AND r.state = 'succeeded' ORDER BY r.run_id DESC {limit:@one}
        """, new { workflow, runId, recent = RecentRuns, one = 1 }, ct)).SingleOrDefault();

    public Task<IReadOnlyList<DashboardStep>> StepsAsync(long runId, CancellationToken ct) =>
        QueryAsync<DashboardStep>($$"""SELECT {{StepColumns}} FROM {workflows.stage_runs} WHERE run_id = @runId ORDER BY ordinal, step, partition""", new { runId }, ct);

    public async Task<DashboardStep?> StepAsync(long stageRunId, CancellationToken ct) =>
        (await QueryAsync<DashboardStep>($$"""SELECT {{StepColumns}} FROM {workflows.stage_runs} WHERE stage_run_id = @stageRunId""", new { stageRunId }, ct)).SingleOrDefault();

    public Task<IReadOnlyList<DashboardEdge>> EdgesAsync(long runId, CancellationToken ct) =>
        QueryAsync<DashboardEdge>("SELECT step, after_step FROM {workflows.run_edges} WHERE run_id = @runId", new { runId }, ct);

    /// <summary>The newest attempts of a run's steps; a run has more only when it was resumed again and again.</summary>
    public Task<IReadOnlyList<DashboardAttempt>> AttemptsAsync(long runId, CancellationToken ct) => QueryAsync<DashboardAttempt>(
        """
        SELECT a.stage_run_id, a.attempt, a.host, a.started_at, a.ended_at, a.outcome, a.error
        FROM {workflows.stage_runs} s JOIN {workflows.attempts} a ON a.stage_run_id = s.stage_run_id
        WHERE s.run_id = @runId ORDER BY a.stage_run_id, a.attempt {limit:@most}
        """, new { runId, most = 5000 }, ct);

    /// <summary>Commits, batches and model versions of a run, the ones that never became visible left out.</summary>
    public Task<IReadOnlyList<DashboardOutput>> OutputsAsync(long runId, CancellationToken ct) => QueryAsync<DashboardOutput>(
        """
        SELECT 'commit' AS type, feature_group AS name, commit_id AS id, kind, state, rows, rows_quarantined AS quarantined, published_seq
        FROM {feature_store.commits} WHERE run_id = @runId AND state IN ('published', 'sealed')
        UNION ALL
        SELECT 'batch', pipeline, batch_id, 'predictions', state, rows, 0, published_seq
        FROM {prediction_log.batches} WHERE run_id = @runId AND state IN ('published', 'sealed')
        UNION ALL
        SELECT 'version', model, version, 'model version', 'published', training_rows, 0, published_seq
        FROM {model_registry.versions} WHERE run_id = @runId
        ORDER BY published_seq, id {limit:@most}
        """, new { runId, most = 500 }, ct);

    /// <summary>The end of a run's log, oldest line first.</summary>
    public async Task<IReadOnlyList<DashboardLogLine>> LogTailAsync(long runId, DashboardLogFilter filter, int limit, CancellationToken ct)
    {
        var lines = await LogAsync("l.log_id <= @bound", "DESC", runId, long.MaxValue, filter, limit, ct);
        return [.. lines.Reverse()];
    }

    /// <summary>Lines of a run's log after a line, oldest first.</summary>
    public Task<IReadOnlyList<DashboardLogLine>> LogAfterAsync(long runId, long after, DashboardLogFilter filter, int limit, CancellationToken ct) =>
        LogAsync("l.log_id > @bound", "ASC", runId, after, filter, limit, ct);

    private Task<IReadOnlyList<DashboardLogLine>> LogAsync(
        string where, string direction, long runId, long bound, DashboardLogFilter filter, int limit, CancellationToken ct) => QueryAsync<DashboardLogLine>(
        $$"""
        SELECT l.log_id, l.logged_at, s.step, COALESCE(s.partition, 0) AS partition, COALESCE(s.partitions, 1) AS partitions, l.attempt, l.level, l.message
        FROM {workflows.stage_logs} l LEFT JOIN {workflows.stage_runs} s ON s.stage_run_id = l.stage_run_id
        WHERE l.run_id = @runId AND {{where}}
        {{(filter.Step is null ? "" : "AND s.step = @Step")}}
        {{(filter.StageRunId is null ? "" : "AND l.stage_run_id = @StageRunId")}}
        {{(filter.WarningsOnly ? "AND l.level <> 'info'" : "")}}
        ORDER BY l.log_id {{direction}} {limit:@limit}
        """, new { runId, bound, filter.Step, filter.StageRunId, limit }, ct);
}

/// <summary>A page of the list of runs.</summary>
/// <param name="Older">What the next page begins below; null where there is none.</param>
/// <param name="LookedDownTo">The oldest run that was looked at, where the page ends although older ones may fit; null where it ends for another reason.</param>
internal sealed record DashboardRunPage(IReadOnlyList<DashboardRun> Runs, long? Older, long? LookedDownTo);

/// <summary>What a log is narrowed to.</summary>
internal sealed record DashboardLogFilter(string? Step = null, long? StageRunId = null, bool WarningsOnly = false)
{
    public static readonly DashboardLogFilter Everything = new();
}
