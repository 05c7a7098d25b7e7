using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Inference;

/// <summary>
/// Logs what is answered: requests that arrive while a transaction is being written share the next one, so that a durable write is paid once for all of them.
/// The queue is bounded; beyond it requests are turned away, never dropped.
/// </summary>
internal sealed class GroupCommit : IAsyncDisposable
{
    /// <summary>How long a request waits for the log before it is told to come again: long enough for a slow disk, short enough for the client's own patience.</summary>
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(10);

    /// <summary>Rows in one transaction: large enough to share its cost, small enough that nobody waits long for it.</summary>
    private const int MostRows = 512;

    private readonly IOnlineLog _log;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private readonly int _capacity;
    private readonly TimeSpan _patience;

    /// <summary>Guards everything below.</summary>
    private readonly object _lock = new();

    /// <summary>One for all that wait: a timer for each would cost more than its part of the transaction.</summary>
    private readonly Timer _watch;

    private Queue<Waiting> _waiting = [];
    private readonly List<Waiting> _group = [];
    private int _rows;
    private bool _isResting;
    private bool _isStopping;
    private long _writingSince;

    /// <param name="capacity">Rows that may wait.</param>
    /// <param name="patience">How long a request waits; null for ten seconds.</param>
    public GroupCommit(IOnlineLog log, int capacity, ILogger logger, TimeSpan? patience = null)
    {
        (_log, _logger, _capacity, _patience) = (log, logger, capacity, patience ?? UsualPatience);
        _watch = new(_ => GiveUp());
        // A thread of its own: waiting for the disk all the time, it would else be missing among those that answer requests.
        _work = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Waits until the rows of one request are durable.</summary>
    /// <exception cref="OverloadedException">Too much is waiting, or the log takes nothing for the moment.</exception>
    public Task<Logged> AppendAsync(LogEntry entry)
    {
        if (IsStuck)
            return Task.FromException<Logged>(Stuck());
        var waiting = new Waiting(entry);
        lock (_lock)
        {
            if (_isStopping)
                return Task.FromException<Logged>(new OverloadedException("The host is stopping; ask another one, or again in a moment."));
            if (_rows + entry.Rows.Count > _capacity)
                return Task.FromException<Logged>(new OverloadedException($"{_capacity} predictions are waiting to be logged; ask again in a moment."));
            _rows += entry.Rows.Count;
            _waiting.Enqueue(waiting);
            if (_isResting)
                Monitor.Pulse(_lock);
        }
        return waiting.Task;
    }

    /// <summary>Whether the log takes rows at the moment; with the next ones, if there are any, else with a transaction of none.</summary>
    public async Task<bool> TakesRowsAsync()
    {
        try
        {
            return await AppendAsync(new([], IsAssumed: false)) == Logged.Written;
        }
        catch (Exception e)
        {
            _logger.LogDebug("The prediction log takes no rows: {Reason}", e.Message);
            return false;
        }
    }

    /// <summary>Refuses at once what would wait in vain behind a transaction that does not end.</summary>
    /// <exception cref="OverloadedException">One has been written for longer than a request waits.</exception>
    public void ThrowIfStuck()
    {
        if (IsStuck)
            throw Stuck();
    }

    private bool IsStuck => Volatile.Read(ref _writingSince) is var since and not 0 && Stopwatch.GetElapsedTime(since) > _patience;

    private static OverloadedException Stuck() =>
        new("The prediction log does not answer, so there is no answer either; ask again in a moment, with the same request_id if there is one.");

    /// <summary>Writes what is waiting, and takes nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_lock)
        {
            if (_isStopping)
                return;
            _isStopping = true;
            Monitor.Pulse(_lock);
        }
        _stop.CancelAfter(TimeSpan.FromSeconds(10));
        await _work;
        await _watch.DisposeAsync();
        _stop.Dispose();
    }

    private void Write()
    {
        Thread.CurrentThread.Name = "Prediction log";
        while (TakeGroup())
        {
            var failed = default(Exception);
            IReadOnlyList<Logged> logged = [];
            var filled = _group.Where(w => w.Entry.Rows.Count > 0).ToArray();
            try
            {
                logged = _log.AppendAsync([.. filled.Select(w => w.Entry)], _stop.Token).GetAwaiter().GetResult();
            }
            catch (Exception e)
            {
                _logger.LogError("Predictions could not be logged, so they were not answered: {Reason}", e.Message);
                failed = e;
            }
            for (var i = 0; failed is null && i < filled.Length; i++)
                filled[i].TrySetResult(logged[i]);
            lock (_lock)
            {
                _watch.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _writingSince = 0;
                _rows -= _group.Sum(w => w.Entry.Rows.Count);
            }
            foreach (var waiting in _group)
                if (failed is null)
                    waiting.TrySetResult(Logged.Written);
                else
                    waiting.Fail(failed);
            _group.Clear();
        }
    }

    /// <summary>Waits for rows, and takes them; false when there will be none any more.</summary>
    private bool TakeGroup()
    {
        lock (_lock)
        {
            while (_waiting.Count == 0)
            {
                if (_isStopping)
                    return false;
                _isResting = true;
                Monitor.Wait(_lock);
                _isResting = false;
            }
            for (var rows = 0; rows < MostRows && _waiting.TryDequeue(out var next); rows += next.Entry.Rows.Count)
                _group.Add(next);
            _writingSince = Stopwatch.GetTimestamp();
            // The one that has come first is the first to give up.
            var left = _patience - Stopwatch.GetElapsedTime(_group[0].Since);
            _watch.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    /// <summary>What is still waiting is left out of the log; of what is being written nobody knows yet.</summary>
    private void GiveUp()
    {
        lock (_lock)
        {
            if (_writingSince == 0)
                return;
            foreach (var waiting in _group.Concat(_waiting))
                if (Stopwatch.GetElapsedTime(waiting.Since) >= _patience)
                    waiting.Fail(Stuck());
            var patient = new Queue<Waiting>(_waiting.Where(w => !w.Task.IsCompleted));
            _rows -= _waiting.Where(w => w.Task.IsCompleted).Sum(w => w.Entry.Rows.Count);
            _waiting = patient;
            _watch.Change(_patience / 16, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>A request whose rows are on their way.</summary>
    private sealed class Waiting(LogEntry entry) : TaskCompletionSource<Logged>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public LogEntry Entry => entry;

        public long Since { get; } = Stopwatch.GetTimestamp();

        public void Fail(Exception error)
        {
            // Seen here, so that nobody misses it who has gone away.
            if (TrySetException(error))
                _ = Task.Exception;
        }
    }
}
