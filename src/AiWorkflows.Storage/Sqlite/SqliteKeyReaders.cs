using System.Diagnostics;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>
/// Readers for look-ups by key, kept for the next one. Their views of the database stay open between look-ups, and while one is open the write-ahead log cannot begin
/// anew: who moves the log into the database suspends them for that moment, and one that nobody has used for a while is let go.
/// </summary>
internal sealed class SqliteKeyReaders(SqliteDatabase database) : IDisposable
{
    private const int MostIdle = 16;
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(1);

    /// <summary>A look-up takes microseconds; on a machine that has stalled it is not waited for.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(50);

    private readonly object _lock = new();
    private readonly Stack<SqliteKeyReader> _idle = [];
    private readonly HashSet<SqliteKeyReader> _out = [];
    private HashSet<SqliteKeyReader> _awaited = [];
    private Timer? _timer;
    private bool _isSuspended;
    private bool _disposed;

    public SqliteKeyReader Rent()
    {
        lock (_lock)
            if (_idle.TryPop(out var idle))
            {
                _out.Add(idle);
                return idle;
            }
        var reader = new SqliteKeyReader(database, this);
        lock (_lock)
            _out.Add(reader);
        return reader;
    }

    /// <param name="isSound">Whether it can be used again.</param>
    public void Return(SqliteKeyReader reader, bool isSound)
    {
        lock (_lock)
        {
            _out.Remove(reader);
            if (isSound && !_disposed && _idle.Count < MostIdle)
            {
                if (_isSuspended)
                    reader.LetGo();
                _idle.Push(reader);
                _timer ??= new Timer(_ => LetRestingGo(), null, LongestRest, Timeout.InfiniteTimeSpan);
            }
            else
                reader.Close();
            if (_awaited.Remove(reader) && _awaited.Count == 0)
                Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Does something while no view is open that was opened before it, and goes on when none is open that was opened during it.</summary>
    public void Suspended(Action work)
    {
        lock (_lock)
        {
            _isSuspended = true;
            foreach (var reader in _idle)
                reader.LetGo();
            AwaitThoseOut();
        }
        try
        {
            work();
        }
        finally
        {
            lock (_lock)
            {
                AwaitThoseOut();
                _isSuspended = false;
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer?.Dispose();
            while (_idle.TryPop(out var reader))
                reader.Close();
        }
    }

    /// <summary>Waits for the look-ups that are being made, not for those that begin meanwhile.</summary>
    private void AwaitThoseOut()
    {
        _awaited = [.. _out];
        var since = Stopwatch.GetTimestamp();
        while (_awaited.Count > 0 && LongestWait - Stopwatch.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
            Monitor.Wait(_lock, left);
        _awaited = [];
    }

    /// <summary>What nobody uses must not hold the log of another process that writes.</summary>
    private void LetRestingGo()
    {
        lock (_lock)
        {
            if (_disposed)
                return;
            var isUsed = false;
            foreach (var reader in _idle)
                if (Stopwatch.GetElapsedTime(reader.LastUse) >= LongestRest)
                    reader.LetGo();
                else
                    isUsed = true;
            _timer!.Dispose();
            _timer = isUsed ? new Timer(_ => LetRestingGo(), null, LongestRest, Timeout.InfiniteTimeSpan) : null;
        }
    }
}
