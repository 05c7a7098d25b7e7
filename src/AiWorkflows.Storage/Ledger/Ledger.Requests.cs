using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public async Task RegisterWorkflowsAsync(IReadOnlyList<(string Workflow, int MaxRunning, OverlapPolicy Overlap)> workflows, CancellationToken ct)
    {
        var known = (await database.ReadAsync<WorkflowRow>("SELECT workflow, max_running, overlap, last_tick, paused_at, paused_by FROM {workflows.workflows}", null, ct)).ToDictionary(w => w.Workflow, StringComparer.Ordinal);
        var wanted = workflows.Select(w => new { w.Workflow, w.MaxRunning, Overlap = w.Overlap switch { OverlapPolicy.Skip => "skip", OverlapPolicy.Parallel => "parallel", _ => "queue" } })
            .Where(w => !known.TryGetValue(w.Workflow, out var row) || row.MaxRunning != w.MaxRunning || row.Overlap != w.Overlap).ToArray();
        if (wanted.Length == 0)
            return;
        await database.WriteAsync(async tx =>
        {
            foreach (var workflow in wanted)
            {
                if (await tx.ExecuteAsync("UPDATE {workflows.workflows} SET max_running = @MaxRunning, overlap = @Overlap WHERE workflow = @Workflow", workflow) == 0)
                    await tx.ExecuteAsync("INSERT INTO {workflows.workflows} (workflow, max_running, overlap) VALUES (@Workflow, @MaxRunning, @Overlap)", workflow);
            }
        }, ct);
    }

    public async Task<IReadOnlyList<WorkflowState>> WorkflowStatesAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<WorkflowRow>("SELECT workflow, max_running, overlap, last_tick, paused_at, paused_by FROM {workflows.workflows} ORDER BY workflow", null, ct))
            .Select(w => new WorkflowState(w.Workflow, w.LastTick, w.PausedAt, w.PausedBy))];

    public Task SetPausedAsync(string workflow, string? pausedBy, CancellationToken ct) => database.WriteAsync(tx => tx.ExecuteAsync("""
        UPDATE {workflows.workflows} SET paused_by = @By, paused_at = CASE WHEN @By IS NULL THEN NULL ELSE COALESCE(paused_at, {now}) END WHERE workflow = @Workflow
        """, new { Workflow = workflow, By = pausedBy }), ct);

    public async Task<(long RunId, bool Created)> RequestAsync(RunRequest request, CancellationToken ct)
    {
        try
        {
            return await TryRequestAsync(request, ct);
        }
        catch (CommitUnknownException) when (request.DedupKey is not null)
        {
            return await TryRequestAsync(request, ct);
        }
    }

    private Task<(long RunId, bool Created)> TryRequestAsync(RunRequest request, CancellationToken ct) => database.WriteAsync(async tx =>
        await InsertAsync(tx, request) is { } created ? (created, true)
        : (await tx.ScalarAsync<long>("SELECT run_id FROM {workflows.runs} WHERE workflow = @Workflow AND dedup_key = @DedupKey", new { request.Workflow, request.DedupKey }), false), ct);

    public async Task<IReadOnlyList<long>> TickAsync(string workflow, DateTime tick, IReadOnlyList<RunRequest> requests, CancellationToken ct)
    {
        try
        {
            return await TryTickAsync(workflow, tick, requests, ct);
        }
        catch (CommitUnknownException)
        {
            // Its tick is in the table, or it is not; if it is, its runs are found by their keys.
            return await TryTickAsync(workflow, tick, requests, ct) is { Count: > 0 } runs ? runs
                : await database.ReadAsync<long>("""
                    SELECT r.run_id FROM {workflows.runs} r JOIN {workflows.workflows} w ON w.workflow = r.workflow
                    WHERE r.workflow = @Workflow AND w.last_tick = @Tick AND r.dedup_key IN @Keys ORDER BY r.run_id
                    """, new { Workflow = workflow, Tick = (Utc)tick, Keys = requests.Select(r => r.DedupKey).ToArray() }, ct);
        }
    }

    private Task<IReadOnlyList<long>> TryTickAsync(string workflow, DateTime tick, IReadOnlyList<RunRequest> requests, CancellationToken ct) => database.WriteAsync<IReadOnlyList<long>>(async tx =>
    {
        var taken = await tx.ExecuteAsync("""
            UPDATE {workflows.workflows} SET last_tick = @Tick WHERE workflow = @Workflow AND paused_at IS NULL AND (last_tick IS NULL OR last_tick < @Tick)
            """, new { Workflow = workflow, Tick = (Utc)tick });
        if (taken == 0)
        {
            tx.RollBack();
            return [];
        }
        var runs = new List<long>();
        foreach (var request in requests)
            if (await InsertAsync(tx, request) is { } run)
                runs.Add(run);
        return runs;
    }, ct);

    public async Task<bool> CancelAsync(long runId, string by, string reason, CancellationToken ct)
    {
        try
        {
            return await TryCancelAsync(runId, by, reason, ct);
        }
        catch (CommitUnknownException)
        {
            return await TryCancelAsync(runId, by, reason, ct)
                || await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.runs} WHERE run_id = @RunId AND state = 'cancelled' AND reason = @Reason", new { RunId = runId, Reason = reason }, ct) > 0;
        }
    }

    private Task<bool> TryCancelAsync(long runId, string by, string reason, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var cancelled = await tx.ExecuteAsync("""
            UPDATE {workflows.runs} SET state = 'cancelled', finished_at = {now}, reason = @Reason WHERE run_id = @RunId AND state IN ('requested', 'running')
            """, new { RunId = runId, Reason = reason });
        if (cancelled == 0)
        {
            tx.RollBack();
            return false;
        }
        await tx.ExecuteAsync("""
            UPDATE {workflows.stage_runs} SET state = 'cancelled', reason = @Reason, finished_at = {now}, lease_owner = NULL, lease_until = NULL
            WHERE run_id = @RunId AND state IN ('pending', 'running')
            """, new { RunId = runId, Reason = reason });
        await tx.ExecuteAsync("""
            UPDATE {workflows.attempts} SET outcome = 'cancelled', ended_at = {now}
            WHERE outcome IS NULL AND stage_run_id IN (SELECT stage_run_id FROM {workflows.stage_runs} WHERE run_id = @RunId)
            """, new { RunId = runId });
        await AuditAsync(tx, by, "cancel", $"run {runId}", reason);
        return true;
    }, ct);

    public async Task<bool> ResumeAsync(long runId, string by, CancellationToken ct)
    {
        try
        {
            return await TryResumeAsync(runId, by, ct);
        }
        catch (CommitUnknownException)
        {
            // It had failed or was cancelled, or nothing would have been committed.
            return await TryResumeAsync(runId, by, ct)
                || await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.runs} WHERE run_id = @RunId AND state IN ('requested', 'running')", new { RunId = runId }, ct) > 0;
        }
    }

    private Task<bool> TryResumeAsync(long runId, string by, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var resumed = await tx.ExecuteAsync("""
            UPDATE {workflows.runs} SET state = 'requested', finished_at = NULL, error = NULL, reason = NULL WHERE run_id = @RunId AND state IN ('failed', 'cancelled')
            """, new { RunId = runId });
        if (resumed == 0)
        {
            tx.RollBack();
            return false;
        }
        await AuditAsync(tx, by, "resume", $"run {runId}", null);
        return true;
    }, ct);

    public Task AuditAsync(string by, string action, string subject, string? details, CancellationToken ct) =>
        database.WriteAsync(tx => AuditAsync(tx, by, action, subject, details), ct);

    internal static Task AuditAsync(WriteTransaction tx, string by, string action, string subject, string? details) => tx.ExecuteAsync(
        "INSERT INTO {workflows.audit} (done_at, done_by, action, subject, details, done_from) VALUES ({now}, @By, @Action, @Subject, @Details, @From)",
        new { By = by, Action = action, Subject = subject, Details = details, Caller.Current?.From });

    /// <summary>The new run's id, or null where one with the same dedup key exists.</summary>
    private static async Task<long?> InsertAsync(WriteTransaction tx, RunRequest request) => await tx.ScalarAsync<long?>("""
        INSERT INTO {workflows.runs} (workflow, requested_by, triggered_by, mode, catch_up, hindsight, window_from, window_to, state, requested_at, dedup_key)
        {inserted:run_id}
        SELECT @Workflow, @RequestedBy, @TriggeredBy, @Mode, @CatchUp, @Hindsight, @From, @To, 'requested', {now}, @DedupKey
        WHERE NOT EXISTS (SELECT 1 FROM {workflows.runs} WHERE workflow = @Workflow AND dedup_key = @DedupKey)
        {returning:run_id}
        """, new
    {
        request.Workflow,
        request.RequestedBy,
        request.TriggeredBy,
        request.Mode,
        CatchUp = request.CatchUp ? 1 : 0,
        Hindsight = request.Hindsight ? 1 : 0,
        From = (Utc)request.Window.From,
        To = (Utc)request.Window.To,
        request.DedupKey,
    });

    private sealed class WorkflowRow
    {
        public string Workflow { get; set; } = "";

        public int MaxRunning { get; set; }

        public string Overlap { get; set; } = "";

        public Utc? LastTick { get; set; }

        public Utc? PausedAt { get; set; }

        public string? PausedBy { get; set; }
    }
}
