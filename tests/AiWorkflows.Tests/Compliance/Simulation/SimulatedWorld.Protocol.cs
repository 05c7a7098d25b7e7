using AiWorkflows.Features;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance.Simulation;

/// <summary>What a host does, transaction by transaction. A kill stops it between any two.</summary>
internal sealed partial class SimulatedWorld
{
    private const int Cap = 4;

    private async IAsyncEnumerable<int> WorkAsync(SimulatedHost host, string jobId)
    {
        if (!_jobs.TryGetValue(jobId, out var job))
            yield break;
        (job.State, job.Host) = ("Processing", host);
        yield return 0;
        var claim = await CheckedAsync(() => store.Ledger.ClaimAsync(job.StageRunId, new(Guid.NewGuid(), host.Name, jobId, "code", TimeSpan.FromMinutes(1)), default));
        // At once: whatever happens between a claim and its check would be taken for a fault of the claim.
        if (claim.Lease is { } claimed)
            await CheckClaimAsync(claimed);
        yield return 0;
        if (claim.Lease is not { } lease)
        {
            Count("nothing to claim");
            if (claim.NotBefore is not null)
            {
                job.State = "Scheduled";
                yield break;
            }
        }
        else
        {
            var attempt = new AttemptRef(lease.RunId, lease.StageRunId, lease.Attempt, lease.Stage);
            host.Running.Add(attempt);
            await foreach (var step in ExecuteAsync(host, attempt, job))
                yield return step;
            host.Running.Remove(attempt);
            if (job.State == "Scheduled")
                yield break;
        }
        await foreach (var step in AdvanceAsync(host, claim.RunId))
            yield return step;
        job.State = "Succeeded";
    }

    private async IAsyncEnumerable<int> ExecuteAsync(SimulatedHost host, AttemptRef attempt, SimulatedJob job)
    {
        if (_poisoned.Contains(attempt.Stage) && !host.Dead)
        {
            Kill(host);
            yield break;
        }
        var run = (await store.Ledger.FindRunAsync(attempt.RunId, default))!;
        // A step writes nothing sometimes, so that coverage without a commit is met as well.
        var outcome = "fenced";
        if (_chaos && _random.Next(6) == 0)
            outcome = "failed";
        else
        {
            ICommitWriter? writer = null;
            try
            {
                writer = await CheckedAsync(() => store.Features.OpenCommitAsync(Readings.Commit(attempt, run.Window), default));
            }
            catch (FencedException)
            {
                Count("fenced open");
            }
            if (writer is not null)
            {
                await using (writer)
                {
                    var chunks = _random.Next(4);
                    var written = 0;
                    for (; written < chunks; written++)
                    {
                        yield return 0;
                        if (!await TryWriteAsync(writer, attempt, run.Window, written))
                            break;
                    }
                    yield return 0;
                    if (written == chunks)
                        outcome = await WinAsync(writer, attempt, run.Window, chunks);
                }
                yield return 0;
            }
        }
        if (outcome == "published" && _chaos && _random.Next(20) == 0)
            outcome = "failed"; // The commit is done, the reply is lost, and the host believes that it has failed.
        Count(outcome);
        if (outcome == "failed" && await CheckedAsync(() => store.Ledger.FailAsync(attempt, "boom", TimeSpan.FromSeconds(20), false, default)) is { State: States.Pending })
        {
            job.State = "Scheduled";
            await JumpIfCalmAsync();
        }
        else if (outcome == "conflict")
        {
            await CheckedAsync(() => store.Ledger.ReleaseAsync(attempt, "conflict", default));
            job.State = "Scheduled";
        }
    }

    private async Task<bool> TryWriteAsync(ICommitWriter writer, AttemptRef attempt, Window window, int chunk)
    {
        try
        {
            await CheckedAsync(() => writer.WriteAsync(new Readings.Batch([new Reading($"{attempt.RunId}/{attempt.Stage}", chunk, window.From.AddHours(chunk), attempt.Attempt, null, null, null, null)], []), default));
            return true;
        }
        catch (FencedException)
        {
            Count("fenced chunk");
            return false;
        }
    }

    private async Task<string> WinAsync(ICommitWriter writer, AttemptRef attempt, Window window, int rows)
    {
        var result = await CheckedAsync(() => store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, window, rows), Coverage = (window, Readings.Start) }, default));
        if (result.Outcome == PublishOutcome.Published)
            _won.Add((attempt.StageRunId, attempt.Attempt));
        return result.Outcome switch { PublishOutcome.Published => "published", PublishOutcome.Conflict => "conflict", _ => "fenced win" };
    }

    private async IAsyncEnumerable<int> AdvanceAsync(SimulatedHost host, long run)
    {
        var advanced = await CheckedAsync(() => store.Ledger.AdvanceAsync(run, host.Name, Cap, default));
        yield return 0;
        foreach (var step in advanced.Dispatched)
        {
            var jobId = $"{++_jobCount}";
            _jobs[jobId] = new SimulatedJob { StageRunId = step.StageRunId, Engine = JobsDieWithHost ? host.Name : "sql" };
            yield return 0;
            await CheckedAsync(() => store.Ledger.SetJobsAsync([(step, jobId)], default));
            yield return 0;
        }
    }

    private async IAsyncEnumerable<int> SweepAsync(SimulatedHost host)
    {
        await JumpIfCalmAsync();
        await CheckedAsync(() => store.Ledger.ExpireAsync(false, 10, default));
        yield return 0;
        foreach (var stale in await store.Ledger.StaleDispatchesAsync(TimeSpan.FromMinutes(1), default))
        {
            var alive = stale.JobId is { } id && _jobs.TryGetValue(id, out var job) && (!JobsDieWithHost || stale.Engine == host.Name) && job.State is "Enqueued" or "Scheduled" or "Processing";
            if (!alive)
                await CheckedAsync(() => store.Ledger.UndispatchAsync(stale.StageRunId, stale.DispatchNo, default));
            yield return 0;
        }
        foreach (var run in await store.Ledger.OpenRunsAsync(default))
        {
            if (run.State == States.Requested)
                await CheckedAsync(() => store.Ledger.AdmitAsync(run.RunId, _plans[run.Workflow], "code", default));
            yield return 0;
            await foreach (var step in AdvanceAsync(host, run.RunId))
                yield return step;
        }
        await CheckedAsync(() => store.Ledger.CollectAsync(default));
        yield return 0;
    }

    /// <summary>Once the faults have stopped time goes on by itself, so that leases run out and backoffs end.</summary>
    private Task JumpIfCalmAsync() => _chaos ? Task.CompletedTask : JumpAsync(TimeSpan.FromSeconds(25));
}
