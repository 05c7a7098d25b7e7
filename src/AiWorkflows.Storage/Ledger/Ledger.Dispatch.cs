using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    /// <summary>Edges whose predecessor has failed or was cancelled: what lies behind them can never become ready.</summary>
    private const string BrokenEdge = """
        e.run_id = @RunId AND EXISTS (SELECT 1 FROM {workflows.stage_runs} p WHERE p.run_id = e.run_id AND p.step = e.after_step AND p.state IN ('failed', 'cancelled'))
        """;

    /// <summary>True of the first partition of a step that is ready and has one that waits for its job.</summary>
    private const string HasReadyWaiting = $$"""
        run_id = @RunId AND partition = 0
        AND EXISTS (SELECT 1 FROM {workflows.stage_runs} w
            WHERE w.run_id = {workflows.stage_runs}.run_id AND w.step = {workflows.stage_runs}.step AND w.state = 'pending' AND w.dispatched_at IS NULL AND w.not_before <= {now})
        AND {{Ready}}
        """;

    /// <summary>Most runs have nothing broken, and then their edges need not be looked at.</summary>
    private const string HasBroken = "EXISTS (SELECT 1 FROM {workflows.stage_runs} b WHERE b.run_id = @RunId AND b.state IN ('failed', 'cancelled'))";

    private const string Busy = """
        (SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId AND state = 'running')
            + (SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId AND state = 'pending' AND dispatched_at IS NOT NULL)
        """;

    public async Task<AdvanceResult> AdvanceAsync(long runId, string engine, int cap, bool look, CancellationToken ct)
    {
        var run = new { RunId = runId, Engine = engine, Full = cap - Math.Max(1, cap / 4) };
        // A look before the lock: whoever is the last to end something sees all that ended before it, so what has to be done is always seen by somebody.
        // Jobs are made a few at a time, so that most of many partitions end without a transaction of their own here.
        return look && await database.ReadFirstAsync<long>($$"""
            SELECT CASE
                WHEN NOT EXISTS (SELECT 1 FROM {workflows.runs} WHERE run_id = @RunId AND state = 'running') THEN 0
                WHEN NOT EXISTS (SELECT 1 FROM {workflows.stage_runs} WHERE run_id = @RunId AND state IN ('pending', 'running')) THEN 1
                WHEN {{HasBroken}} AND EXISTS (SELECT 1 FROM {workflows.run_edges} e WHERE {{BrokenEdge}}
                    AND EXISTS (SELECT 1 FROM {workflows.stage_runs} d WHERE d.run_id = e.run_id AND d.step = e.step AND d.state = 'pending')) THEN 1
                WHEN {{Busy}} > @Full THEN 0
                WHEN EXISTS (SELECT 1 FROM {workflows.stage_runs} WHERE {{HasReadyWaiting}}) THEN 1
                ELSE 0 END
            """, run, ct) == 0
            ? new AdvanceResult(null, [])
            : await AdvanceLockedAsync(runId, engine, cap, ct);
    }

    private async Task<AdvanceResult> AdvanceLockedAsync(long runId, string engine, int cap, CancellationToken ct)
    {
        try
        {
            return await TryAdvanceAsync(runId, engine, cap, ct);
        }
        catch (CommitUnknownException)
        {
            var again = await TryAdvanceAsync(runId, engine, cap, ct);
            var ended = again.EndState ?? await database.ReadFirstAsync<string>("SELECT state FROM {workflows.runs} WHERE run_id = @RunId AND state IN ('succeeded', 'failed')", new { RunId = runId }, ct);
            // What was dispatched has no job yet; if somebody is just making one, the second of them finds nothing to claim.
            var dispatched = await database.ReadAsync<StageRunRow>($$"""
                SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs}
                WHERE run_id = @RunId AND state = 'pending' AND dispatched_at IS NOT NULL AND job_id IS NULL AND engine = @Engine ORDER BY ordinal, step, partition
                """, new { RunId = runId, Engine = engine }, ct);
            return new(ended, [.. dispatched.Select(r => new DispatchedStep(r.StageRunId, r.DispatchNo, r.Queue, r.Step, r.Partition, r.Partitions))]);
        }
    }

    private Task<AdvanceResult> TryAdvanceAsync(long runId, string engine, int cap, CancellationToken ct)
    {
        var run = new { RunId = runId };
        return database.WriteAsync(async tx =>
        {
            if (await tx.ExecuteAsync("UPDATE {workflows.runs} SET touch = touch + 1 WHERE run_id = @RunId AND state = 'running'", run) == 0)
            {
                tx.RollBack();
                return new AdvanceResult(null, []);
            }
            var changed = false;
            while (await tx.ExecuteAsync($$"""
                UPDATE {workflows.stage_runs} SET state = 'cancelled', reason = 'upstream', finished_at = {now}
                WHERE run_id = @RunId AND state = 'pending' AND {{HasBroken}} AND step IN (SELECT e.step FROM {workflows.run_edges} e WHERE {{BrokenEdge}})
                """, run) > 0)
                changed = true;
            if (await FinishAsync(tx, runId) is { } ended)
                return new AdvanceResult(ended, []);
            var room = cap - await tx.ScalarAsync<long>($$"""SELECT {{Busy}}""", run);
            var dispatched = room > 0 ? await DispatchAsync(tx, runId, engine, room) : [];
            // Somebody else was quicker, or there was nothing to do: no more than the lock was taken.
            if (!changed && dispatched.Count == 0)
                tx.RollBack();
            return new AdvanceResult(null, dispatched);
        }, ct, durable: false);
    }

    public async Task SetJobsAsync(IReadOnlyList<(DispatchedStep Step, string JobId)> jobs, CancellationToken ct)
    {
        try
        {
            await TrySetJobsAsync(jobs, ct);
        }
        catch (CommitUnknownException)
        {
            await TrySetJobsAsync(jobs, ct);
        }
    }

    private Task<int> TrySetJobsAsync(IReadOnlyList<(DispatchedStep Step, string JobId)> jobs, CancellationToken ct) => database.WriteAsync(tx => tx.ExecuteAsync(
        "UPDATE {workflows.stage_runs} SET job_id = @JobId WHERE stage_run_id = @StageRunId AND dispatch_no = @DispatchNo",
        jobs.Select(j => new { j.Step.StageRunId, j.Step.DispatchNo, j.JobId }).ToArray()), ct, durable: false);

    public async Task<IReadOnlyList<StageRunRecord>> StaleDispatchesAsync(TimeSpan age, CancellationToken ct) =>
        [.. (await database.ReadAsync<StageRunRow>($$"""
            SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs}
            WHERE state = 'pending' AND dispatched_at <= {ago:@Age} AND run_id IN (SELECT run_id FROM {workflows.runs} WHERE state IN ('requested', 'running') AND state = 'running')
            ORDER BY stage_run_id
            """, new { Age = Timestamps.ToMicros(age) }, ct)).Select(r => r.ToRecord())];

    public async Task<IReadOnlyList<QueueState>> QueuesAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<QueueRow>("""
            SELECT queue, COUNT(*) AS waiting, MIN(CASE WHEN not_before > dispatched_at THEN not_before ELSE dispatched_at END) AS oldest, {now} AS read_at
            FROM {workflows.stage_runs}
            WHERE state = 'pending' AND dispatched_at IS NOT NULL AND not_before <= {now} AND run_id IN (SELECT run_id FROM {workflows.runs} WHERE state IN ('requested', 'running') AND state = 'running')
            GROUP BY queue ORDER BY queue
            """, null, ct)).Select(q => new QueueState(q.Queue, q.Waiting, q.ReadAt.Value - q.Oldest.Value))];

    public Task<bool> FailUnknownAsync(long stageRunId, string error, CancellationToken ct) => database.WriteAsync(async tx => await tx.ExecuteAsync(
        "UPDATE {workflows.stage_runs} SET state = 'failed', error = @Error, finished_at = {now} WHERE stage_run_id = @StageRunId AND state = 'pending'",
        new { StageRunId = stageRunId, Error = error }) == 1, ct);

    public Task UndispatchAsync(long stageRunId, int dispatchNo, CancellationToken ct) => database.WriteAsync(tx => tx.ExecuteAsync(
        "UPDATE {workflows.stage_runs} SET dispatched_at = NULL, job_id = NULL WHERE stage_run_id = @StageRunId AND dispatch_no = @DispatchNo AND state = 'pending'",
        new { StageRunId = stageRunId, DispatchNo = dispatchNo }), ct, durable: false);

    /// <summary>Ends the run where no step is pending or running; returns the state it has ended in, or null.</summary>
    private static async Task<string?> FinishAsync(WriteTransaction tx, long runId)
    {
        var run = new { RunId = runId };
        if (await tx.ScalarAsync<long>("SELECT CASE WHEN EXISTS (SELECT 1 FROM {workflows.stage_runs} WHERE run_id = @RunId AND state IN ('pending', 'running')) THEN 1 ELSE 0 END", run) > 0)
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
        var dispatched = new List<DispatchedStep>();
        foreach (var step in await tx.ReadAsync<string>($$"""SELECT step FROM {workflows.stage_runs} WHERE {{HasReadyWaiting}} ORDER BY ordinal, step""", new { RunId = runId }))
        {
            var ready = await tx.ReadAsync<StageRunRow>($$"""
                SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs}
                WHERE run_id = @RunId AND step = @Step AND state = 'pending' AND dispatched_at IS NULL AND not_before <= {now}
                ORDER BY partition {limit:@Room}
                """, new { RunId = runId, Step = step, Room = room - dispatched.Count });
            await tx.ExecuteAsync("""
                UPDATE {workflows.stage_runs} SET dispatch_no = dispatch_no + 1, dispatched_at = {now}, engine = @Engine, job_id = NULL WHERE stage_run_id IN @Ids
                """, new { Ids = ready.Select(r => r.StageRunId).ToArray(), Engine = engine });
            // All partitions and attempts of a step read as of one sequence, fixed when the first of them becomes ready.
            if (ready.Any(r => r.AsOfSeq is null))
                await tx.ExecuteAsync("""
                    UPDATE {workflows.stage_runs} SET as_of_seq = (SELECT seq FROM {feature_store.publication_clock}) WHERE run_id = @RunId AND step = @Step AND as_of_seq IS NULL
                    """, new { RunId = runId, Step = step });
            dispatched.AddRange(ready.Select(r => new DispatchedStep(r.StageRunId, r.DispatchNo + 1, r.Queue, r.Step, r.Partition, r.Partitions)));
            if (dispatched.Count == room)
                break;
        }
        return dispatched;
    }

    private sealed class QueueRow
    {
        public string Queue { get; set; } = "";

        public long Waiting { get; set; }

        public Utc Oldest { get; set; }

        public Utc ReadAt { get; set; }
    }

    private sealed class FailedStep
    {
        public string Step { get; set; } = "";

        public string? Error { get; set; }
    }
}
