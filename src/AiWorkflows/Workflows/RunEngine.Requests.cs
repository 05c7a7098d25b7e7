namespace AiWorkflows.Workflows;

internal sealed partial class RunEngine
{
    /// <summary>
    /// Requests a run. With a window: that one, all stages. Without: what is owed; a run that is open or has failed comes first, because its
    /// cells belong to it. Call it again when the run has succeeded, until nothing is owed.
    /// </summary>
    /// <exception cref="InvalidRequestException">Unknown workflow or mode, or a window off the grid.</exception>
    public async Task<RequestResult> RequestAsync(WorkflowRequest request, CancellationToken ct)
    {
        var workflow = _catalog.Workflow(request.Workflow);
        if (request.Mode is not (RunModes.Stages or RunModes.MonolithTrain or RunModes.MonolithInfer))
            throw new InvalidRequestException($"Unknown mode '{request.Mode}'; there are {RunModes.Stages}, {RunModes.MonolithTrain} and {RunModes.MonolithInfer}.");
        var result = request.Window is { } window ? await RequestWindowAsync(workflow, request, window, ct) : await RequestOwedAsync(workflow, request, ct);
        if (result.Outcome == RequestOutcome.Requested)
            await Ledger.AuditAsync(request.By, "run", $"run {result.RunId}", $"{workflow.Name} {result.Window}", ct);
        Wake();
        return result;
    }

    /// <summary>The window with these bounds, if the workflow's grid has it.</summary>
    /// <exception cref="InvalidRequestException">Unknown workflow, or bounds that are reversed, local or off the grid; the nearest ones are named.</exception>
    public Window RequireWindow(string workflow, DateTime from, DateTime to) => WindowGrid.Of(_catalog.Workflow(workflow)).Require(workflow, from, to);

    /// <summary>A schedule's tick: requests what is owed, as <see cref="RequestAsync"/> without a window does. A paused workflow does nothing.</summary>
    public async Task<RequestResult> TickAsync(string workflowName, CancellationToken ct)
    {
        var workflow = _catalog.Workflow(workflowName);
        var paused = (await Ledger.WorkflowStatesAsync(ct)).FirstOrDefault(w => w.Workflow == workflowName)?.PausedAt is not null;
        if (paused)
            return new(RequestOutcome.NothingOwed, null, null, $"{workflowName} is paused.");
        var request = new WorkflowRequest(workflowName, null, "schedule", "schedule");
        var (result, row) = await FindOwedAsync(workflow, request, ct);
        if (row is not null)
        {
            var tick = await Ledger.NowAsync(ct);
            var ids = await Ledger.TickAsync(workflowName, tick, [row], ct);
            if (ids.Count == 0)
                return new(RequestOutcome.NothingOwed, null, null, $"Another tick of {workflowName} came first.");
            result = Requested(ids[0], row);
        }
        Wake();
        return result;
    }

    /// <summary>Cancels a run that is requested or running; its code is told within two seconds, in whichever host it runs.</summary>
    /// <returns>False if the run had ended before.</returns>
    /// <exception cref="InvalidRequestException">There is no such run.</exception>
    public Task<bool> CancelAsync(long runId, string by, CancellationToken ct) => CancelAsync(runId, by, null, ct);

    /// <inheritdoc cref="CancelAsync(long, string, CancellationToken)"/>
    /// <param name="why">Kept with the run and on record; null where nobody said.</param>
    public async Task<bool> CancelAsync(long runId, string by, string? why, CancellationToken ct)
    {
        await RequireRunAsync(runId, ct);
        if (!await Ledger.CancelAsync(runId, by, why is null ? $"cancelled by {by}" : $"cancelled by {by}: {why}", ct))
            return false;
        _executor.StopRun(runId);
        await OnEndedAsync(runId, ct);
        if (await Ledger.FindRunAsync(runId, ct) is { } run)
            await AdvanceLaterWindowsAsync(run, ct);
        return true;
    }

    /// <summary>Puts a failed or cancelled run back to requested; what has succeeded in it is kept.</summary>
    /// <returns>False if the run is in another state.</returns>
    /// <exception cref="InvalidRequestException">There is no such run.</exception>
    public async Task<bool> ResumeAsync(long runId, string by, CancellationToken ct)
    {
        await RequireRunAsync(runId, ct);
        if (!await Ledger.ResumeAsync(runId, by, ct))
            return false;
        Wake();
        return true;
    }

