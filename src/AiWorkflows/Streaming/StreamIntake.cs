using System.Collections.Concurrent;
using System.Threading.Channels;
using AiWorkflows.Inference;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Streaming;

/// <summary>
/// Takes events in: requests that arrive while a transaction is being written share the next one. What waits is bounded, here and behind it; beyond that requests are
/// turned away, never dropped.
/// </summary>
internal sealed class StreamIntake : IAsyncDisposable
{
    /// <summary>Events in one transaction: large enough to share its cost, small enough that nobody waits long for it.</summary>
    private const int MostEvents = 5_000;

    private static readonly TimeSpan LooksAreValidFor = TimeSpan.FromMilliseconds(500);

    private sealed record Pending(StreamAppend Append, TaskCompletionSource<bool> Taken);

    private readonly IStreamStore _store;
    private readonly StreamSignals _signals;
    private readonly StreamOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<StreamIntake> _log;
    private readonly Channel<Pending> _queue = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _looking = new(1, 1);
    private readonly ConcurrentDictionary<string, long> _behind = [];
    private readonly Task _work;
    private long _looked;
    private int _waiting;

    public StreamIntake(IStreamStore store, StreamSignals signals, StreamOptions options, TimeProvider time, ILogger<StreamIntake> log)
    {
        (_store, _signals, _options, _time, _log) = (store, signals, options, time, log);
        _work = Task.Run(WriteAsync);
    }

    /// <summary>Waits until the events are durable.</summary>
    /// <returns>False if the request had been taken in before: then nothing was written.</returns>
    /// <exception cref="OverloadedException">Too much is waiting, or the stream is too far behind.</exception>
    public async Task<bool> AppendAsync(StreamAppend append, CancellationToken ct)
    {
        if (await BehindAsync(append.Stream, ct) is var behind && behind > _options.MostBehind)
            throw new OverloadedException($"Stream '{append.Stream}' is {behind} events behind, more than {_options.MostBehind}; send again in a moment.");
        if (Interlocked.Add(ref _waiting, append.Events.Count) > _options.MostWaiting && append.Events.Count < Volatile.Read(ref _waiting))
        {
            Interlocked.Add(ref _waiting, -append.Events.Count);
            throw new OverloadedException($"{_options.MostWaiting} events are waiting to be written; send again in a moment.");
        }
        var pending = new Pending(append, new(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_queue.Writer.TryWrite(pending))
        {
            Interlocked.Add(ref _waiting, -append.Events.Count);
            throw new OverloadedException("The host is stopping; send to another one, or again in a moment.");
        }
        return await pending.Taken.Task;
    }

    /// <summary>Writes what is waiting, and takes nothing more.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_queue.Writer.TryComplete())
            return;
        _stop.CancelAfter(TimeSpan.FromSeconds(10));
        await _work;
        _stop.Dispose();
        _looking.Dispose();
    }

    private async Task<long> BehindAsync(string stream, CancellationToken ct)
    {
        if (_looked == 0 || _time.GetElapsedTime(Volatile.Read(ref _looked)) > LooksAreValidFor)
        {
            await _looking.WaitAsync(ct);
            try
            {
                if (_looked == 0 || _time.GetElapsedTime(_looked) > LooksAreValidFor)
                {
                    foreach (var of in (await _store.PartitionsAsync(ct)).GroupBy(p => p.Stream))
                        _behind[of.Key] = of.Sum(p => p.Head - p.Committed);
                    Volatile.Write(ref _looked, _time.GetTimestamp());
                }
            }
            finally
            {
                _looking.Release();
            }
        }
        return _behind.GetValueOrDefault(stream);
    }

    private async Task WriteAsync()
    {
        var group = new List<Pending>();
        while (await _queue.Reader.WaitToReadAsync())
        {
            var events = 0;
            while (events < MostEvents && _queue.Reader.TryRead(out var next))
            {
                group.Add(next);
                events += next.Append.Events.Count;
            }
            try
            {
                var taken = await _store.AppendAsync([.. group.Select(r => r.Append)], _stop.Token);
                foreach (var (stream, partition) in group.SelectMany(r => r.Append.Events.Select(e => (r.Append.Stream, e.Partition))).Distinct())
                    _signals.HasEvents(stream, partition);
                for (var i = 0; i < group.Count; i++)
                    group[i].Taken.SetResult(taken[i]);
            }
            catch (Exception e)
            {
                _log.LogError("Events could not be written, so they were not accepted: {Reason}", e.Message);
                foreach (var request in group)
                    request.Taken.TrySetException(e);
            }
            Interlocked.Add(ref _waiting, -events);
            group.Clear();
        }
    }
}
