using System.Diagnostics;
using AiWorkflows.Features;

namespace AiWorkflows.Workflows;

internal enum StopReason
{
    None,

    /// <summary>The row is no longer this attempt's: cancelled, expired, or claimed by another.</summary>
    Fenced,

    TimeLimit,

    Shutdown,
}

/// <summary>An attempt that this host is executing, and the ways to stop it.</summary>
internal sealed class RunningAttempt : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abandon = new();
    private readonly CancellationTokenRegistration _shutdown;
    private readonly Timer? _limit;
    private readonly TimeSpan _abandonAfter;
    private readonly long _started = Stopwatch.GetTimestamp();
    private int _reason;

    public RunningAttempt(AttemptRef attempt, TimeSpan? timeLimit, TimeSpan abandonAfter, CancellationToken shutdown)
    {
        (Ref, TimeLimit, _abandonAfter) = (attempt, timeLimit, abandonAfter);
        _limit = timeLimit is { } limit ? new Timer(_ => Stop(StopReason.TimeLimit), null, limit, Timeout.InfiniteTimeSpan) : null;
        _shutdown = shutdown.Register(() => Stop(StopReason.Shutdown));
    }

    public AttemptRef Ref { get; }

    public TimeSpan? TimeLimit { get; }

    public StageProgress Progress { get; } = new();

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_started);

    public StopReason Reason => (StopReason)Volatile.Read(ref _reason);

    /// <summary>Cancelled when the code has to stop.</summary>
    public CancellationToken Stopped => _stop.Token;

    /// <summary>Cancelled when code that has not stopped is no longer waited for.</summary>
    public CancellationToken Abandoned => _abandon.Token;

    /// <summary>Tells the code to stop; the first reason counts.</summary>
    public void Stop(StopReason reason)
    {
        if (Interlocked.CompareExchange(ref _reason, (int)reason, (int)StopReason.None) != (int)StopReason.None)
            return;
        try
        {
            _abandon.CancelAfter(_abandonAfter);
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended in the meantime.
        }
    }

    public void Dispose()
    {
        _shutdown.Dispose();
        _limit?.Dispose();
        _stop.Dispose();
        _abandon.Dispose();
    }
}
