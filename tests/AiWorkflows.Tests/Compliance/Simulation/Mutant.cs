using AiWorkflows.Storage.Sqlite;

namespace AiWorkflows.Tests.Compliance.Simulation;

/// <summary>One guard of the ledger, weakened in the text of its statement.</summary>
/// <param name="Statement">Part of the statements that it is planted in.</param>
/// <param name="Guard">What is taken out of them.</param>
/// <param name="Instead">What stands there instead.</param>
/// <param name="Redundant">Why nothing happens without the guard; null where the simulation has to notice.</param>
internal sealed record Mutant(string Name, string Statement, string Guard, string Instead, string? Redundant = null)
{
    private const string Claim = "SET state = 'running', attempt = attempt + 1";
    private const string Win = "SET state = CASE WHEN @SkipReason IS NULL THEN 'succeeded'";
    private const string Fail = "SET failures = failures + 1";
    private const string Expire = "SET lost = lost + 1";
    private const string Release = "SET state = 'pending', not_before = {now}, dispatched_at = {now}";
    private const string Admit = "SET state = 'running', started_at = COALESCE";
    private const string Reset = "SET state = 'pending', failures = 0, lost = 0";
    private const string Dispatch = "SELECT step FROM {workflows.stage_runs} WHERE run_id = @RunId AND partition = 0";
    private const string Undispatch = "SET dispatched_at = NULL, job_id = NULL WHERE";
    private const string Chunk = "FROM {feature_store.commits} c {held}";
    private const string Ready = "p.state IN ('pending', 'running', 'failed', 'cancelled')";

