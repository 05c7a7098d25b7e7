using System.Diagnostics;

namespace AiWorkflows.Workflows;

/// <summary>
/// Remembers that the store was away. A lease that ran out meanwhile may belong to a host that works on and could not prolong it, so none is
/// taken away before that host has had the time of a whole lease.
/// </summary>
internal sealed class StoreWatch(TimeSpan lease)
{
    private readonly Lock _gate = new();
    private bool _away;
    private long? _backSince;

    /// <summary>Whether leases that have run out may be taken away.</summary>
    public bool MayExpire
    {
        get
        {
            lock (_gate)
                return !_away && (_backSince is not { } since || Stopwatch.GetElapsedTime(since) >= lease);
        }
    }

    public void Failed()
    {
        lock (_gate)
            _away = true;
    }

    public void Answered()
    {
        lock (_gate)
            if (_away)
                (_away, _backSince) = (false, Stopwatch.GetTimestamp());
    }

    /// <summary>Whether an error, or what caused it, is that the store did not answer.</summary>
    public static bool IsAway(Exception error)
    {
        for (Exception? e = error; e is not null; e = e.InnerException)
            if (e is AiWorkflowsException { StoreIsAway: true })
                return true;
        return false;
    }
}
