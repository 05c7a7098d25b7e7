using AiWorkflows.Features;

namespace AiWorkflows.Workflows;

internal sealed partial class RunEngine
{
    private static readonly TimeSpan MonolithTurn = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// What a job does: claims the step, executes and publishes it, advances the run, and creates the jobs of what has become ready as
    /// continuations of this job. Delivered twice, it finds nothing to claim and only advances. A monolith's job goes on with the next step itself.
    /// </summary>
    /// <param name="jobId">The job that calls; null where there is none.</param>
    /// <param name="ct">Cancelled when the host stops: the step is given back without counting a failure.</param>
    public async Task<StepOutcome> ExecuteStepAsync(long stageRunId, string? jobId, CancellationToken ct)
    {
        try
        {
            if (await Ledger.FindStageRunAsync(stageRunId, ct) is not { } row || await Ledger.FindRunAsync(row.RunId, ct) is not { } run)
                return StepOutcome.Cancelled($"There is no step {stageRunId}.");
            if (!_options.OnlyHost && row.State == States.Pending && !Knows(run, row))
                return StepOutcome.Retry(_options.UnknownRetry, $"Stage '{row.Stage}' is not defined in the version of the code that this host runs; it is left to others.");
            if (IsMonolith(run))
                return await ExecuteMonolithAsync(run, stageRunId, jobId, ct);
            var outcome = await _executor.ExecuteAsync(run, stageRunId, CommitOf(run, row), jobId, ct);
            if (outcome.Kind is StepOutcomeKind.Done or StepOutcomeKind.Failed)
            {
                // A job that has failed never starts its continuations.
                await AdvanceAsync(run, outcome.Kind == StepOutcomeKind.Done ? jobId : null, look: row.IsSlice, CancellationToken.None);
                await AdvanceLaterWindowsAsync(run, CancellationToken.None);
            }
            return outcome;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return StepOutcome.Released;
        }
    }

    /// <summary>The commit that a step will write; null where it writes none, or its stage is not known here.</summary>
    private CommitShape? CommitOf(RunRecord run, StageRunRecord row) =>
        row.Kind == StepKinds.Feature && _catalog.FindWorkflow(run.Workflow)?.Stages.FirstOrDefault(s => s.Name == row.Stage)?.Feature is { } feature
            ? new(feature.Writes, CommitKind.Replace, row.Slice ?? run.Window) : null;

    /// <summary>Executes the steps of a run one after another in this job, for as long as the ledger has a ready one.</summary>
    private async Task<StepOutcome> ExecuteMonolithAsync(RunRecord run, long stageRunId, string? jobId, CancellationToken ct)
    {
        var runId = run.RunId;
        // Somebody is just advancing the run, or a job that was delivered twice is executing it: then nothing will be left to claim.
        while (!_monoliths.TryAdd(runId, 0))
            await Task.Delay(MonolithTurn, ct);
        try
        {
            var isOpen = (await Ledger.FindStageRunAsync(stageRunId, ct))?.State == States.Pending;
            var next = isOpen ? stageRunId : await DispatchedToAsync(runId, jobId, ct) ?? stageRunId;
            StepOutcome? failure = null;
            while (true)
            {
                var outcome = await _executor.ExecuteAsync(run, next, null, jobId, ct);
                if (outcome.Kind is StepOutcomeKind.Retry or StepOutcomeKind.Released or StepOutcomeKind.Cancelled)
                    return outcome;
                if (outcome.Kind == StepOutcomeKind.Failed)
                    failure ??= outcome;
                var advanced = await Ledger.AdvanceAsync(runId, _dispatcher.EngineId, 1, CancellationToken.None);
                if (advanced.EndState is not null)
                    await OnEndedAsync(runId, CancellationToken.None);
                if (advanced.Dispatched is not [var step, ..])
                    return failure ?? StepOutcome.Done;
                if (jobId is not null)
                    await Ledger.SetJobsAsync([(step, jobId)], CancellationToken.None);
                next = step.StageRunId;
            }
        }
        finally
        {
            _monoliths.TryRemove(runId, out _);
        }
    }

    /// <summary>A job that is executed again carries the step that it began with; the one to go on with is noted in the ledger.</summary>
    private async Task<long?> DispatchedToAsync(long runId, string? jobId, CancellationToken ct) =>
        (await Ledger.StageRunsAsync(runId, ct))
            .FirstOrDefault(s => s.State == States.Pending && s.DispatchedAt is not null && s.JobId == jobId && s.Engine == _dispatcher.EngineId)?.StageRunId;
}