    public static IReadOnlyList<Mutant> All { get; } =
    [
        new("a claim takes a row in any state", Claim, "state = 'pending' AND dispatched_at", "dispatched_at"),
        new("a claim takes a row that was not dispatched", Claim, "dispatched_at IS NOT NULL AND ", ""),
        new("a claim does not ask for its predecessors", Claim, Ready, "1 = 0", "only rows that are ready are dispatched, and what is done stays done"),
        new("an attempt number is used again", Claim, "attempt = attempt + 1", "attempt = 1"),
        new("a resumption starts attempts anew", Reset, "failures = 0", "attempt = 0, failures = 0"),
        new("a resumption keeps what was read before", Reset, "CASE WHEN EXISTS (SELECT 1 FROM {workflows.stage_runs} o", "CASE WHEN 1 = 1 OR EXISTS (SELECT 1 FROM {workflows.stage_runs} o", "the steps read as of an older sequence, which is none of the ledger's affair"),
        new("a win does not ask for its attempt", Win, "attempt = @Attempt AND ", ""),
        new("a win takes a row in any state", Win, " AND state = 'running'", ""),
        new("a win publishes whatever state its commit has", "SET state = 'published', published_seq = @Seq", " AND state = 'writing'", ""),
        new("a win does not look for other commits", "w.published_seq > c.base_seq", "w.published_seq > c.base_seq", "1 = 0"),
        new("a failure does not ask for its attempt", Fail, "attempt = @Attempt AND ", ""),
        new("a failure takes a row in any state", Fail, " AND state = 'running'", ""),
        new("failures are not counted", Fail, "failures = failures + 1", "failures = failures"),
        new("a release does not ask for its attempt", Release, "attempt = @Attempt AND ", ""),
        new("a beat does not ask for its attempt", "SET lease_until = {in:@Ttl}, progress_done", "attempt = @Attempt AND ", "", "a zombie keeps alive what its successor keeps alive itself"),
        new("lost leases have no limit", Expire, "CASE WHEN lost + 1 >= @MaxLost THEN 'failed' ELSE 'pending' END", "'pending'"),
        new("an expiry leaves the job to be redelivered", Expire, "dispatched_at = NULL", "dispatched_at = dispatched_at", "the job of the lost attempt is dead, and a dispatch without a living job is undone"),
        new("a lease is never expired", "lease_until < {now}", "lease_until < {now}", "1 = 0"),
        new("a running lease is expired", "lease_until < {now}", "lease_until < {now}", "1 = 1", "safety uses no clock: it only costs attempts"),
        new("a chunk is written by whoever comes", Chunk, "AND c.state = 'writing' AND s.state = 'running'", ""),
        new("a commit is opened by whoever comes", "INSERT INTO {feature_store.commits}", "s.state = 'running'", "1 = 1", "nobody publishes it, and it is collected"),
        new("admission has no limit", Admit, "END > 0", "END > -1000"),
        new("admission takes a run that was cancelled", Admit, "AND state = 'requested' AND CASE", "AND state IN ('requested', 'cancelled') AND CASE"),
        new("admission plans a run that is running", Admit, "AND state = 'requested' AND CASE", "AND state IN ('requested', 'running') AND CASE"),
        new("dispatch does not ask for predecessors", Dispatch, Ready, "1 = 0"),
        new("dispatch takes what is dispatched already", "ORDER BY partition {limit:@Room}", "dispatched_at IS NULL AND ", "", "the second job finds nothing to claim"),
        new("a dispatch is never undone", Undispatch, "WHERE stage_run_id", "WHERE 1 = 0 AND stage_run_id"),
        new("a dispatch is undone whatever its number", Undispatch, " AND dispatch_no = @DispatchNo", "", "the row is dispatched again, and the second job finds nothing to claim"),
        new("a job is noted whatever the number of its dispatch", "SET job_id = @JobId WHERE", " AND dispatch_no = @DispatchNo", "", "a row with the wrong job is dispatched again once it is old"),
        new("a run ends with steps at work", "SELECT CASE WHEN EXISTS (SELECT 1 FROM {workflows.stage_runs} WHERE run_id = @RunId AND state IN", "state IN ('pending', 'running')", "state = 'pending'"),
        new("dependants of a failure are not cancelled", "reason = 'upstream'", "p.state IN ('failed', 'cancelled')", "p.state = 'nothing'"),
        new("a cancellation leaves steps at work", "state = 'cancelled', reason = @Reason, finished_at = {now}, lease_owner", "state IN ('pending', 'running')", "state = 'pending'"),
        new("a resumption takes a run in any state", "SET state = 'requested', finished_at = NULL", "AND state IN ('failed', 'cancelled')", ""),
        new("a run is requested twice under one key", "INSERT INTO {workflows.runs}", "WHERE NOT EXISTS (SELECT 1 FROM {workflows.runs} WHERE workflow = @Workflow AND dedup_key = @DedupKey)", ""),
        new("the collector takes the commit of a running attempt", "s.stage_run_id = {feature_store.commits}.stage_run_id AND s.state = 'running'", "s.state = 'running'", "1 = 0"),
        new("the collector does not ask for the attempt", "AND s.attempt = {feature_store.commits}.attempt", " AND s.attempt = {feature_store.commits}.attempt", "", "the commit of an old attempt waits until the row is at rest"),
        new("the watermark is the highest end", "FROM {workflows.coverage} w WHERE w.pipeline = @Pipeline", "MIN(CASE WHEN x.next_from IS NULL OR x.next_from > x.reached THEN x.reached END)", "MAX(x.reached)"),
        new("slices of an attempt that has lost are published", "s.step = @Stage AND s.state = 'succeeded'", "AND s.attempt = c.attempt AND", "AND", "only the attempt that wins seals its slice"),
        new("two publications share a sequence", "SET seq = seq + 1", "seq = seq + 1", "seq = seq"),
    ];

    public override string ToString() => Name;
}

/// <summary>The embedded engine with a mutant planted.</summary>
internal sealed class MutatedDatabase(string path, Mutant mutant) : SqliteDatabase(path)
{
    private int _planted;

    /// <summary>Whether a statement held the guard.</summary>
    public bool Planted => _planted > 0;

    public override string Sql(string template)
    {
        // What looks for violations is no part of the ledger.
        if (template.Contains("AS violation", StringComparison.Ordinal) || !template.Contains(mutant.Statement, StringComparison.Ordinal) || !template.Contains(mutant.Guard, StringComparison.Ordinal))
            return base.Sql(template);
        _planted = 1;
        return base.Sql(template.Replace(mutant.Guard, mutant.Instead, StringComparison.Ordinal));
    }
}
