namespace AiWorkflows.Workflows;

internal sealed partial class RunEngine
{
    /// <summary>More than these are too many to be shown, and to be inserted in one transaction.</summary>
    private const int MostWindows = 10_000;

    private const int MostParallel = 64;

    /// <summary>Requests a backfill, or finds the same one that was requested before.</summary>
    /// <exception cref="InvalidRequestException">An unknown workflow, model or version, bounds or a step off the grid, or options that exclude each other.</exception>
    public async Task<BackfillResult> RequestBackfillAsync(BackfillOrder order, CancellationToken ct)
    {
        var (id, created) = await Ledger.RequestBackfillAsync(await CheckAsync(order, ct), ct);
        Wake();
        return new(await RequireBackfillAsync(id, ct), created);
    }

    /// <summary>Cancels all windows that have not ended; running code is told within two seconds, in whichever host it runs.</summary>
    /// <param name="why">Kept with each run and on record; null where nobody said.</param>
    /// <returns>How many windows.</returns>
    /// <exception cref="InvalidRequestException">There is no such backfill.</exception>
    public async Task<int> CancelBackfillAsync(long backfillId, string by, string? why, CancellationToken ct)
    {
        await RequireBackfillAsync(backfillId, ct);
        var (windows, running) = await Ledger.CancelBackfillAsync(backfillId, by, why, ct);
        foreach (var runId in running)
        {
            _executor.StopRun(runId);
            await OnEndedAsync(runId, ct);
        }
        return windows;
    }

    /// <summary>Resumes the failed and cancelled windows; what has succeeded in them is kept.</summary>
    /// <returns>How many windows.</returns>
    /// <exception cref="InvalidRequestException">There is no such backfill.</exception>
    public async Task<int> RetryBackfillAsync(long backfillId, string by, CancellationToken ct)
    {
        await RequireBackfillAsync(backfillId, ct);
        var windows = await Ledger.RetryBackfillAsync(backfillId, by, ct);
        Wake();
        return windows;
    }

    private async Task<BackfillRecord> RequireBackfillAsync(long backfillId, CancellationToken ct) => await Ledger.FindBackfillAsync(backfillId, ct)
        ?? throw new InvalidRequestException($"There is no backfill {backfillId}; 'backfill list' shows those there are.");

    private async Task<BackfillRequest> CheckAsync(BackfillOrder order, CancellationToken ct)
    {
        var workflow = _catalog.Workflow(order.Workflow);
        var grid = WindowGrid.Of(workflow);
        var window = grid.Require(workflow.Name, order.From, order.To);
        if (grid.Floor(workflow.Until is { } until && until < _clock.GetUtcNow().UtcDateTime ? until : _clock.GetUtcNow().UtcDateTime) is var end && window.To > end)
            throw new InvalidRequestException($"{window} is not over: the last cell of {workflow.Name} that has ended ends at {Timestamps.Display(end)}; a backfill covers what lies before that.");
        if (order.Every <= TimeSpan.Zero || order.Every.Ticks % grid.Size.Ticks != 0)
            throw new InvalidRequestException($"{(order.Backtest ? "--retrain-every" : "--every")} must be a multiple of {grid.DescribeSize()}, the cell of {workflow.Name}; {order.Every} is not.");
        var count = (window.Length.Ticks + order.Every.Ticks - 1) / order.Every.Ticks;
        if (count > MostWindows)
            throw new InvalidRequestException($"That would be {count:N0} windows; make at most {MostWindows:N0} with a longer {(order.Backtest ? "--retrain-every" : "--every")}, or split the request.");
        if (order.Parallel is < 1 or > MostParallel)
            throw new InvalidRequestException($"--parallel is 1 to {MostParallel}; {order.Parallel} is not.");
        if (order.Backtest && !workflow.Stages.Any(s => s.Inference is { } i && workflow.Stages.Any(t => t.Training?.ModelName == i.Model)))
            throw new InvalidRequestException($"{workflow.Name} has no stage that trains a model and one that predicts with it; there is nothing to test back.");
        if (order is { Train: true, Parallel: > 1 })
            throw new InvalidRequestException("With --train each window learns from those before it, so they run one after another; leave out --parallel.");
        if (order.Parallel > 1 && workflow.Stages.FirstOrDefault(s => s.Feature is { IsSequential: true }) is { } fold)
            throw new InvalidRequestException($"{fold.Name} goes on from the last row of each key in the window before, so windows run one after another; leave out --parallel.");
        if (order.Train && order.Models.Count > 0)
            throw new InvalidRequestException("--model says which version predicts and --train trains new ones; leave one of them out.");

        string[] models = [.. workflow.Stages.Where(s => s.Inference is not null).Select(s => s.Inference!.Model).Distinct()];
        foreach (var pin in order.Models)
        {
            if (!models.Contains(pin.Model))
                throw NearMatches.Unknown($"model of {workflow.Name}", pin.Model, models);
            if (await _stores.Registry.FindVersionAsync(pin.Model, pin.Version, ct) is null)
                throw new InvalidRequestException($"Model {pin.Model} has no version {pin.Version}; 'models show {pin.Model}' shows those there are.");
        }
        if (order.Models.GroupBy(p => p.Model).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidRequestException($"--model {twice.Key} is given twice; a backfill predicts with one version.");
        return new(order, [.. Windows(window, order.Every)], order.Train ? [] : [.. models.Where(m => order.Models.All(p => p.Model != m))]);
    }

    private static IEnumerable<Window> Windows(Window all, TimeSpan every)
    {
        for (var from = all.From; from < all.To; from += every)
            yield return new(from, from + every < all.To ? from + every : all.To);
    }

    private async Task<BackfillTerms?> TermsAsync(RunRecord run, CancellationToken ct) => run.BackfillId is { } id
        ? new((await RequireBackfillAsync(id, ct)) is var backfill && backfill.Train, (await Ledger.PinsAsync(run.RunId, ct)).Select(p => p.Model).ToHashSet(StringComparer.Ordinal), backfill.Backtest)
        : null;

    /// <summary>Later windows of a backfill may have waited for what has just ended.</summary>
    private async Task AdvanceLaterWindowsAsync(RunRecord run, CancellationToken ct)
    {
        if (run.BackfillId is { } backfillId)
            foreach (var later in await Ledger.WaitingWindowsAsync(backfillId, run.RunId, ct))
                if (await Ledger.FindRunAsync(later, ct) is { } window)
                    await AdvanceAsync(window, null, look: true, ct);
    }
}
