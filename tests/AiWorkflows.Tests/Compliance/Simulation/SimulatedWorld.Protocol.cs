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
        // Half of the commits are opened with the claim, the others by the code.
        var opens = _random.Next(2) == 0 && await store.Ledger.FindStageRunAsync(job.StageRunId, default) is { } step && step.Kind != StepKinds.Control
            ? new CommitShape(Readings.Group, CommitKind.Replace, step.Slice ?? (await store.Ledger.FindRunAsync(step.RunId, default))!.Window) : null;
        var claim = await CheckedAsync(() => store.Ledger.ClaimAsync(job.StageRunId, new(Guid.NewGuid(), host.Name, jobId, "code", TimeSpan.FromMinutes(1), Opens: opens), default));
        // At once: whatever happens between a claim and its check would be taken for a fault of the claim.
        if (claim.Lease is { } claimed)
            await CheckClaimAsync(claimed);
        yield return 0;
        if (claim.Lease is not { } lease)
        {
            Count("nothing to claim");
            if (claim.RetryIn is not null)
            {
                job.State = "Scheduled";
                yield break;
            }
        }
        else
        {
            var attempt = new AttemptRef(lease.RunId, lease.StageRunId, lease.Attempt, lease.Stage);
            host.Running.Add(attempt);
            await foreach (var part in lease.Kind == StepKinds.Control ? PublishAsync(attempt, job) : ExecuteAsync(host, attempt, lease.Slice, claim.Opened, job))
                yield return part;
            host.Running.Remove(attempt);
            if (job.State == "Scheduled")
                yield break;
        }
        await foreach (var part in AdvanceAsync(host, claim.RunId))
            yield return part;
        job.State = "Succeeded";
    }

    private async IAsyncEnumerable<int> ExecuteAsync(SimulatedHost host, AttemptRef attempt, Window? slice, OpenedCommit? opened, SimulatedJob job)
    {
        if (_poisoned.Contains(attempt.Stage) && !host.Dead)
        {
            Kill(host);
            yield break;
        }
        var window = slice ?? (await store.Ledger.FindRunAsync(attempt.RunId, default))!.Window;
        // A step writes nothing sometimes, so that coverage without a commit is met as well.
        var outcome = "fenced";
        var (failsAtOnce, failsAtTheEnd) = (_chaos && _random.Next(12) == 0, _chaos && _random.Next(10) == 0);
        if (failsAtOnce)
            outcome = "failed";
        else
        {
            ICommitWriter? writer = null;
            try
            {
                writer = await CheckedAsync(() => store.Features.OpenCommitAsync(Readings.Commit(attempt, window) with { Opened = opened }, default));
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
                        if (!await TryWriteAsync(writer, attempt, window, written))
                            break;
                    }
                    yield return 0;
                    // Code that cannot write any more may well fail by that.
                    if (failsAtTheEnd || (_chaos && written < chunks && _random.Next(2) == 0))
                        outcome = "failed";
                    else if (written == chunks)
                        outcome = await WinAsync(writer, attempt, window, slice is not null, chunks);
                }
                yield return 0;
            }
        }
        await EndAsync(attempt, job, outcome);
    }

    private async IAsyncEnumerable<int> PublishAsync(AttemptRef attempt, SimulatedJob job)
    {
        var window = (await store.Ledger.FindRunAsync(attempt.RunId, default))!.Window;
        yield return 0;
        if (_chaos && _random.Next(6) == 0)
        {
            await EndAsync(attempt, job, "failed");
            yield break;
        }
        var outcome = await WinAsync(new(attempt) { Kind = PublicationKind.AllSlices, Coverage = (window, Readings.Start) });
        yield return 0;
        if (outcome == PublishOutcome.Conflict)
            Count("slices reopened");
        else
            await EndAsync(attempt, job, outcome == PublishOutcome.Published ? "slices published" : "fenced win");
    }

    private async Task EndAsync(AttemptRef attempt, SimulatedJob job, string outcome)
    {
        if (outcome is "published" or "sealed" or "slices published" && _chaos && _random.Next(20) == 0)
            outcome = "failed"; // The commit is done, the reply is lost, and the host believes that it has failed.
        Count(outcome);
        if (outcome == "failed")
        {
            var (mine, before) = (await IsMineAsync(attempt), await store.Ledger.FindStageRunAsync(attempt.StageRunId, default));
            var failed = await CheckedAsync(() => store.Ledger.FailAsync(attempt, "boom", TimeSpan.FromSeconds(20), false, default));
            (failed is not null).ShouldBe(mine, $"seed {seed}: attempt {attempt.Attempt} of {attempt.Stage} failed a row that is {(mine ? "" : "not ")}its own");
            failed?.Failures.ShouldBe(before!.Failures + 1, $"seed {seed}: I9 failures of {attempt.Stage}");
            if (failed is { State: States.Pending })
            {
                job.State = "Scheduled";
                await JumpIfCalmAsync();
            }
        }
        else if (outcome == "conflict")
        {
            await CheckedAsync(() => store.Ledger.ReleaseAsync(attempt, "conflict", default));
            job.State = "Scheduled";
        }
        else if (outcome is "fenced" or "fenced win" && _chaos && _random.Next(3) == 0)
        {
            // A host that stops gives back what it believes to hold, also where it has lost it.
            var before = await store.Ledger.FindStageRunAsync(attempt.StageRunId, default);
            await CheckedAsync(() => store.Ledger.ReleaseAsync(attempt, "shutdown", default));
            (await store.Ledger.FindStageRunAsync(attempt.StageRunId, default)).ShouldBe(before, $"seed {seed}: attempt {attempt.Attempt} of {attempt.Stage} gave back a row that is not its own");
        }
    }

    /// <summary>Whether the row is running under this attempt, by a look from outside.</summary>
    private async Task<bool> IsMineAsync(AttemptRef attempt) => await store.CountAsync("""
        SELECT COUNT(*) FROM {workflows.stage_runs} s JOIN {workflows.runs} r ON r.run_id = s.run_id
        WHERE s.stage_run_id = @StageRunId AND s.attempt = @Attempt AND s.state = 'running' AND r.state = 'running'
        """, new { attempt.StageRunId, attempt.Attempt }) == 1;

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

    private async Task<string> WinAsync(ICommitWriter writer, AttemptRef attempt, Window window, bool isSlice, int rows)
    {
        var publication = new Publication(attempt) { Commit = Readings.Seal(writer, window, rows) };
        publication = isSlice ? publication with { Kind = PublicationKind.Slice } : publication with { Coverage = (window, Readings.Start) };
        return (await WinAsync(publication)) switch { PublishOutcome.Published => isSlice ? "sealed" : "published", PublishOutcome.Conflict => "conflict", _ => "fenced win" };
    }

    private async Task<PublishOutcome> WinAsync(Publication publication)
    {
        var attempt = publication.Attempt;
        var mine = await IsMineAsync(attempt);
        var result = await CheckedAsync(() => store.Ledger.WinAsync(publication, default));
        if (result.Outcome == PublishOutcome.Published)
            _won.Add((attempt.StageRunId, attempt.Attempt));
        (result.Outcome == PublishOutcome.Fenced).ShouldBe(!mine, $"seed {seed}: I2 attempt {attempt.Attempt} of {attempt.Stage} published, or was refused, although it is {(mine ? "" : "not ")}the one that runs");
        return result.Outcome;
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
            if (run.State == States.Requested && await CheckedAsync(() => store.Ledger.AdmitAsync(run.RunId, PlanFor(run), "code", default)) == AdmitResult.Planned && _chaos)
            {
                // Old jobs of a resumed run come back before anything of it is dispatched anew.
                var steps = (await store.Ledger.StageRunsAsync(run.RunId, default)).Select(s => s.StageRunId).ToHashSet();
                foreach (var old in _jobs.Values.Where(j => steps.Contains(j.StageRunId)))
                    old.State = "Enqueued";
                for (var pause = _random.Next(12); pause > 0; pause--)
                    yield return 0;
            }
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
