using AiWorkflows.Features;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    /// <summary>How long what is sealed is kept for a run to be resumed.</summary>
    private static readonly TimeSpan SealedKept = TimeSpan.FromDays(7);

    /// <summary>Slices whose window somebody has changed since they took their difference take it again; the publish step waits for them. False when that was no longer the attempt's to decide.</summary>
    private Task<bool> ReopenSlicesAsync(AttemptRef attempt, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var step = new { attempt.RunId, attempt.Stage, attempt.StageRunId, attempt.Attempt };
        if (await tx.ExecuteAsync("UPDATE {workflows.runs} SET touch = touch + 1 WHERE run_id = @RunId AND state = 'running'", step) == 0
            || await tx.ExecuteAsync($$"""
                UPDATE {workflows.stage_runs} SET state = 'pending', not_before = {now}, dispatched_at = NULL, job_id = NULL, lease_owner = NULL, lease_until = NULL WHERE {{StillMine}}
                """, step) == 0)
        {
            tx.RollBack();
            return false;
        }
        await EndAttemptAsync(tx, attempt, "conflict", null);
        var overtaken = await tx.ReadAsync<SealedSlice>($$"""
            SELECT c.commit_id, c.stage_run_id, c.attempt FROM {feature_store.commits} c WHERE {{SlicePublishing.ConflictingCommit}} ORDER BY c.stage_run_id
            """, step);
        await tx.ExecuteAsync("""
            UPDATE {workflows.stage_runs} SET state = 'pending', not_before = {now}, dispatched_at = NULL, job_id = NULL, finished_at = NULL
            WHERE stage_run_id = @StageRunId AND attempt = @Attempt AND state = 'succeeded'
            """, overtaken);
        await tx.ExecuteAsync("UPDATE {workflows.attempts} SET outcome = 'conflict' WHERE stage_run_id = @StageRunId AND attempt = @Attempt", overtaken);
        await tx.ExecuteAsync("UPDATE {feature_store.commits} SET state = 'discarded' WHERE commit_id = @CommitId AND state = 'sealed'", overtaken);
        return true;
    }, ct);

    /// <summary>What slices of a run have sealed that nobody has resumed for long is given up; should it be resumed after all, they are executed again.</summary>
    private async Task DiscardSealedAsync(CancellationToken ct)
    {
        var kept = Timestamps.ToMicros(SealedKept);
        foreach (var runId in await database.ReadAsync<long>("""
            SELECT r.run_id FROM {workflows.runs} r
            WHERE r.state IN ('failed', 'cancelled') AND r.finished_at <= {ago:@Kept}
              AND r.run_id IN (SELECT run_id FROM {feature_store.commits} WHERE state = 'sealed' UNION SELECT run_id FROM {prediction_log.batches} WHERE state = 'sealed')
            """, new { Kept = kept }, ct))
            await database.WriteAsync(async tx =>
            {
                var run = new { RunId = runId, Kept = kept };
                if (await tx.ExecuteAsync("""
                    UPDATE {workflows.runs} SET touch = touch + 1 WHERE run_id = @RunId AND state IN ('failed', 'cancelled') AND finished_at <= {ago:@Kept}
                    """, run) == 0)
                {
                    tx.RollBack();
                    return;
                }
                var slices = await tx.ReadAsync<SealedSlice>("""
                    SELECT commit_id, stage_run_id, attempt FROM {feature_store.commits} WHERE run_id = @RunId AND state = 'sealed'
                    UNION ALL SELECT 0, stage_run_id, attempt FROM {prediction_log.batches} WHERE run_id = @RunId AND state = 'sealed'
                    """, run);
                await tx.ExecuteAsync("""
                    UPDATE {workflows.stage_runs} SET state = 'cancelled', reason = 'not resumed in time' WHERE stage_run_id = @StageRunId AND attempt = @Attempt AND state = 'succeeded'
                    """, slices);
                await tx.ExecuteAsync("UPDATE {workflows.attempts} SET outcome = 'discarded' WHERE stage_run_id = @StageRunId AND attempt = @Attempt", slices);
                await tx.ExecuteAsync("UPDATE {feature_store.commits} SET state = 'discarded' WHERE run_id = @RunId AND state = 'sealed'", run);
                await tx.ExecuteAsync("UPDATE {prediction_log.batches} SET state = 'discarded' WHERE run_id = @RunId AND state = 'sealed'", run);
            }, ct, durable: false);
    }

    private sealed class SealedSlice
    {
        public long CommitId { get; set; }

        public long StageRunId { get; set; }

        public int Attempt { get; set; }
    }
}
