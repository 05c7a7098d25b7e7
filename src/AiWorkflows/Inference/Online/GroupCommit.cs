using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Inference;

/// <summary>
/// Logs what is answered: requests that arrive while a transaction is being written share the next one, so that a durable write is paid once for all of them.
/// The queue is bounded; beyond it requests are turned away, never dropped.
/// </summary>
internal sealed class GroupCommit : IAsyncDisposable
{
    /// <summary>Rows in one transaction: large enough to share its cost, small enough that nobody waits long for it.</summary>
    private const int MostRows = 512;

    private sealed record Pending(IReadOnlyList<OnlineRow> Rows, TaskCompletionSource<bool> Logged);

    private readonly IOnlineLog _log;
    private readonly ILogger _logger;
    private readonly Channel<Pending> _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private readonly int _capacity;
    private int _waiting;

    /// <param name="capacity">Rows that may wait.</param>
    public GroupCommit(IOnlineLog log, int capacity, ILogger logger)
    {
        (_log, _logger, _capacity) = (log, logger, capacity);
        _queue = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
        _work = Task.Run(WriteAsync);
    }

    /// <summary>Waits until the rows of one request are durable.</summary>
    /// <returns>False if the request had been logged before: then nothing was written.</returns>
    /// <exception cref="OverloadedException">Too much is waiting.</exception>
    public Task<bool> AppendAsync(IReadOnlyList<OnlineRow> rows)
    {
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
        return pending.Logged.Task;
    }

    /// <summary>Writes what is waiting, and takes nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_queue.Writer.TryComplete())
            return;
        _stop.CancelAfter(TimeSpan.FromSeconds(10));
        await _work;
        _stop.Dispose();
    }

    private async Task WriteAsync()
    {
        var group = new List<Pending>();
        while (await _queue.Reader.WaitToReadAsync())
        {
            var rows = 0;
            while (rows < MostRows && _queue.Reader.TryRead(out var next))
            {
                group.Add(next);
                rows += next.Rows.Count;
            }
            try
            {
                var logged = await _log.AppendAsync([.. group.Select(r => r.Rows)], _stop.Token);
                for (var i = 0; i < group.Count; i++)
                    group[i].Logged.SetResult(logged[i]);
            }
            catch (Exception e)
            {
                _logger.LogError("Predictions could not be logged, so they were not answered: {Reason}", e.Message);
                foreach (var request in group)
                    request.Logged.TrySetException(e);
            }
            Interlocked.Add(ref _waiting, -rows);
            group.Clear();
        }
    }
}
