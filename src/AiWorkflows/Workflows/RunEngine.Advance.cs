using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

internal sealed partial class RunEngine
{
    /// <summary>Expires lost leases, dispatches again what lost its job, advances what is running, collects what nobody will publish.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        if (_watch.MayExpire)
            EngineTelemetry.LeasesWereLost(await Ledger.ExpireAsync(everything: false, _options.MaxLost, ct));
        await UndispatchDeadJobsAsync(_options.StaleDispatch, ct);
        await TakeWrittenRequestsAsync(ct);
        await AdmitRequestedAsync(ct);
        await AdvanceRunningAsync(ct);
        await FailUnknownAsync(ct);
        await WarnOfUnservedQueuesAsync(ct);
        await Ledger.CollectAsync(ct);
        await MeasureAsync(ct);
    }

    /// <summary>What lies in the database rather than in this process, for those who watch.</summary>
    private async Task MeasureAsync(CancellationToken ct)
    {
        if (EngineTelemetry.QueuesAreWatched)
            EngineTelemetry.QueuesAre(await Ledger.QueuesAsync(ct));
        if (EngineTelemetry.HostsAreWatched)
            EngineTelemetry.HostsAre((await Ledger.HostsAsync(ct)).Count);
    }

    /// <summary>Admits what is requested, oldest first, as far as limits and overlap policies let it.</summary>
    public async Task AdmitRequestedAsync(CancellationToken ct)
    {
        await _admission.WaitAsync(ct);
        try
        {
            bool again;
            do
            {
                again = false;
                // Of a backfill only the next window is among them, and behind one that was admitted stands another.
                foreach (var run in await Ledger.OpenRunsAsync(ct))
                    if (run.State == States.Requested)
                        again |= await AdmitAsync(run, ct) && run.BackfillId is not null;
            }
            while (again);
        }
        finally
        {
            _admission.Release();
        }
    }

    /// <returns>Whether the run is not requested any more.</returns>
    private async Task<bool> AdmitAsync(RunRecord run, CancellationToken ct)
    {
        if (!_options.OnlyHost && _catalog.FindWorkflow(run.Workflow) is null)
            return false;
        if (WhyNotExecutable(run) is { } reason)
        {
            if (await Ledger.CancelAsync(run.RunId, _options.Host, reason, ct))
                await OnEndedAsync(run.RunId, ct);
            return true;
        }
        var workflow = _catalog.Workflow(run.Workflow);
        var terms = await TermsAsync(run, ct);
        var coverage = run.CatchUp || terms is { Backtest: true } ? await CoverageAsync(workflow, ct) : [];
        switch (await Ledger.AdmitAsync(run.RunId, RunPlanner.Plan(workflow, run, coverage, terms), _options.CodeVersion, ct))
        {
            case AdmitResult.Planned:
                _log.LogInformation("Run {Run} of {Workflow} for {Window} has started", run.RunId, run.Workflow, run.Window);
                await AdvanceAsync(run, null, look: true, ct);
                return true;
            case AdmitResult.Ended:
                await OnEndedAsync(run.RunId, ct);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Requests are rows that anybody can insert, so they are checked again here.</summary>
    private string? WhyNotExecutable(RunRecord run)
    {
        if (_catalog.FindWorkflow(run.Workflow) is not { } workflow)
            return NoSuchWorkflow(run.Workflow);
        if (run.Mode is not (RunModes.Stages or RunModes.MonolithTrain or RunModes.MonolithInfer))
            return $"Unknown mode '{run.Mode}'; there are {RunModes.Stages}, {RunModes.MonolithTrain} and {RunModes.MonolithInfer}.";
        try
        {
            WindowGrid.Of(workflow).Require(run.Workflow, run.Window.From, run.Window.To);
            return null;
        }
        catch (InvalidRequestException e)
        {
            return e.Message;
        }
    }

    private async Task AdvanceRunningAsync(CancellationToken ct)
    {
        foreach (var run in await Ledger.OpenRunsAsync(ct))
            if (run.State == States.Running)
                await AdvanceAsync(run, null, look: true, ct);
    }

    /// <summary>Advances a run and creates the jobs of what has become ready, as continuations of the job that made it ready.</summary>
    private async Task AdvanceAsync(RunRecord run, string? parentJobId, bool look, CancellationToken ct)
    {
        if (!IsMonolith(run))
        {
            await AdvanceAsync(run, _options.DispatchCap, parentJobId, look, ct);
            return;
        }
        // The job of a monolith advances its run itself; between two of its steps anybody else would create a second job.
        if (!_monoliths.TryAdd(run.RunId, 0))
            return;
        try
        {
            await AdvanceAsync(run, 1, parentJobId, look, ct);
        }
        finally
        {
            _monoliths.TryRemove(run.RunId, out _);
        }
    }

    private async Task AdvanceAsync(RunRecord run, int cap, string? parentJobId, bool look, CancellationToken ct)
    {
        var result = await Ledger.AdvanceAsync(run.RunId, _dispatcher.EngineId, cap, look, ct);
        // A job's list of continuations is rewritten with each child, so a wide fan-out is enqueued directly.
        var parent = result.Dispatched.Count <= 16 ? parentJobId : null;
        var jobs = result.Dispatched.Select(step => (step, _dispatcher.Enqueue(step with { Queue = MonolithQueue(run) ?? step.Queue }, TitleOf(run, step), parent))).ToArray();
        if (jobs.Length > 0)
            await Ledger.SetJobsAsync(jobs, ct);
        if (result.EndState is not null)
            await OnEndedAsync(run.RunId, ct);
    }

    private static string TitleOf(RunRecord run, DispatchedStep step) => IsMonolith(run) ? $"{run.Workflow} #{run.RunId} monolith from {step.Step}"
        : step.Partitions > 1 ? $"{run.Workflow} #{run.RunId} {step.Step} {step.Partition + 1} of {step.Partitions}" : $"{run.Workflow} #{run.RunId} {step.Step}";

    private static bool IsMonolith(RunRecord run) => run.Mode != RunModes.Stages;

    /// <summary>A monolith is one job, whatever its first step: it belongs where its heaviest part would be executed.</summary>
    private static string? MonolithQueue(RunRecord run) => run.Mode switch
    {
        RunModes.MonolithTrain => "training",
        RunModes.MonolithInfer => "inference",
        _ => null,
    };

    private async Task UndispatchDeadJobsAsync(TimeSpan age, CancellationToken ct)
    {
        foreach (var row in await Ledger.StaleDispatchesAsync(age, ct))
            if (row.Engine != _dispatcher.EngineId || row.JobId is null || !_dispatcher.IsAlive(row.JobId))
                await Ledger.UndispatchAsync(row.StageRunId, row.DispatchNo, ct);
    }

    private async Task OnEndedAsync(long runId, CancellationToken ct)
    {
        if (await Ledger.FindRunAsync(runId, ct) is not { } run)
            return;
        var failed = (await Ledger.StageRunsAsync(runId, ct)).Where(s => s.State == States.Failed).ToArray();
        EngineTelemetry.RunEnded(run);
        _log.Log(run.State == States.Failed ? LogLevel.Error : LogLevel.Information, "Run {Run} of {Workflow} for {Window} has ended: {State}",
            run.RunId, run.Workflow, run.Window, run.State);
        RunEnded?.Invoke(new(run, failed));
        if (run is { State: States.Succeeded, CatchUp: true })
            await ContinueCatchUpAsync(run, ct);
        Wake();
    }
}
