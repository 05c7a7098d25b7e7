using System.Diagnostics;
using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

internal sealed partial class Ledger
{
    /// <summary>How soon a step that has taken a host down before asks again while its host runs another such.</summary>
    private static readonly TimeSpan QuarantinedRetry = TimeSpan.FromSeconds(5);

    /// <summary>The step became due between the claim and the look at the clock: without another try its job would end with nothing done.</summary>
    private static readonly TimeSpan JustTooEarly = TimeSpan.FromMilliseconds(10);

    /// <summary>Who has waited longer for the right to write knows that others may have too, and could not prolong their leases.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private const int DefaultMaxLost = 10;

    public async Task<ClaimResult> ClaimAsync(long stageRunId, ClaimRequest request, CancellationToken ct)
    {
        try
        {
            return await TryClaimAsync(stageRunId, request, ct);
        }
        catch (CommitUnknownException)
        {
            // The claim's own name tells whether it was committed.
            return await database.ReadFirstAsync<StageRunRow>($$"""
                SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs} WHERE stage_run_id = @StageRunId AND state = 'running' AND lease_owner = @Claim
                """, new { StageRunId = stageRunId, Claim = request.Claim.ToString("N") }, ct) is { } mine
                ? new ClaimResult(mine.RunId, mine.ToRecord(), null)
                : await TryClaimAsync(stageRunId, request, ct);
        }
    }

    private Task<ClaimResult> TryClaimAsync(long stageRunId, ClaimRequest request, CancellationToken ct)
    {
        var asked = Stopwatch.GetTimestamp();
        return database.WriteAsync(tx => ClaimAsync(tx, stageRunId, request, mayExpire: request.MayExpire && Stopwatch.GetElapsedTime(asked) < LongestWait), ct, durable: false);
    }

