using System.Collections.Concurrent;
using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary>The host that a command becomes for as long as it follows its run, when no other has the database.</summary>
internal sealed class CliHost(CliContext context) : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    /// <summary>Three beats of a host.</summary>
    private static readonly TimeSpan Alive = TimeSpan.FromSeconds(30);

    private readonly EmbeddedHost _host = context.Get<EmbeddedHost>();
    private readonly ConcurrentDictionary<long, StageProgress> _progress = [];
    private string? _other;
    private long _tried;
    private bool _stopped;

    /// <summary>Whether the work is done here; stays true when it has been stopped.</summary>
    public bool IsHost { get; private set; }

    /// <summary>Who has the database instead.</summary>
    public string Other => _other ?? _host.Holder()?.ToString() ?? "Another process";

    /// <summary>Becomes the host if there is none. Asked again and again, it looks every two seconds: the other one may have ended.</summary>
    public async Task TryStartAsync(CancellationToken ct)
    {
        if (IsHost || (_tried != 0 && TimeProvider.System.GetElapsedTime(_tried) < Retry))
            return;
        var isFirst = _tried == 0;
        _tried = TimeProvider.System.GetTimestamp();
        context.Get<RunEngine>().AttemptStarted += Follow;
        _other = await SharingHostAsync(context, ct);
        if (_other is null && await _host.TryBecomeHostAsync("run", ct))
        {
            IsHost = true;
            return;
        }
        context.Get<RunEngine>().AttemptStarted -= Follow;
        if (isFirst)
            await context.Get<RunEngine>().RegisterAsync(ct);
    }

    /// <summary>Whether some process works on the database.</summary>
    public static async Task<bool> IsHeldAsync(CliContext context, CancellationToken ct)
    {
        if (context.Get<HostSettings>().IsShared)
            return await SharingHostAsync(context, ct) is not null;
        using var probe = HostLock.TryTake(context.Get<HostSettings>().DatabasePath);
        return probe is null;
    }

    /// <summary>A host that serves a shared database; null where there is none, or where the lock of an embedded database tells.</summary>
    private static async Task<string?> SharingHostAsync(CliContext context, CancellationToken ct)
    {
        if (!context.Get<HostSettings>().IsShared)
            return null;
        var now = await context.Get<StoreDatabase>().NowAsync(ct);
        return (await context.Get<ILedger>().HostsAsync(ct)).FirstOrDefault(h => h.Kind == EmbeddedHost.Serve && h.LastSeen > now - Alive)?.Host;
    }

    /// <summary>The step with what the code in this process has done by now; the ledger hears of it every ten seconds.</summary>
    public StepRow WithProgress(StepRow step) => step.State == States.Running && _progress.TryGetValue(step.StageRunId, out var now)
        ? step with { RowsRead = now.RowsRead, RowsWritten = now.RowsWritten, ProgressDone = now.Done, ProgressTotal = now.Total > 0 ? now.Total : null, ProgressText = now.Text }
        : step;

    /// <summary>Gives back what is not finished.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!IsHost || _stopped)
            return;
        _stopped = true;
        context.Get<RunEngine>().AttemptStarted -= Follow;
        await _host.StopAsync();
    }

    private void Follow(AttemptStartedEvent started) => _progress[started.Attempt.StageRunId] = started.Progress;
}
