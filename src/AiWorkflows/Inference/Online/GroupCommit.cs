using System.Diagnostics;
using System.Threading.Channels;
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

    private sealed record Pending(IReadOnlyList<OnlineRow> Rows, TaskCompletionSource<bool> Logged);

    private readonly IOnlineLog _log;
    private readonly ILogger _logger;
    private readonly Channel<Pending> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private readonly int _capacity;
    private readonly TimeSpan _patience;
    private int _waiting;
    private long _writingSince;

    /// <param name="capacity">Rows that may wait.</param>
    /// <param name="patience">How long a request waits; null for ten seconds.</param>
    public GroupCommit(IOnlineLog log, int capacity, ILogger logger, TimeSpan? patience = null)
    {
        (_log, _logger, _capacity, _patience) = (log, logger, capacity, patience ?? UsualPatience);
        _queue = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
        // A thread of its own: waiting for the disk all the time, it would else be missing among those that answer requests.
        _work = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Waits until the rows of one request are durable.</summary>
    /// <returns>False if the request had been logged before: then nothing was written.</returns>
    /// <exception cref="OverloadedException">Too much is waiting, or the log takes nothing for the moment.</exception>
    public async Task<bool> AppendAsync(IReadOnlyList<OnlineRow> rows)
    {
        ThrowIfStuck();
        if (Interlocked.Add(ref _waiting, rows.Count) > _capacity)
        {
            Interlocked.Add(ref _waiting, -rows.Count);
            throw new OverloadedException($"{_capacity} predictions are waiting to be logged; ask again in a moment.");
        }
        var pending = new Pending(rows, new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_queue.Writer.TryWrite(pending))
        {
            Interlocked.Add(ref _waiting, -rows.Count);
            throw new OverloadedException("The host is stopping; ask another one, or again in a moment.");
        }
        try
        {
            return await pending.Logged.Task.WaitAsync(_patience);
        }
        catch (TimeoutException)
        {
            // What is still in the queue is left out then; of what is being written nobody knows yet.
            if (pending.Logged.TrySetException(Stuck()))
                _ = pending.Logged.Task.Exception;
            return await pending.Logged.Task;
        }
    }

    /// <summary>Whether the log takes rows at the moment; with the next ones, if there are any, else with a transaction of none.</summary>
    public async Task<bool> TakesRowsAsync()
    {
        try
        {
            return await AppendAsync([]);
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
        if (Volatile.Read(ref _writingSince) is var since and not 0 && Stopwatch.GetElapsedTime(since) > _patience)
            throw Stuck();
    }

    private static OverloadedException Stuck() =>
        new("The prediction log does not answer, so there is no answer either; ask again in a moment, with the same request_id if there is one.");

    /// <summary>Writes what is waiting, and takes nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_queue.Writer.TryComplete())
            return;
        _stop.CancelAfter(TimeSpan.FromSeconds(10));
        await _work;
        _stop.Dispose();
    }

    private void Write()
    {
        Thread.CurrentThread.Name = "Prediction log";
        var group = new List<Pending>();
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            var rows = 0;
            while (rows < MostRows && _queue.Reader.TryRead(out var next))
            {
                rows += next.Rows.Count;
                // Whoever has given up was told that nothing is answered.
                if (!next.Logged.Task.IsCompleted)
                    group.Add(next);
            }
            try
            {
                Volatile.Write(ref _writingSince, Stopwatch.GetTimestamp());
                var filled = group.Where(r => r.Rows.Count > 0).ToArray();
                var logged = _log.AppendAsync([.. filled.Select(r => r.Rows)], _stop.Token).GetAwaiter().GetResult();
                for (var i = 0; i < filled.Length; i++)
                    filled[i].Logged.TrySetResult(logged[i]);
                foreach (var request in group)
                    request.Logged.TrySetResult(true);
            }
            catch (Exception e)
            {
                _logger.LogError("Predictions could not be logged, so they were not answered: {Reason}", e.Message);
                foreach (var request in group)
                    request.Logged.TrySetException(e);
            }
            Volatile.Write(ref _writingSince, 0);
            Interlocked.Add(ref _waiting, -rows);
            group.Clear();
        }
    }
}
