using AiWorkflows.Workflows;

namespace AiWorkflows.Storage.Retention;

/// <summary>
/// Ended runs, with their steps, attempts, edges, pins and log lines. Kept are the newest of each workflow, those of a backfill that is not over, and those that a
/// model or a batch of predictions leads back to.
/// </summary>
internal sealed class ExpiredRuns(StoreDatabase database, RetentionLimits limits)
{
    private const int StepsAtOnce = 300;

    private const string Old = """
        r.state IN ('succeeded', 'failed', 'cancelled') AND r.finished_at < @Before
        AND r.run_id < (SELECT MAX(n.run_id) FROM {workflows.runs} n WHERE n.workflow = r.workflow)
        AND (r.backfill_id IS NULL OR NOT EXISTS (SELECT 1 FROM {workflows.runs} b WHERE b.backfill_id = r.backfill_id AND (b.state IN ('requested', 'running') OR b.finished_at >= @Before)))
        """;

    private const string Candidates = $$"""
        SELECT r.run_id FROM {workflows.runs} r WHERE ({{Old}}) OR r.state = 'expired' ORDER BY r.run_id
        """;

    /// <summary>From what is kept one can walk back to the run that made it, and to those that made what it had read.</summary>
    private const string Needed = """
        SELECT run_id FROM {model_registry.versions} WHERE run_id IS NOT NULL
        UNION SELECT run_id FROM {feature_store.training_datasets} WHERE run_id IS NOT NULL
        UNION SELECT c.run_id FROM {feature_store.dataset_commits} x JOIN {feature_store.commits} c ON c.commit_id = x.commit_id WHERE c.run_id IS NOT NULL
        UNION SELECT b.run_id FROM {prediction_log.batches} b WHERE b.state = 'published' AND b.published_at >= @Kept AND b.run_id IS NOT NULL
        UNION SELECT c.run_id FROM {prediction_log.batches} b JOIN {prediction_log.batch_commits} x ON x.batch_id = b.batch_id JOIN {feature_store.commits} c ON c.commit_id = x.commit_id
            WHERE b.state = 'published' AND b.published_at >= @Kept AND c.run_id IS NOT NULL
        """;

    /// <summary>Older log lines have gone before, or will have.</summary>
    private const string Measure = """
        SELECT 1 + (SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId)
            + (SELECT COUNT(*) FROM {workflows.attempts} a JOIN {workflows.stage_runs} s ON s.stage_run_id = a.stage_run_id WHERE s.run_id = @RunId)
            + (SELECT COUNT(*) FROM {workflows.run_edges} WHERE run_id = @RunId) + (SELECT COUNT(*) FROM {workflows.run_pins} WHERE run_id = @RunId)
            + (SELECT COUNT(*) FROM {workflows.stage_logs} WHERE run_id = @RunId AND logged_at >= @Logs) AS rows,
            150 + COALESCE((SELECT SUM({bytes:step} + {bytes:error} + {bytes:reason} + {bytes:progress_text} + 250) FROM {workflows.stage_runs} WHERE run_id = @RunId), 0)
            + COALESCE((SELECT SUM({bytes:a.error} + {bytes:a.host} + 120) FROM {workflows.attempts} a JOIN {workflows.stage_runs} s ON s.stage_run_id = a.stage_run_id WHERE s.run_id = @RunId), 0)
            + COALESCE((SELECT SUM({bytes:step} + {bytes:after_step} + 8) FROM {workflows.run_edges} WHERE run_id = @RunId), 0)
            + COALESCE((SELECT SUM({bytes:model} + 16) FROM {workflows.run_pins} WHERE run_id = @RunId), 0)
            + COALESCE((SELECT SUM({bytes:message} + {bytes:level} + 40) FROM {workflows.stage_logs} WHERE run_id = @RunId AND logged_at >= @Logs), 0) AS bytes
        """;

    private const string Request = "request_id > @After AND handled_at < @Before";

    private const string LastRequest = $$"""
        SELECT MAX(x.request_id) FROM (SELECT request_id FROM {workflows.run_requests} WHERE {{Request}} ORDER BY request_id {limit:@Count}) x
        """;

    private const string MeasureRequests = $$"""
        SELECT COUNT(*) AS rows, SUM({bytes:workflow} + {bytes:requested_by} + {bytes:message} + 80) AS bytes FROM {workflows.run_requests} WHERE request_id <= @Last AND {{Request}}
        """;

