using System.Collections.Concurrent;
using AiWorkflows.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

/// <summary>Claims one step, runs its code under a lease, and publishes its result or records its failure.</summary>
internal sealed class StepExecutor(
    Catalog catalog, EngineStores stores, RunEngineOptions options, BusinessClock clock, StoreWatch watch, IServiceScopeFactory scopes, ILoggerFactory loggers)
{
    private readonly StageRunner _runner = new(stores, options);
    private readonly ILogger _log = loggers.CreateLogger("AiWorkflows.Stage");
    private readonly ConcurrentDictionary<long, RunningAttempt> _running = [];

    private int _abandoned;

    public event Action<AttemptStartedEvent>? AttemptStarted;

    public event Action? Exhausted;

    private ILedger Ledger => stores.Ledger;

    /// <summary>Tells the code of a run that was cancelled in this process to stop.</summary>
    public void StopRun(long runId)
    {
        foreach (var attempt in _running.Values.Where(a => a.Ref.RunId == runId))
            attempt.Stop(StopReason.Fenced);
    }

    /// <summary>Tells code to stop whose row was cancelled or taken away by somebody else.</summary>
    public async Task StopCancelledAsync(CancellationToken ct)
    {
        foreach (var attempt in _running.Values)
            if (await Ledger.FindStageRunAsync(attempt.Ref.StageRunId, ct) is not { State: States.Running } row || row.Attempt != attempt.Ref.Attempt)
                attempt.Stop(StopReason.Fenced);
    }

    /// <summary>Delivered twice, or too early, it finds nothing to claim and says so.</summary>
    /// <param name="opens">The commit that the step will write, where that is known.</param>
    public async Task<StepOutcome> ExecuteAsync(RunRecord run, long stageRunId, CommitShape? opens, string? jobId, CancellationToken ct)
    {
        var claim = await Ledger.ClaimAsync(stageRunId, new(Guid.NewGuid(), options.Host, jobId, options.CodeVersion, options.Lease, watch.MayExpire, opens), ct);
        if (claim.Lease is not { } row)
            return claim.RetryIn is { } wait ? StepOutcome.Retry(wait) : StepOutcome.Done;

        var reference = new AttemptRef(row.RunId, row.StageRunId, row.Attempt, row.Stage);
        var limit = row.DeadlineAt - row.StartedAt;
        var log = new StageLog(reference, _log);
        using var attempt = new RunningAttempt(reference, limit, options.AbandonAfter, ct);
        _running.AddOrUpdate(row.StageRunId, attempt, (_, zombie) =>
        {
            zombie.Stop(StopReason.Fenced);
            return attempt;
        });
        try
        {
            AttemptStarted?.Invoke(new(jobId, reference, attempt.Progress));
            await using var pulse = new AttemptPulse(attempt, log, Ledger, options, _log);
            return await RunAsync(run, row, claim.Opened, attempt, log);
        }
        finally
        {
            _running.TryRemove(new(row.StageRunId, attempt));
        }
    }

    private async Task<StepOutcome> RunAsync(RunRecord run, StageRunRecord row, OpenedCommit? opened, RunningAttempt attempt, StageLog log)
    {
        using var activity = RunTrace.StartAttempt(run, row, options.Host);
        EngineTelemetry.AttemptStarted(run.Workflow, row);
        StepOutcome outcome;
        try
        {
            outcome = await PublishAsync(run, row, opened, attempt, log);
        }
        catch (Exception e)
        {
            outcome = await FailedAsync(row, attempt, log, e);
            activity?.SetStatus(System.Diagnostics.ActivityStatusCode.Error, ErrorText.Of(e));
        }
        activity?.SetTag("aiworkflows.rows_read", attempt.Progress.RowsRead).SetTag("aiworkflows.rows_written", attempt.Progress.RowsWritten);
        EngineTelemetry.AttemptEnded(run.Workflow, row.Step, outcome.Kind, attempt.Elapsed, attempt.Progress.RowsRead, attempt.Progress.RowsWritten);
        return outcome;
    }

    private async Task<StepOutcome> PublishAsync(RunRecord run, StageRunRecord row, OpenedCommit? opened, RunningAttempt attempt, StageLog log)
    {
        if (catalog.FindWorkflow(run.Workflow) is not { } workflow || workflow.Stages.FirstOrDefault(s => s.Name == row.Stage) is not { } stage)
            throw new StageFailedException($"Stage '{row.Stage}' of {run.Workflow} is not defined in this version of the code; run the version that planned it, or cancel run {run.RunId}.");

        for (var attempts = 1; attempts <= options.ConflictTries; attempts++)
        {
            // A difference that is taken again is taken in a commit of its own.
            var publication = await RunCodeAsync(run, workflow, stage, row, attempts == 1 ? opened : null, attempt, log);
            var result = await WinWithLogAsync(publication, attempt, log);
            switch (result.Outcome)
            {
                case PublishOutcome.Published:
                    return StepOutcome.Done;
                case PublishOutcome.Fenced:
                    return StepOutcome.Cancelled("The run was cancelled, or the lease was lost.");
                case PublishOutcome.Conflict when publication.Kind == PublicationKind.AllSlices:
                    log.LogInformation("Another commit has touched {Window} in the meantime; the partitions concerned take their difference again", run.Window);
                    return StepOutcome.Done;
                default:
                    log.LogInformation("Another commit has touched {Window} in the meantime; the difference is taken again", run.Window);
                    break;
            }
        }
        await Ledger.ReleaseAsync(attempt.Ref, "conflict", CancellationToken.None);
        return StepOutcome.Retry(options.FirstBackoff, "Other commits keep touching the window.");
    }

    private async Task<Publication> RunCodeAsync(
        RunRecord run, WorkflowDefinition workflow, StageDefinition stage, StageRunRecord row, OpenedCommit? opened, RunningAttempt attempt, StageLog log)
    {
        var work = Task.Run(async () =>
        {
            StageLog.Current = log;
            var backfill = run.BackfillId is { } id && await Ledger.FindBackfillAsync(id, attempt.Stopped) is { } found
                ? new BackfillContext(found.PinSeq, workflow.Stages.Where(s => s.Feature is not null).Select(s => s.Feature!.Writes.Name).ToHashSet(StringComparer.Ordinal), found.Alias, found.Backtest)
                : null;
            await using var scope = scopes.CreateAsyncScope();
            var context = new StageContext
            {
                Attempt = attempt.Ref,
                Workflow = workflow.Name,
                Window = row.Slice ?? run.Window,
                AsOfSeq = row.AsOfSeq ?? await stores.Features.CurrentSeqAsync(attempt.Stopped),
                Backfill = backfill,
                Hindsight = run.Hindsight,
                Opened = opened,
                CodeVersion = options.CodeVersion,
                Services = scope.ServiceProvider,
                Clock = clock,
                Progress = attempt.Progress,
                Log = log,
            };
            return await _runner.RunAsync(workflow, stage, row, context, attempt.Stopped);
        });
        try
        {
            return await work.WaitAsync(attempt.Abandoned);
        }
        catch (OperationCanceledException) when (!work.IsCompleted)
        {
            log.LogError("The code ignored its cancellation for {Seconds:0} s and was abandoned; it can publish nothing any more", options.AbandonAfter.TotalSeconds);
            if (Interlocked.Increment(ref _abandoned) >= options.Workers)
                Exhausted?.Invoke();
            _ = work.ContinueWith(t => (t.Exception, Interlocked.Decrement(ref _abandoned)), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>Publishes, as soon as the store is there: what was computed is not thrown away because it was away for a while.</summary>
    /// <summary>The end of the attempt's log goes with its result, in one transaction.</summary>
    private async Task<PublishResult> WinWithLogAsync(Publication publication, RunningAttempt attempt, StageLog log)
    {
        var success = $"Succeeded after {attempt.Elapsed.TotalSeconds:0.0} s: {publication.RowsRead:N0} rows read, {publication.RowsWritten:N0} written";
        var (lines, published) = (log.Take(most: 100), false);
        try
        {
            var result = await WinAsync(publication with { Log = [.. lines, log.Line("info", success)] }, attempt, log);
            if (published = result.Outcome == PublishOutcome.Published)
                _log.LogInformation("{Stage} (run {Run}): {Message}", attempt.Ref.Stage, attempt.Ref.RunId, success);
            return result;
        }
        finally
        {
            if (!published)
                log.Return(lines);
        }
    }

    private async Task<PublishResult> WinAsync(Publication publication, RunningAttempt attempt, StageLog log)
    {
        while (true)
            try
            {
                return await TryWinAsync(publication, attempt);
            }
            catch (Exception e) when (StoreWatch.IsAway(e) && attempt.Reason == StopReason.None)
            {
                log.LogWarning("The result waits to be published, because the store does not answer: {Error}", ErrorText.Of(e));
                await Task.Delay(options.Poll, attempt.Stopped);
            }
    }

    /// <summary>Publishes; when the reply is lost, reads whether it was published.</summary>
    private async Task<PublishResult> TryWinAsync(Publication publication, RunningAttempt attempt)
    {
        using var activity = Telemetry.StartPart("publish");
        try
        {
            var result = await Ledger.WinAsync(publication, CancellationToken.None);
            activity?.SetTag("aiworkflows.outcome", result.Outcome.ToString()).SetTag("aiworkflows.seq", result.Seq);
            return result;
        }
        catch (Exception e) when (e is not AiWorkflowsException)
        {
            if (await Ledger.FindStageRunAsync(attempt.Ref.StageRunId, CancellationToken.None) is { State: States.Succeeded or States.Skipped } row && row.Attempt == attempt.Ref.Attempt)
                return new(PublishOutcome.Published);
            throw;
        }
    }

    private async Task<StepOutcome> FailedAsync(StageRunRecord row, RunningAttempt attempt, StageLog log, Exception exception)
    {
        if (attempt.Reason == StopReason.Fenced || exception is FencedException)
            return StepOutcome.Cancelled("The run was cancelled, or the lease was lost.");
        if (attempt.Reason == StopReason.Shutdown)
        {
            await Ledger.ReleaseAsync(attempt.Ref, "released", CancellationToken.None);
            return StepOutcome.Released;
        }

        var overdue = attempt.Reason == StopReason.TimeLimit;
        if (!overdue && StoreWatch.IsAway(exception))
        {
            // No failure of the stage. If the store is still away, this fails as well, and the lease runs out.
            log.LogWarning("The attempt is given up, because the store did not answer: {Error}", ErrorText.Of(exception));
            await Ledger.ReleaseAsync(attempt.Ref, "released", CancellationToken.None);
            return StepOutcome.Retry(options.FirstBackoff, "The store did not answer.");
        }
        var error = overdue ? $"It took longer than its time limit of {attempt.TimeLimit}." : ErrorText.Of(exception);
        var final = !overdue && exception is AiWorkflowsException;
        if (final)
            log.LogError("{Error}", error);
        else
            log.LogError(exception, "Attempt {Attempt} failed: {Error}", row.Attempt, error);
        var wait = Backoff(row.Failures);
        if (await Ledger.FailAsync(attempt.Ref, error, wait, final, CancellationToken.None) is not { } failed)
            return StepOutcome.Cancelled("The run was cancelled, or the lease was lost.");
        return failed.State == States.Failed ? StepOutcome.Failed(error) : StepOutcome.Retry(wait, error);
    }

    private TimeSpan Backoff(int failures)
    {
        var wait = options.FirstBackoff * Math.Pow(6, Math.Min(failures, 10));
        return wait < options.MaxBackoff ? wait : options.MaxBackoff;
    }
}
