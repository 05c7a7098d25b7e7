using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

/// <summary>
/// Drives runs through the ledger: requests, admission, planning, dispatch, execution, recovery. Any number of callers and hosts may
/// do any of it at once; what is safe is decided by the ledger's transactions, never by this class.
/// </summary>
internal sealed partial class RunEngine : IDisposable
{
    private readonly Catalog _catalog;
    private readonly EngineStores _stores;
    private readonly IJobDispatcher _dispatcher;
    private readonly RunEngineOptions _options;
    private readonly BusinessClock _clock;
    private readonly ILogger _log;
    private readonly StepExecutor _executor;
    private readonly StoreWatch _watch;
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly SemaphoreSlim _admission = new(1, 1);
    private readonly ConcurrentDictionary<long, byte> _monoliths = [];

    public RunEngine(
        Catalog catalog, EngineStores stores, IJobDispatcher dispatcher, RunEngineOptions options, BusinessClock clock, IServiceScopeFactory scopes, ILoggerFactory loggers)
    {
        (_catalog, _stores, _dispatcher, _options, _clock) = (catalog, stores, dispatcher, options, clock);
        _log = loggers.CreateLogger("AiWorkflows.Engine");
        _watch = new(options.Lease);
        _executor = new(catalog, stores, options, clock, _watch, scopes, loggers);
    }

    /// <summary>Raised once in the host in which a run ended, after the ledger has it. Handlers must not throw.</summary>
    public event Action<RunEndedEvent>? RunEnded;

    /// <summary>Raised on the job's thread before the code of a step runs. Handlers must not throw.</summary>
    public event Action<AttemptStartedEvent>? AttemptStarted
    {
        add => _executor.AttemptStarted += value;
        remove => _executor.AttemptStarted -= value;
    }

    /// <summary>Raised when as many pieces of code as there are workers have ignored their cancellation: only the end of the process can stop them.</summary>
    public event Action? Exhausted
    {
        add => _executor.Exhausted += value;
        remove => _executor.Exhausted -= value;
    }

    private ILedger Ledger => _stores.Ledger;

    /// <summary>Registers what is defined, takes over what an earlier host left behind, and starts what was requested.</summary>
    /// <exception cref="InvalidRequestException">A feature group changed in a way that its version does not allow.</exception>
    public async Task StartAsync(CancellationToken ct)
    {
        await RegisterAsync(ct);
        if (_options.OnlyHost && await Ledger.ExpireAsync(everything: true, _options.MaxLost, ct) is var expired and > 0)
        {
            EngineTelemetry.LeasesWereLost(expired);
            _log.LogInformation("Took over {Count} steps that an earlier host left running", expired);
        }
        await UndispatchDeadJobsAsync(_options.OnlyHost ? TimeSpan.Zero : _options.StaleDispatch, ct);
        await Ledger.CollectAsync(ct);
        await TakeWrittenRequestsAsync(ct);
        await AdmitRequestedAsync(ct);
        await AdvanceRunningAsync(ct);
    }

    /// <summary>Makes workflows, groups and views known to the stores; every host does it before anything else, also one that only requests.</summary>
    public async Task RegisterAsync(CancellationToken ct)
    {
        await Ledger.RenameStagesAsync(Renames.Of(_catalog), ct);
        await Ledger.RegisterWorkflowsAsync([.. _catalog.Workflows.Select(w => (w.Name, w.MaxRunning, w.Overlap))], ct);
        await _stores.Features.RegisterAsync(_catalog.Groups, [.. _catalog.Views.Select(v => v.Registration)], ct);
    }

    /// <summary>Polls for requests and cancellations and sweeps, until it is cancelled. Call <see cref="StartAsync"/> first.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        long token = -1;
        var nextSweep = NextSweep();
        var nextData = 0L;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                var woken = await _wake.WaitAsync(_options.Poll, ct);
                var changed = await Ledger.ChangeTokenAsync(ct);
                _watch.Answered();
                if (TriggersOnData && (woken || changed != token || TimeProvider.System.GetTimestamp() >= nextData))
                    nextData = await TriggerOnDataAsync(ct) is { } wait ? TimeProvider.System.GetTimestamp() + (long)(wait.TotalSeconds * TimeProvider.System.TimestampFrequency) : long.MaxValue;
                if (woken || changed != token)
                {
                    token = changed;
                    await TakeWrittenRequestsAsync(ct);
                    await AdmitRequestedAsync(ct);
                    await _executor.StopCancelledAsync(ct);
                }
                if (TimeProvider.System.GetTimestamp() >= nextSweep)
                {
                    nextSweep = NextSweep();
                    await SweepAsync(ct);
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The database may be away for a while; work in progress goes on, and the next poll tries again.
                _watch.Failed();
                _log.LogError(e, "The engine could not look for work; it tries again");
                await Task.Delay(_options.Poll, CancellationToken.None);
            }
        }
    }

    /// <summary>Makes the loop look for work at once.</summary>
    public void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
    }

    public void Dispose()
    {
        _wake.Dispose();
        _admission.Dispose();
    }

    private long NextSweep() =>
        TimeProvider.System.GetTimestamp() + (long)(_options.Sweep.TotalSeconds * (0.8 + 0.4 * Random.Shared.NextDouble()) * TimeProvider.System.TimestampFrequency);
}
