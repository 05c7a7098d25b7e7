using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    public async Task<AdmitResult> AdmitAsync(long runId, RunPlan plan, string codeVersion, CancellationToken ct)
    {
        try
        {
            return await TryAdmitAsync(runId, plan, codeVersion, ct);
        }
        catch (CommitUnknownException)
        {
            // Of a run that was admitted it says so, and does not plan it again.
            return await TryAdmitAsync(runId, plan, codeVersion, ct);
        }
    }

    private Task<AdmitResult> TryAdmitAsync(long runId, RunPlan plan, string codeVersion, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var run = new { RunId = runId, CodeVersion = codeVersion };
        if (await tx.ExecuteAsync("UPDATE {workflows.workflows} SET touch = touch + 1 WHERE workflow = (SELECT workflow FROM {workflows.runs} WHERE run_id = @RunId)", run) == 0)
            // A request by hand for a workflow that no host has registered yet.
            await tx.ExecuteAsync("INSERT INTO {workflows.workflows} (workflow) SELECT workflow FROM {workflows.runs} WHERE run_id = @RunId", run);

        if (await tx.ExecuteAsync($$"""
            UPDATE {workflows.runs} SET state = 'cancelled', reason = 'overlap', finished_at = {now}
            WHERE run_id = @RunId AND state = 'requested' AND NOT ({{HasRoom}})
              AND backfill_id IS NULL AND EXISTS (SELECT 1 FROM {workflows.workflows} w WHERE w.workflow = {workflows.runs}.workflow AND w.overlap = 'skip')
            """, run) == 1)
            return AdmitResult.Ended;

        var admitted = await tx.ExecuteAsync($$"""
            UPDATE {workflows.runs} SET state = 'running', started_at = COALESCE(started_at, {now}), code_version = @CodeVersion
            WHERE run_id = @RunId AND state = 'requested' AND {{HasRoom}}
              AND NOT EXISTS (SELECT 1 FROM {workflows.runs} o WHERE o.workflow = {workflows.runs}.workflow AND o.state = 'requested' AND o.run_id < {workflows.runs}.run_id
                  AND (o.backfill_id = {workflows.runs}.backfill_id OR (o.backfill_id IS NULL AND {workflows.runs}.backfill_id IS NULL)))
            """, run);
        if (admitted == 0)
        {
            tx.RollBack();
            return await tx.ScalarAsync<string>("SELECT state FROM {workflows.runs} WHERE run_id = @RunId", run) switch
            {
                States.Requested => AdmitResult.NotNow,
                States.Running => AdmitResult.Planned,
                _ => AdmitResult.Ended,
            };
        }
        if (await tx.ScalarAsync<long>("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE run_id = @RunId", run) > 0)
            await ResetAsync(tx, runId);
        else
            await InsertAsync(tx, runId, plan);
        return AdmitResult.Planned;
    }, ct, durable: false);

    /// <summary>The windows of a backfill have room of their own, so that history holds up nothing that is due today.</summary>
    private const string HasRoom = """
        CASE WHEN {workflows.runs}.backfill_id IS NULL
            THEN (SELECT w.max_running FROM {workflows.workflows} w WHERE w.workflow = {workflows.runs}.workflow)
                - (SELECT COUNT(*) FROM {workflows.runs} x WHERE x.workflow = {workflows.runs}.workflow AND x.state IN ('requested', 'running') AND x.state = 'running' AND x.backfill_id IS NULL)
            ELSE (SELECT b.parallel FROM {workflows.backfills} b WHERE b.backfill_id = {workflows.runs}.backfill_id)
                - (SELECT COUNT(*) FROM {workflows.runs} x WHERE x.backfill_id = {workflows.runs}.backfill_id AND x.state = 'running') END > 0
        """;

    private static async Task InsertAsync(WriteTransaction tx, long runId, RunPlan plan)
    {
        foreach (var step in plan.Steps)
        {
            var partitions = step.Slices?.Count ?? 1;
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.stage_runs} (run_id, stage, step, kind, ordinal, partition, partitions, window_from, window_to, queue, state, max_failures, not_before, time_limit, reason, finished_at)
                SELECT @RunId, @Stage, @Step, @Kind, @Ordinal, @Partition, @Partitions, @From, @To, @Queue, CASE WHEN @SkipReason IS NULL THEN 'pending' ELSE 'skipped' END, @MaxFailures, {now}, @TimeLimit,
                    @SkipReason, CASE WHEN @SkipReason IS NULL THEN NULL ELSE {now} END
                """, Enumerable.Range(0, partitions).Select(p => new
            {
                RunId = runId,
                step.Stage,
                step.Step,
                step.Kind,
                step.Ordinal,
                Partition = p,
                Partitions = partitions,
                From = Utc.From(step.Slices?[p].From),
                To = Utc.From(step.Slices?[p].To),
                step.Queue,
                step.MaxFailures,
                TimeLimit = step.TimeLimit is { } limit ? Timestamps.ToMicros(limit) : (long?)null,
                step.SkipReason,
            }).ToArray());
        }
        foreach (var (step, after) in plan.Edges)
            await tx.ExecuteAsync("INSERT INTO {workflows.run_edges} (run_id, step, after_step) VALUES (@RunId, @Step, @After)", new { RunId = runId, Step = step, After = after });
    }

    /// <summary>What did not succeed starts anew; the attempt number goes on, so that no old attempt can be taken for a new one.</summary>
    private static async Task ResetAsync(WriteTransaction tx, long runId)
    {
        var run = new { RunId = runId };
        await tx.ExecuteAsync("""
            UPDATE {workflows.stage_runs} SET state = 'pending', failures = 0, lost = 0, not_before = {now}, deadline_at = NULL, dispatched_at = NULL, job_id = NULL, reason = NULL, error = NULL,
                started_at = NULL, finished_at = NULL, progress_done = 0, progress_total = NULL, progress_text = NULL, rows_read = 0, rows_written = 0,
                as_of_seq = CASE WHEN EXISTS (SELECT 1 FROM {workflows.stage_runs} o WHERE o.run_id = {workflows.stage_runs}.run_id AND o.step = {workflows.stage_runs}.step AND o.state = 'succeeded')
                    THEN as_of_seq END
            WHERE run_id = @RunId AND state NOT IN ('succeeded', 'skipped')
            """, run);
        // The model is chosen anew, unless something has been predicted with the old one already, or a backfill has fixed it.
        await tx.ExecuteAsync("""
            DELETE FROM {workflows.run_pins} WHERE run_id = @RunId
              AND NOT EXISTS (SELECT 1 FROM {workflows.stage_runs} s WHERE s.run_id = @RunId AND s.kind = 'inference' AND s.state = 'succeeded')
              AND NOT EXISTS (SELECT 1 FROM {workflows.runs} r WHERE r.run_id = @RunId AND r.backfill_id IS NOT NULL)
            """, run);
    }
}
