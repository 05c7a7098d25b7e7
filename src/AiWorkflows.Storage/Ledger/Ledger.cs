using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

/// <summary>The run ledger over a store database: EXECUTION's transitions, each one transaction, time always the database's.</summary>
/// <remarks>
/// A decision over several rows first locks its run or workflow in a statement of its own, because under READ COMMITTED SNAPSHOT a decision in the same statement
/// sees the state before the lock. Locks are taken in the order workflows, runs, stage runs, publication clock, commits, watermarks.
/// Durable is what was promised to somebody: a request, a cancellation, a publication. The rest may be lost in a power cut, as the log loses only its end.
/// </remarks>
internal sealed partial class Ledger(StoreDatabase database, IRowCollector collector) : ILedger
{
    /// <summary>
    /// True where every predecessor of the stage run of the surrounding statement is done, which is looked up by the states in which it is not: of many partitions that are done none is read; in a backfill also all steps of those stages in the earlier windows, so that the control
    /// steps of a stage go one window after another. Windows are admitted oldest first: one that is not running has ended, or had ended and waits to be taken up again, which blocks nothing.
    /// </summary>
    private const string Ready = """
        NOT EXISTS (SELECT 1 FROM {workflows.run_edges} e WHERE e.run_id = {workflows.stage_runs}.run_id AND e.step = {workflows.stage_runs}.step
            AND EXISTS (SELECT 1 FROM {workflows.stage_runs} p WHERE p.run_id = e.run_id AND p.step = e.after_step AND p.state IN ('pending', 'running', 'failed', 'cancelled')))
        AND NOT EXISTS (SELECT 1 FROM {workflows.runs} r JOIN {workflows.runs} o ON o.backfill_id = r.backfill_id AND o.state = 'running' AND o.run_id < r.run_id
            JOIN {workflows.stage_runs} p ON p.run_id = o.run_id AND p.state IN ('pending', 'running')
            WHERE r.run_id = {workflows.stage_runs}.run_id
              AND p.stage IN (SELECT q.stage FROM {workflows.run_edges} e JOIN {workflows.stage_runs} q ON q.run_id = e.run_id AND q.step = e.after_step
                  WHERE e.run_id = {workflows.stage_runs}.run_id AND e.step = {workflows.stage_runs}.step))
        """;

    private const string StillMine = "stage_run_id = @StageRunId AND attempt = @Attempt AND state = 'running'";

    public Task<DateTime> NowAsync(CancellationToken ct) => database.NowAsync(ct);

    public Task<long> ChangeTokenAsync(CancellationToken ct) => database.ChangeTokenAsync(ct);
}

/// <summary>Deletes rows that nobody can see any more; how is the engine's affair.</summary>
internal interface IRowCollector
{
    /// <summary>Deletes the rows of a discarded commit in short transactions, and returns how many.</summary>
    Task<long> DeleteRowsAsync(string group, int version, string eventTimeColumn, long commitId, Window window, CancellationToken ct);
}