    private const string DeleteRequests = $$"""DELETE FROM {workflows.run_requests} WHERE request_id <= @Last AND {{Request}}""";

    public async Task<Removed> RunAsync(bool apply, CancellationToken ct)
    {
        var (before, total) = (limits[RetentionClass.Runs], default(Removed));
        var needed = (await database.ReadAsync<long>(Needed, new { Kept = limits[RetentionClass.Predictions] }, ct)).ToHashSet();
        foreach (var runId in await database.ReadAsync<long>(Candidates, new { Before = before }, ct))
        {
            ct.ThrowIfCancellationRequested();
            if (needed.Contains(runId))
            {
                total += new Removed(0, 0, 1);
                continue;
            }
            var measured = (await database.ReadFirstAsync<RemovedRow>(Measure, new { RunId = runId, Logs = limits[RetentionClass.StageLogs] }, ct))!.ToRemoved();
            if (!apply || await DeleteAsync(runId, before, ct))
                total += measured;
        }
        return total + (apply
            ? await KeyWalk.DeleteAsync(database, before, LastRequest, MeasureRequests, [DeleteRequests], ct)
            : await KeyWalk.MeasureAsync(database, before, MeasureRequests, ct));
    }

    /// <summary>False where somebody has resumed the run in this moment. Expired it can be neither resumed nor read as if it were whole.</summary>
    private async Task<bool> DeleteAsync(long runId, Utc before, CancellationToken ct)
    {
        for (var (isFirst, isDone) = (true, false); !isDone; isFirst = false)
        {
            bool? step = await database.WriteAsync<bool?>(async tx =>
            {
                if (isFirst && await tx.ExecuteAsync("""
                    UPDATE {workflows.runs} SET state = 'expired' WHERE run_id = @RunId AND (state = 'expired' OR (state IN ('succeeded', 'failed', 'cancelled') AND finished_at < @Before))
                    """, new { RunId = runId, Before = before }) == 0)
                    return null;
                return await DeletePartAsync(tx, runId);
            }, ct, durable: false);
            if (step is null)
                return false;
            isDone = step.Value;
        }
        return true;
    }

    /// <summary>True when nothing is left. A run of thousands of partitions takes several transactions.</summary>
    private static async Task<bool> DeletePartAsync(WriteTransaction tx, long runId)
    {
        var run = new { RunId = runId, Count = StepsAtOnce, Lines = KeyWalk.RowsAtOnce };
        await tx.ExecuteAsync("""
            DELETE FROM {workflows.attempts} WHERE stage_run_id IN (SELECT s.stage_run_id FROM {workflows.stage_runs} s WHERE s.run_id = @RunId AND s.stage_run_id <=
                (SELECT MAX(x.stage_run_id) FROM (SELECT stage_run_id FROM {workflows.stage_runs} WHERE run_id = @RunId ORDER BY stage_run_id {limit:@Count}) x))
            """, run);
        await tx.ExecuteAsync("""
            DELETE FROM {workflows.stage_runs} WHERE run_id = @RunId AND stage_run_id <=
                (SELECT MAX(x.stage_run_id) FROM (SELECT stage_run_id FROM {workflows.stage_runs} WHERE run_id = @RunId ORDER BY stage_run_id {limit:@Count}) x)
            """, run);
        await tx.ExecuteAsync("""
            DELETE FROM {workflows.stage_logs} WHERE run_id = @RunId AND log_id <=
                (SELECT MAX(x.log_id) FROM (SELECT log_id FROM {workflows.stage_logs} WHERE run_id = @RunId ORDER BY log_id {limit:@Lines}) x)
            """, run);
        if (await tx.ScalarAsync<long>("SELECT (SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId) + (SELECT COUNT(*) FROM {workflows.stage_logs} WHERE run_id = @RunId)", run) > 0)
            return false;
        await tx.ExecuteAsync("DELETE FROM {workflows.run_edges} WHERE run_id = @RunId", run);
        await tx.ExecuteAsync("DELETE FROM {workflows.run_pins} WHERE run_id = @RunId", run);
        await tx.ExecuteAsync("DELETE FROM {workflows.runs} WHERE run_id = @RunId", run);
        return true;
    }
}
