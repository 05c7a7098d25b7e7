using System.Diagnostics;
using AiWorkflows.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Streaming;

/// <summary>Works on one partition for as long as its claim holds: reads events, computes, publishes.</summary>
internal sealed class PartitionWorker(
    StreamDefinition stream, StreamClaim claim, IStreamStore streams, IFeatureStore store, OnlineFeatures online, IServiceProvider services,
    StreamSignals signals, StreamOptions options, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private StreamClaim _claim = claim;
    private string? _error;

    public StreamClaim Claim => _claim;

    /// <summary>Returns when the claim is lost or <paramref name="ct"/> is cancelled. What cannot be computed is tried again, for the code or the store may change.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        var pause = options.Retry;
        while (!ct.IsCancellationRequested)
            try
            {
                await using var scope = services.CreateAsyncScope();
                await WorkAsync(scope.ServiceProvider, () => pause = options.Retry, ct);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (FencedException e)
            {
                log.LogInformation("{Reason}", e.Message);
                return;
            }
            catch (Exception e)
            {
                await FailedAsync(e, ct);
                if (!await PauseAsync(pause, ct))
                    return;
                pause = pause + pause < LongestPause ? pause + pause : LongestPause;
                // A commit without an answer may have been made: only the store knows how far it is.
                if (!await ReadBackAsync(ct))
                    return;
            }
    }

    private async Task WorkAsync(IServiceProvider scope, Action succeeded, CancellationToken ct)
    {
        var processor = stream.Open(_claim.Partition, scope, store, online, new(store, await store.CurrentSeqAsync(ct)));
        signals.HasCome(stream.Name, _claim.Latest);
        await processor.RestoreAsync(_claim.Latest, signals.Latest(stream.Name), ct);
        var seen = processor.Seen;
        var (published, clock) = (0L, (DateTime?)null);
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            var events = await streams.ReadAsync(stream.Name, _claim.Partition, _claim.Committed, options.MostEvents, ct);
            if (events.Count > 0 && events.Count < options.MostEvents && published != 0 && options.Linger - Stopwatch.GetElapsedTime(published) is var rest && rest > TimeSpan.Zero)
            {
                await Task.Delay(rest, time, ct);
                events = await streams.ReadAsync(stream.Name, _claim.Partition, _claim.Committed, options.MostEvents, ct);
            }
            // Who has taken everything knows that the others have come as far as they have.
            var latest = events.Count < options.MostEvents ? signals.Latest(stream.Name) : null;
            if (events.Count == 0 && (latest is null || latest <= clock))
            {
                succeeded();
                await signals.WaitAsync(stream.Name, _claim.Partition, clock, options.Poll, ct);
                continue;
            }
            foreach (var e in events)
                await processor.TakeAsync(e.Payload, ct);
            var batch = await processor.FlushAsync(latest, ct);
            clock = latest ?? clock;
            if (events.Count == 0 && batch.Changes.Count == 0)
                continue;
            var committed = events.Count > 0 ? events[^1].Offset : _claim.Committed;
            // Not cancelled: what is being committed is let finish.
            var result = await streams.PublishAsync(
                new(_claim, stream, committed, batch, Math.Max(seen, processor.Seen), processor.DependsOn, events.Count > 0 ? events[0].ReceivedAt : null, options.Lease, options.CodeVersion),
                CancellationToken.None);
            published = Stopwatch.GetTimestamp();
            _claim = _claim with { Committed = committed, Latest = batch.Latest };
            signals.HasCome(stream.Name, batch.Latest);
            succeeded();
            if (_error is not null)
                log.LogInformation("Partition {Partition} of stream {Stream} goes on", _claim.Partition, stream.Name);
            _error = null;
            if (result.OthersWrote)
            {
                log.LogInformation("Partition {Partition} of stream {Stream}: others have written events that it counts; it takes its state up again", _claim.Partition, stream.Name);
                await processor.RestoreAsync(batch.Latest, signals.Latest(stream.Name), ct);
                (seen, clock) = (processor.Seen, null);
            }
            else
                seen = Math.Max(Math.Max(seen, processor.Seen), result.Seq);
        }
    }

    private async Task FailedAsync(Exception error, CancellationToken ct)
    {
        var message = error is AiWorkflowsException ? error.Message : $"{error.GetType().Name}: {error.Message}";
        if (message != _error)
        {
            if (error is AiWorkflowsException)
                log.LogError("Partition {Partition} of stream {Stream} does not go on: {Reason}", _claim.Partition, stream.Name, message);
            else
                log.LogError(error, "Partition {Partition} of stream {Stream} does not go on", _claim.Partition, stream.Name);
        }
        _error = message;
        try
        {
            await streams.FailAsync(_claim, message, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            log.LogWarning("It could not be written down either: {Reason}", e.Message);
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task<bool> ReadBackAsync(CancellationToken ct)
    {
        try
        {
            var mine = (await streams.PartitionsAsync(ct)).FirstOrDefault(p => p.Stream == stream.Name && p.Partition == _claim.Partition);
            if (mine is null || mine.Owner != _claim.Owner)
                return false;
            _claim = _claim with { Committed = mine.Committed, Latest = mine.Latest };
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            log.LogWarning("Partition {Partition} of stream {Stream}: {Reason}", _claim.Partition, stream.Name, e.Message);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        return true;
    }

    private async Task<bool> PauseAsync(TimeSpan pause, CancellationToken ct)
    {
        try
        {
            await Task.Delay(pause, time, ct);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
