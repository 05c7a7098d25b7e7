using AiWorkflows.Features;

namespace AiWorkflows.Storage;

/// <summary>Rows in quarantine, in any database.</summary>
internal sealed class Quarantine(StoreDatabase database) : IQuarantine
{
    /// <summary>Prolonged for as long as the replay goes on; a killed one is found when it has run out.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private const int IdsAtOnce = 500;

    public Task<IReadOnlyList<QuarantinedRecord>> ReadAsync(GroupSchema group, long after, int limit, CancellationToken ct) => database.ReadAsync<QuarantinedRecord>("""
        SELECT q.quarantine_id, q.row_json
        FROM {feature_store.commits} c JOIN {feature_store.quarantine} q ON q.commit_id = c.commit_id
        WHERE c.feature_group = @Name AND c.version = @Version AND c.state = 'published' AND c.rows_quarantined > 0 AND q.replayed_by IS NULL AND q.quarantine_id > @After
        ORDER BY q.quarantine_id {limit:@Limit}
        """, new { group.Name, group.Version, After = after, Limit = limit }, ct);

    public Task<AttemptRef> BeginAsync(ReplayRequest request, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var runId = await tx.ScalarAsync<long>("""
            INSERT INTO {workflows.runs} (workflow, requested_by, triggered_by, window_from, window_to, state, requested_at, started_at, code_version, reason)
            {inserted:run_id}
            VALUES (@Workflow, @By, 'manual', @From, @To, 'running', {now}, {now}, @CodeVersion, 'rows from quarantine')
            {returning:run_id}
            """, new { request.Workflow, request.By, From = (Utc)request.Window.From, To = (Utc)request.Window.To, request.CodeVersion });
        var claim = Guid.NewGuid().ToString("N");
        var stageRunId = await tx.ScalarAsync<long>("""
            INSERT INTO {workflows.stage_runs} (run_id, stage, step, kind, ordinal, queue, state, attempt, max_failures, not_before, dispatched_at, lease_owner, lease_until, host, started_at)
            {inserted:stage_run_id}
            VALUES (@RunId, @Pipeline, @Step, 'control', 1, 'control', 'running', 1, 1, {now}, {now}, @Claim, {in:@Lease}, @Host, {now})
            {returning:stage_run_id}
            """, new { RunId = runId, request.Pipeline, Step = request.Pipeline + "/replay", Claim = claim, Lease = Timestamps.ToMicros(Lease), request.Host });
        await tx.ExecuteAsync("""
            INSERT INTO {workflows.attempts} (stage_run_id, attempt, claim, host, code_version, started_at) VALUES (@StageRunId, 1, @Claim, @Host, @CodeVersion, {now})
            """, new { StageRunId = stageRunId, Claim = claim, request.Host, request.CodeVersion });
        return new AttemptRef(runId, stageRunId, 1, request.Pipeline);
    }, ct);

    public Task MarkAsync(IReadOnlyList<long> quarantineIds, long commitId, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        foreach (var ids in quarantineIds.Chunk(IdsAtOnce))
            await tx.ExecuteAsync("UPDATE {feature_store.quarantine} SET replayed_by = @CommitId WHERE quarantine_id IN @Ids", new { CommitId = commitId, Ids = ids });
    }, ct);
}