    /// <summary>Stops the schedule of a workflow; requests by people go on working.</summary>
    /// <exception cref="InvalidRequestException">Unknown workflow.</exception>
    public async Task PauseAsync(string workflow, string by, CancellationToken ct)
    {
        _ = _catalog.Workflow(workflow);
        await Ledger.SetPausedAsync(workflow, by, ct);
        await Ledger.AuditAsync(by, "pause", $"workflow {workflow}", null, ct);
    }

    /// <summary>Lets the schedule of a workflow go on.</summary>
    /// <exception cref="InvalidRequestException">Unknown workflow.</exception>
    public async Task ResumeScheduleAsync(string workflow, string by, CancellationToken ct)
    {
        _ = _catalog.Workflow(workflow);
        await Ledger.SetPausedAsync(workflow, null, ct);
        await Ledger.AuditAsync(by, "resume", $"workflow {workflow}", null, ct);
    }

    /// <summary>What the workflow owes at this moment, in the order of time.</summary>
    public async Task<IReadOnlyList<OwedWindow>> OwedAsync(string workflow, string mode, CancellationToken ct)
    {
        var definition = _catalog.Workflow(workflow);
        return OwedWindows.Find(definition, mode, await CoverageAsync(definition, ct), _clock.GetUtcNow().UtcDateTime);
    }

    private async Task<RequestResult> RequestWindowAsync(WorkflowDefinition workflow, WorkflowRequest request, Window window, CancellationToken ct)
    {
        WindowGrid.Of(workflow).Require(workflow.Name, window.From, window.To);
        var row = new RunRequest(workflow.Name, window, request.By, request.Trigger, request.Mode, CatchUp: false, request.Hindsight, request.DedupKey);
        var (runId, created) = await Ledger.RequestAsync(row, ct);
        return created ? Requested(runId, row) : new(RequestOutcome.AlreadyOpen, runId, window, $"Run {runId} is that request already.");
    }

    private async Task<RequestResult> RequestOwedAsync(WorkflowDefinition workflow, WorkflowRequest request, CancellationToken ct)
    {
        var (result, row) = await FindOwedAsync(workflow, request, ct);
        if (row is null)
            return result;
        var (runId, created) = await Ledger.RequestAsync(row, ct);
        return created ? Requested(runId, row) : new(RequestOutcome.AlreadyOpen, runId, row.Window, $"Run {runId} covers {row.Window} already.");
    }

    /// <summary>What to request next, or what comes first (an open run, a failed one that is resumed here), or nothing.</summary>
    private async Task<(RequestResult Result, RunRequest? Row)> FindOwedAsync(WorkflowDefinition workflow, WorkflowRequest request, CancellationToken ct)
    {
        // Read before the coverage: whoever requests in between has the same key, or a later latest run that this one does not see as covered.
        var latest = await Ledger.LatestRunIdAsync(workflow.Name, ct);
        var unfinished = await Ledger.UnfinishedRunsAsync(workflow.Name, ct);
        if (unfinished.FirstOrDefault(r => r.State is States.Requested or States.Running) is { } open)
            return (new(RequestOutcome.AlreadyOpen, open.RunId, open.Window, $"Run {open.RunId} of {workflow.Name} for {open.Window} is {open.State}; it comes first."), null);

        await Ledger.ReopenAsync(workflow.Name, ReadersOf(workflow), ct);
        var now = _clock.GetUtcNow().UtcDateTime;
        var coverage = await CoverageAsync(workflow, ct);
        var owed = OwedWindows.Find(workflow, request.Mode, coverage, now);
        // A run by hand that failed long ago has nothing to do with cells that were done by another and are open again.
        var missed = OwedWindows.Find(workflow, request.Mode, OwedWindows.IgnoringReopened(coverage), now);
        var failed = unfinished.FirstOrDefault(r => r.State == States.Failed && r.Mode == request.Mode && (r.CatchUp ? owed : missed).Any(o => o.Window.Overlaps(r.Window)));
        if (failed is not null && request.Trigger is ("schedule" or "data") && await TookHostsDownAsync(failed, ct))
            return (new(RequestOutcome.NothingOwed, null, null, $"Run {failed.RunId} of {workflow.Name} for {failed.Window} has taken down one host after another; only a person resumes it, with 'runs resume {failed.RunId}'."), null);
        if (failed is not null && await Ledger.ResumeAsync(failed.RunId, request.By, ct))
            return (new(RequestOutcome.Resumed, failed.RunId, failed.Window, $"Run {failed.RunId} of {workflow.Name} for {failed.Window} had failed; it goes on where it stopped."), null);

        if (OwedWindows.Next(workflow, request.Mode, coverage, now, isTick: request.Trigger == "schedule") is not { } next)
            return (new(RequestOutcome.NothingOwed, null, null, NothingOwed(workflow, now)), null);
        var key = $"catch-up:{request.Mode}:{Timestamps.Iso(next.Window.From)}:{Timestamps.Iso(next.Window.To)}:{latest}";
        var row = new RunRequest(workflow.Name, next.Window, request.By, request.Trigger, request.Mode, CatchUp: true, request.Hindsight, key);
        return (new(RequestOutcome.Requested, null, next.Window, ""), row);
    }

