using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public Task<AdvanceResult> AdvanceAsync(long runId, string engine, int cap, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var run = new { RunId = runId, Engine = engine };
        if (await tx.ExecuteAsync("UPDATE {workflows.runs} SET touch = touch + 1 WHERE run_id = @RunId AND state = 'running'", run) == 0)
        {
            tx.RollBack();
            return new AdvanceResult(null, []);
        }
        var counts = await tx.FirstAsync<StateCounts>("""
            SELECT COALESCE(SUM(CASE WHEN state IN ('failed', 'cancelled') THEN 1 ELSE 0 END), 0) AS broken,
                COALESCE(SUM(CASE WHEN state = 'running' OR (state = 'pending' AND dispatched_at IS NOT NULL) THEN 1 ELSE 0 END), 0) AS busy
            FROM {workflows.stage_runs} WHERE run_id = @RunId
            """, run);
        if (counts!.Broken > 0)
            while (await tx.ExecuteAsync("""
                UPDATE {workflows.stage_runs} SET state = 'cancelled', reason = 'upstream', finished_at = {now}
                WHERE run_id = @RunId AND state = 'pending'
                  AND EXISTS (SELECT 1 FROM {workflows.run_edges} e JOIN {workflows.stage_runs} p ON p.run_id = e.run_id AND p.step = e.after_step
                      WHERE e.run_id = {workflows.stage_runs}.run_id AND e.step = {workflows.stage_runs}.step AND p.state IN ('failed', 'cancelled'))
                """, run) > 0) { }
        if (await FinishAsync(tx, runId) is { } ended)
            return new AdvanceResult(ended, []);
        return new AdvanceResult(null, counts.Busy < cap ? await DispatchAsync(tx, runId, engine, cap - counts.Busy) : []);
    }, ct, durable: false);

    public Task SetJobAsync(long stageRunId, int dispatchNo, string jobId, CancellationToken ct) => database.WriteAsync(tx => tx.ExecuteAsync(
        "UPDATE {workflows.stage_runs} SET job_id = @JobId WHERE stage_run_id = @StageRunId AND dispatch_no = @DispatchNo",
        new { StageRunId = stageRunId, DispatchNo = dispatchNo, JobId = jobId }), ct, durable: false);

    public async Task<IReadOnlyList<StageRunRecord>> StaleDispatchesAsync(TimeSpan age, CancellationToken ct) =>
        [.. (await database.ReadAsync<StageRunRow>($$"""
            SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs}
            WHERE state = 'pending' AND dispatched_at <= {ago:@Age} AND run_id IN (SELECT run_id FROM {workflows.runs} WHERE state = 'running')
            ORDER BY stage_run_id
            """, new { Age = Timestamps.ToMicros(age) }, ct)).Select(r => r.ToRecord())];

    public async Task<IReadOnlyList<QueueState>> QueuesAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<QueueRow>("""
            SELECT queue, COUNT(*) AS waiting, MIN(CASE WHEN not_before > dispatched_at THEN not_before ELSE dispatched_at END) AS oldest, {now} AS read_at
            FROM {workflows.stage_runs}
            WHERE state = 'pending' AND dispatched_at IS NOT NULL AND not_before <= {now} AND run_id IN (SELECT run_id FROM {workflows.runs} WHERE state = 'running')
            GROUP BY queue ORDER BY queue
            """, null, ct)).Select(q => new QueueState(q.Queue, q.Waiting, q.ReadAt.Value - q.Oldest.Value))];

    public Task UndispatchAsync(long stageRunId, int dispatchNo, CancellationToken ct) => database.WriteAsync(tx => tx.ExecuteAsync(
        "UPDATE {workflows.stage_runs} SET dispatched_at = NULL, job_id = NULL WHERE stage_run_id = @StageRunId AND dispatch_no = @DispatchNo AND state = 'pending'",
        new { StageRunId = stageRunId, DispatchNo = dispatchNo }), ct, durable: false);

    /// <summary>Ends the run where no step is pending or running; returns the state it has ended in, or null.</summary>
    private static async Task<string?> FinishAsync(WriteTransaction tx, long runId)
    {
        var run = new { RunId = runId };
        if (await tx.ScalarAsync<long>("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId AND state IN ('pending', 'running')", run) > 0)
            return null;
        var failed = await tx.FirstAsync<FailedStep>("""
            SELECT step, error FROM {workflows.stage_runs} WHERE stage_run_id =
                (SELECT MIN(stage_run_id) FROM {workflows.stage_runs} WHERE run_id = @RunId AND state = 'failed')
            """, run);
        var broken = failed is not null || await tx.ScalarAsync<long>("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId AND state = 'cancelled'", run) > 0;
        var state = broken ? States.Failed : States.Succeeded;
        await tx.ExecuteAsync("UPDATE {workflows.runs} SET state = @State, finished_at = {now}, error = @Error WHERE run_id = @RunId",
            new { RunId = runId, State = state, Error = failed is null ? null : $"{failed.Step}: {failed.Error}" });
        return state;
    }

    private static async Task<IReadOnlyList<DispatchedStep>> DispatchAsync(WriteTransaction tx, long runId, string engine, long room)
    {
        var ready = await tx.ReadAsync<StageRunRow>($$"""
            SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs}
            WHERE run_id = @RunId AND state = 'pending' AND dispatched_at IS NULL AND not_before <= {now} AND {{Ready}}
            ORDER BY ordinal, partition, stage_run_id {limit:@Room}
            """, new { RunId = runId, Room = room });
        foreach (var row in ready)
            await tx.ExecuteAsync("""
                UPDATE {workflows.stage_runs} SET dispatch_no = dispatch_no + 1, dispatched_at = {now}, engine = @Engine, job_id = NULL WHERE stage_run_id = @StageRunId
                """, new { row.StageRunId, Engine = engine });
        // All partitions and attempts of a step read as of one sequence, fixed when the first of them becomes ready.
        foreach (var step in ready.Where(r => r.AsOfSeq is null).Select(r => r.Step).Distinct())
            await tx.ExecuteAsync("""
                UPDATE {workflows.stage_runs} SET as_of_seq = (SELECT seq FROM {feature_store.publication_clock}) WHERE run_id = @RunId AND step = @Step AND as_of_seq IS NULL
                """, new { RunId = runId, Step = step });
        return [.. ready.Select(r => new DispatchedStep(r.StageRunId, r.DispatchNo + 1, r.Queue, r.Step))];
    }

    private sealed class QueueRow
    {
        public string Queue { get; set; } = "";

        public long Waiting { get; set; }

        public Utc Oldest { get; set; }

        public Utc ReadAt { get; set; }
    }

    private sealed class StateCounts
    {
        public long Broken { get; set; }

        public long Busy { get; set; }
    }

    private sealed class FailedStep
    {
        public string Step { get; set; } = "";

        public string? Error { get; set; }
    }
}
