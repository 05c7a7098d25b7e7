using System.Text.Json;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>
/// The engine of this process: runs jobs and looks for work until it is stopped. An embedded database has one host, which holds its lock: <c>serve</c> for its
/// whole life; a command that finds no host becomes one for as long as it follows its run. A shared database has any number of them, and its leases decide.
/// </summary>
internal sealed class EmbeddedHost(
    HostSettings settings, StoreDatabase database, Catalog catalog, RunEngine engine, ILedger ledger, JobServers servers, WorkflowSchedules schedules, RetentionSchedule retention, FailureWebhook webhook,
    IHostApplicationLifetime lifetime, ILogger<EmbeddedHost> log) : IAsyncDisposable
{
    /// <summary>The kind of a host that serves; other kinds are names of commands.</summary>
    public const string Serve = "serve";

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Silent = TimeSpan.FromMinutes(5);

    /// <summary>How long a process that has to end may take to do so in good order.</summary>
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(30);

    private readonly DateTime _since = TimeProvider.System.GetUtcNow().UtcDateTime;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lazy<string> _stages = new(() => JsonSerializer.Serialize(catalog.Workflows.SelectMany(w => w.Stages.Select(s => LiveHosts.NameOf(w.Name, s.Name)))));
    private HostLock? _lock;
    private bool _acquired;
    private Task? _work;
    private string _kind = "";
    private string? _url;

    /// <summary>Whether this process is a host of the database.</summary>
    public bool Acquired => _acquired;

    /// <summary>Whether the process ends because code that ignores its cancellation has taken all its workers.</summary>
    public bool IsExhausted { get; private set; }

    /// <summary>Whether jobs are run here.</summary>
    public bool Running => _work is not null;

    /// <summary>Becomes the database's host, if there is none.</summary>
    /// <exception cref="InvalidRequestException">The directory cannot be written.</exception>
    public bool TryAcquire(string kind)
    {
        if (_acquired)
            return true;
        if (!settings.IsShared && (_lock = HostLock.TryTake(settings.DatabasePath)) is null)
            return false;
        _kind = kind;
        _lock?.Note(Me);
        return _acquired = true;
    }

    /// <summary>The host that has the database, as far as it is known.</summary>
    public HostHolder? Holder() => HostLock.Holder(settings.DatabasePath);

    /// <summary>Takes over what an earlier host left, and runs jobs from now on. The database is migrated and the lock acquired.</summary>
    /// <param name="url">Where this host serves; null for a command.</param>
    public async Task StartAsync(string? url, CancellationToken ct)
    {
        if (!_acquired)
            throw new InvalidOperationException("Acquire the database first.");
        if (Running)
            return;
        if (settings.IsShared)
            await SqlServerJobs.PrepareAsync(database, ct);
        _url = url;
        _lock?.Note(Me);
        engine.TriggersOnData = _kind == Serve;
        engine.AttemptStarted += JobProgress.Follow;
        engine.RunEnded += OnRunEnded;
        engine.Exhausted += OnExhausted;
        await SeenAsync(ct);
        await ForgetOthersAsync(ct);
        await engine.StartAsync(ct);
        if (_kind == Serve)
        {
            // A replay ticks by a clock of its own.
            if (settings.Replay is null)
                schedules.Register();
            retention.Register();
        }
        servers.Start();
        _work = Task.WhenAll(Task.Run(() => engine.RunAsync(_stopping.Token), CancellationToken.None), Task.Run(BeatAsync, CancellationToken.None));
    }

    /// <summary>Acquires and starts in one step, for a command: false while another host works on the database, which then does what was requested.</summary>
    public async Task<bool> TryBecomeHostAsync(string kind, CancellationToken ct)
    {
        if (Running)
            return true;
        if (!TryAcquire(kind))
            return false;
        await StartAsync(null, ct);
        return true;
    }

    /// <summary>Gives running steps back, waits for them, and lets the next host in.</summary>
    public async Task StopAsync()
    {
        if (!_acquired)
            return;
        try
        {
            await _stopping.CancelAsync();
            if (_work is not null)
            {
                await servers.StopAsync(CancellationToken.None);
                await _work;
                engine.AttemptStarted -= JobProgress.Follow;
                engine.RunEnded -= OnRunEnded;
                engine.Exhausted -= OnExhausted;
                await webhook.FlushAsync();
                await ledger.CollectAsync(CancellationToken.None);
                await ledger.HostGoneAsync(settings.HostName, CancellationToken.None);
            }
        }
        catch (Exception e)
        {
            // What is left open here, the next host takes over as after a crash.
            log.LogWarning(e, "The host did not stop cleanly; the next one takes over what is left");
        }
        finally
        {
            _work = null;
            _lock?.Dispose();
            (_lock, _acquired) = (null, false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    private HostHolder Me => new(Environment.ProcessId, _kind, _url, _since);

    private void OnRunEnded(RunEndedEvent ended) => webhook.Notify(ended, _url);

    /// <summary>Threads cannot be killed, processes can: whatever supervises this one starts a new one, which takes over what is left.</summary>
    private void OnExhausted()
    {
        IsExhausted = true;
        log.LogCritical("As many stages as there are workers have ignored their cancellation; this process ends, so that another one can go on");
        lifetime.StopApplication();
        _ = Task.Run(async () =>
        {
            await Task.Delay(LongestEnd, CancellationToken.None);
            Environment.Exit(1);
        });
    }

    /// <summary>Hosts that have ended without saying so: all others of an embedded database, and those that have been silent for long.</summary>
    private async Task ForgetOthersAsync(CancellationToken ct)
    {
        var hosts = await ledger.HostsAsync(ct);
        // Of the database's clock, as the others are.
        var now = hosts.Max(h => h.LastSeen);
        foreach (var gone in hosts.Where(h => h.Host != settings.HostName && (!settings.IsShared || h.LastSeen < now - Silent)))
            await ledger.HostGoneAsync(gone.Host, ct);
    }

    private Task SeenAsync(CancellationToken ct) => ledger.HostSeenAsync(
        new(settings.HostName, settings.EngineId, Environment.ProcessId, _kind == Serve ? "serve" : "cli", _url, JsonSerializer.Serialize(servers.Queues),
            settings.CodeVersion, _since, TimeProvider.System.GetUtcNow().UtcDateTime, _stages.Value), ct);

    private async Task BeatAsync()
    {
        using var timer = new PeriodicTimer(Beat);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token))
                try
                {
                    await SeenAsync(_stopping.Token);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogWarning(e, "This host could not say that it is alive; it tries again");
                }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }
}