    /// <summary>Whether a stage of the run failed because it lost its host again and again. Whoever restarts hosts would otherwise restart that as well, for ever.</summary>
    private async Task<bool> TookHostsDownAsync(RunRecord run, CancellationToken ct) =>
        (await Ledger.StageRunsAsync(run.RunId, ct)).Any(s => s.State == States.Failed && s.Lost >= _options.MaxLost);

    /// <summary>Goes on with the next stretch as soon as the one before it has succeeded, whoever asked for it.</summary>
    private async Task ContinueCatchUpAsync(RunRecord run, CancellationToken ct)
    {
        if (_catalog.FindWorkflow(run.Workflow) is not { } workflow)
            return;
        if (run.TriggeredBy is "schedule" or "data" && (await Ledger.WorkflowStatesAsync(ct)).Any(w => w.Workflow == run.Workflow && w.PausedAt is not null))
            return;
        await RequestOwedAsync(workflow, new(run.Workflow, null, run.RequestedBy, run.TriggeredBy, run.Mode, run.Hindsight), ct);
    }

    private static IReadOnlyList<ReadingPipeline> ReadersOf(WorkflowDefinition workflow) => [.. workflow.Stages.Select(s => s.Feature).Where(f => f is { Reads.Count: > 0 })
        .Select(f => new ReadingPipeline(f!.Name, [.. f.Reads.Select(g => (g.Name, g.Version))], f.Lookback, WindowGrid.Of(workflow)))];

    private Task<IReadOnlyList<CoverageInterval>> CoverageAsync(WorkflowDefinition workflow, CancellationToken ct) =>
        Ledger.CoverageAsync([.. workflow.Stages.Select(s => s.Name)], ct);

    private async Task RequireRunAsync(long runId, CancellationToken ct)
    {
        if (await Ledger.FindRunAsync(runId, ct) is null)
            throw new InvalidRequestException($"There is no run {runId}; 'runs list' shows those there are.");
    }

    private static RequestResult Requested(long runId, RunRequest row) =>
        new(RequestOutcome.Requested, runId, row.Window, $"Run {runId} of {row.Workflow} for {row.Window} was requested.");

    private static string NothingOwed(WorkflowDefinition workflow, DateTime now)
    {
        var grid = WindowGrid.Of(workflow);
        var end = grid.Floor(workflow.Until is { } until && until < now ? until : now);
        return end <= workflow.Origin
            ? $"Nothing to do: the first cell of {workflow.Name}, {new Window(workflow.Origin, workflow.Origin + grid.Size)}, has not ended yet."
            : workflow.Until is { } last && last <= now
                ? $"Nothing to do: {workflow.Name} is complete up to {Timestamps.Display(end)}, where its data ends."
                : $"Nothing to do: {workflow.Name} is complete up to {Timestamps.Display(end)}; the next cell ends at {Timestamps.Display(end + grid.Size)}.";
    }
}
