using Microsoft.Extensions.Logging;

namespace AiWorkflows.Streaming;

/// <summary>Reads one part of a source for as long as its claim holds; events and position go into the log together.</summary>
internal sealed class SourceWorker(StreamDefinition stream, ISourceReader source, SourceClaim claim, IStreamStore streams, StreamSignals signals, StreamOptions options, TimeProvider time, ILogger log)
{
    /// <summary>Who is further ahead of the partitions waits, so that the log does not grow without bound.</summary>
    private const long MostAhead = 100_000;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(100);

    private SourceClaim _claim = claim;
    private string? _error;

    public SourceClaim Claim => _claim;

    public async Task RunAsync(CancellationToken ct)
    {
        var pause = options.Retry;
        var before = _claim.Offset;
        try
        {
            while (true)
                try
                {
                    await ReadAsync(ct);
                    pause = options.Retry;
                    await Task.Delay(options.SourcePoll, time, ct);
                }
                catch (FencedException e)
                {
                    log.LogInformation("{Reason}", e.Message);
                    return;
                }
                catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
                {
                    await FailedAsync(e, ct);
                    // A source that never ends has come further in the meantime.
                    if (_claim.Offset != before)
                        pause = options.Retry;
                    before = _claim.Offset;
                    await Task.Delay(pause, time, ct);
                    pause = pause + pause < LongestPause ? pause + pause : LongestPause;
                    var mine = (await streams.SourcesAsync(ct)).FirstOrDefault(s => s.Stream == stream.Name && s.Source == _claim.Source);
                    if (mine is null || mine.Owner != _claim.Owner)
                        return;
                    // An answer may have been lost: only the store knows how far it is.
                    _claim = _claim with { Offset = mine.Offset };
                }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        catch (Exception e)
        {
            log.LogWarning("Part {Part} of the source of stream {Stream}: {Reason}", _claim.Source, stream.Name, e.Message);
        }
    }

    private async Task ReadAsync(CancellationToken ct)
    {
        var events = new List<(int, string)>(options.MostEvents);
        var (position, started) = (_claim.Offset, 0L);
        // What comes slowly is not held back for a full batch.
        await using var reading = source.ReadAsync(_claim.Source, _claim.Offset, ct).GetAsyncEnumerator(ct);
        var next = reading.MoveNextAsync().AsTask();
        try
        {
            while (true)
            {
                if (events.Count > 0 && !next.IsCompleted)
                {
                    var rest = LongestWait - time.GetElapsedTime(started);
                    if (rest <= TimeSpan.Zero || await Task.WhenAny(next, Task.Delay(rest, time, ct)) != next)
                    {
                        await TakeAsync(events, position, ct);
                        continue;
                    }
                }
                if (!await next)
                    break;
                if (events.Count == 0)
                    started = time.GetTimestamp();
                var e = reading.Current;
                events.Add((e.Partition, e.Payload));
                position = e.Position;
                if (events.Count >= options.MostEvents)
                    await TakeAsync(events, position, ct);
                next = reading.MoveNextAsync().AsTask();
            }
            await TakeAsync(events, position, ct);
        }
        finally
        {
            // An enumerator must not be disposed of while it is at work.
            await next.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task TakeAsync(List<(int Partition, string Json)> events, string? position, CancellationToken ct)
    {
        if (events.Count == 0)
            return;
        while ((await streams.PartitionsAsync(ct)).Where(p => p.Stream == stream.Name).Sum(p => p.Head - p.Committed) > MostAhead)
            await Task.Delay(options.Linger, time, ct);
        await streams.AppendAsync([new(stream.Name, null, [.. events], _claim with { Offset = position })], CancellationToken.None);
        _claim = _claim with { Offset = position };
        _error = null;
        foreach (var partition in events.Select(e => e.Partition).Distinct())
            signals.HasEvents(stream.Name, partition);
        events.Clear();
    }

    private async Task FailedAsync(Exception error, CancellationToken ct)
    {
        var message = error is AiWorkflowsException ? error.Message : $"{error.GetType().Name}: {error.Message}";
        if (message != _error)
            log.LogError("Part {Part} of the source of stream {Stream} is not read: {Reason}", _claim.Source, stream.Name, message);
        _error = message;
        await streams.FailSourceAsync(_claim, message, ct);
    }
}