    private static async Task<ClaimResult> ClaimAsync(WriteTransaction tx, long stageRunId, ClaimRequest request, bool mayExpire)
    {
        var claim = new
        {
            StageRunId = stageRunId,
            Claim = request.Claim.ToString("N"),
            request.Host,
            request.JobId,
            request.CodeVersion,
            Ttl = Timestamps.ToMicros(request.Ttl),
            MaxLost = DefaultMaxLost,
        };
        if (mayExpire)
            await ExpireAsync(tx, "stage_run_id = @StageRunId AND lease_until < {now}", claim);
        var claimed = await tx.ExecuteAsync($$"""
            UPDATE {workflows.stage_runs} SET state = 'running', attempt = attempt + 1, lease_owner = @Claim, lease_until = {in:@Ttl},
                deadline_at = CASE WHEN time_limit IS NULL THEN NULL ELSE {in:time_limit} END, host = @Host, job_id = COALESCE(@JobId, job_id),
                started_at = {now}, finished_at = NULL, error = NULL, reason = NULL, progress_done = 0, progress_total = NULL, progress_text = NULL, rows_read = 0, rows_written = 0
            WHERE stage_run_id = @StageRunId AND state = 'pending' AND dispatched_at IS NOT NULL AND not_before <= {now} AND {{Ready}}
              AND (lost = 0 OR NOT EXISTS (SELECT 1 FROM {workflows.stage_runs} o WHERE o.state = 'running' AND o.lost > 0 AND o.host = @Host))
            """, claim);
        var row = await SelectAsync(tx, stageRunId);
        if (row is null)
            return new ClaimResult(0, null, null);
        if (claimed == 1)
        {
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.attempts} (stage_run_id, attempt, claim, host, job_id, code_version, started_at)
                VALUES (@StageRunId, @Attempt, @Claim, @Host, @JobId, @CodeVersion, {now})
                """, new { claim.StageRunId, row.Attempt, claim.Claim, claim.Host, claim.JobId, claim.CodeVersion });
            var opened = request.Opens is { } shape
                ? await CommitOpening.InsertAsync(tx, shape, new(row.RunId, row.StageRunId, row.Attempt, row.Stage), request.CodeVersion) : null;
            return new ClaimResult(row.RunId, row.ToRecord(), null, opened);
        }
        // An earlier window of its backfill was taken up again after this step was dispatched: whoever advances that window dispatches it anew.
        if (await tx.ExecuteAsync($$"""
            UPDATE {workflows.stage_runs} SET dispatched_at = NULL, job_id = NULL WHERE stage_run_id = @StageRunId AND state = 'pending' AND dispatched_at IS NOT NULL AND NOT ({{Ready}})
            """, claim) == 1)
            return new ClaimResult(row.RunId, null, null);
        DateTime now = await tx.ScalarAsync<Utc>("SELECT {now}");
        var later = row.State != States.Pending || row.DispatchedAt is null ? (TimeSpan?)null
            : row.NotBefore.Value > now ? row.NotBefore.Value - now
            : row.Lost > 0 ? QuarantinedRetry : JustTooEarly;
        return new ClaimResult(row.RunId, null, later);
    }

    public Task<bool> BeatAsync(AttemptRef attempt, TimeSpan ttl, StageProgress progress, CancellationToken ct) => SameTwiceAsync(() => database.WriteAsync(async tx => await tx.ExecuteAsync($$"""
        UPDATE {workflows.stage_runs} SET lease_until = {in:@Ttl}, progress_done = @Done, progress_total = @Total, progress_text = @Text, rows_read = @RowsRead, rows_written = @RowsWritten
        WHERE {{StillMine}} AND (deadline_at IS NULL OR deadline_at > {now})
        """, new
    {
        attempt.StageRunId,
        attempt.Attempt,
        Ttl = Timestamps.ToMicros(ttl),
        progress.Done,
        Total = progress.Total == 0 ? (long?)null : progress.Total,
        Text = progress.Text.Length == 0 ? null : progress.Text,
        progress.RowsRead,
        progress.RowsWritten,
    }) == 1, ct, durable: false));

    /// <summary>Repeats what says the same when it is done twice, where the answer to its commit was lost.</summary>
    private static async Task<T> SameTwiceAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (CommitUnknownException)
        {
            return await work();
        }
    }

    public async Task<StageRunRecord?> FailAsync(AttemptRef attempt, string error, TimeSpan backoff, bool final, CancellationToken ct)
    {
        try
        {
            return await TryFailAsync(attempt, error, backoff, final, ct);
        }
        catch (CommitUnknownException)
        {
            // A failure is counted once: the attempt's own row tells whether it was.
            return await database.ReadFirstAsync<StageRunRow>($$"""
                SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs}
                WHERE stage_run_id = @StageRunId AND EXISTS (SELECT 1 FROM {workflows.attempts} a WHERE a.stage_run_id = @StageRunId AND a.attempt = @Attempt AND a.outcome = 'failed')
                """, new { attempt.StageRunId, attempt.Attempt }, ct) is { } counted
                ? counted.ToRecord()
                : await TryFailAsync(attempt, error, backoff, final, ct);
        }
    }

    private Task<StageRunRecord?> TryFailAsync(AttemptRef attempt, string error, TimeSpan backoff, bool final, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var failure = new { attempt.StageRunId, attempt.Attempt, Error = error, Backoff = Timestamps.ToMicros(backoff), Final = final ? 1 : 0 };
        if (await tx.ExecuteAsync($$"""
            UPDATE {workflows.stage_runs} SET failures = failures + 1, error = @Error, not_before = {in:@Backoff}, dispatched_at = {now}, lease_owner = NULL, lease_until = NULL,
                state = CASE WHEN @Final = 1 OR failures + 1 >= max_failures THEN 'failed' ELSE 'pending' END,
                finished_at = CASE WHEN @Final = 1 OR failures + 1 >= max_failures THEN {now} ELSE NULL END
            WHERE {{StillMine}}
            """, failure) == 0)
        {
            tx.RollBack();
            return null;
        }
        await EndAttemptAsync(tx, attempt, "failed", error);
        return (await SelectAsync(tx, attempt.StageRunId))!.ToRecord();
    }, ct);

    public Task ReleaseAsync(AttemptRef attempt, string outcome, CancellationToken ct) => SameTwiceAsync(() => database.WriteAsync(async tx =>
    {
        if (await tx.ExecuteAsync($$"""
            UPDATE {workflows.stage_runs} SET state = 'pending', not_before = {now}, dispatched_at = {now}, lease_owner = NULL, lease_until = NULL WHERE {{StillMine}}
            """, new { attempt.StageRunId, attempt.Attempt }) == 0)
            tx.RollBack();
        else
            await EndAttemptAsync(tx, attempt, outcome, null);
        return true;
    }, ct, durable: false));

    public Task<int> ExpireAsync(bool everything, int maxLost, CancellationToken ct)
    {
        var asked = Stopwatch.GetTimestamp();
        return database.WriteAsync(tx => everything || Stopwatch.GetElapsedTime(asked) < LongestWait
            ? ExpireAsync(tx, everything, maxLost)
            : throw new AiWorkflowsException("The store was away for a while; leases that have run out meanwhile are left alone for now.") { StoreIsAway = true }, ct, durable: false);
    }

    private static async Task<int> ExpireAsync(WriteTransaction tx, bool everything, int maxLost)
    {
        var expired = await ExpireAsync(tx, everything ? "1 = 1" : "lease_until < {now}", new { MaxLost = maxLost });
        if (expired == 0)
            tx.RollBack();
        return expired;
    }

    private static async Task<int> ExpireAsync(WriteTransaction tx, string which, object parameters)
    {
        var expired = await tx.ExecuteAsync($$"""
            UPDATE {workflows.stage_runs} SET lost = lost + 1, not_before = {now}, dispatched_at = NULL, job_id = NULL, lease_owner = NULL, lease_until = NULL,
                state = CASE WHEN lost + 1 >= @MaxLost THEN 'failed' ELSE 'pending' END,
                finished_at = CASE WHEN lost + 1 >= @MaxLost THEN {now} ELSE NULL END,
                error = CASE WHEN lost + 1 >= @MaxLost THEN 'lost its host too often: it may be what takes the process down (memory, a crash in native code)' ELSE NULL END
            WHERE state = 'running' AND {{which}}
            """, parameters);
        if (expired > 0)
            await tx.ExecuteAsync("""
                UPDATE {workflows.attempts} SET outcome = 'lost', ended_at = {now}
                WHERE outcome IS NULL AND EXISTS (SELECT 1 FROM {workflows.stage_runs} s WHERE s.stage_run_id = {workflows.attempts}.stage_run_id AND s.state <> 'running')
                """);
        return expired;
    }

    private const string EndAttempt = "UPDATE {workflows.attempts} SET outcome = @Outcome, ended_at = {now}, error = @Error WHERE stage_run_id = @StageRunId AND attempt = @Attempt";

    private static object Ending(AttemptRef attempt, string outcome, string? error) => new { attempt.StageRunId, attempt.Attempt, Outcome = outcome, Error = error };

    private static Task<int> EndAttemptAsync(WriteTransaction tx, AttemptRef attempt, string outcome, string? error) => tx.ExecuteAsync(EndAttempt, Ending(attempt, outcome, error));

    private static Task<StageRunRow?> SelectAsync(WriteTransaction tx, long stageRunId) => tx.FirstAsync<StageRunRow>(
        $$"""SELECT {{StageRunRow.Columns}} FROM {workflows.stage_runs} WHERE stage_run_id = @StageRunId""", new { StageRunId = stageRunId });
}
