using AiWorkflows.Features;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Streaming;

/// <summary>The streams of one host: claims its share of the partitions, works on them, gives back what others should have.</summary>
internal sealed class StreamWorkers(
    Catalog catalog, IStreamStore streams, IFeatureStore store, OnlineFeatures online, IServiceProvider services, StreamSignals signals, StreamOptions options, TimeProvider time, ILogger<StreamWorkers> log)
{
    private static readonly TimeSpan BetweenCollections = TimeSpan.FromMinutes(1);

    private readonly string _owner = $"{options.Host}/{Guid.CreateVersion7():N}"[^Math.Min(64, options.Host.Length + 33)..];
    private readonly Dictionary<(string Stream, int Partition), Running> _running = [];
    private readonly Dictionary<(string Stream, int Part), (SourceWorker Worker, CancellationTokenSource Stop, Task Work)> _sources = [];
    private readonly Dictionary<string, ISourceReader> _readers = [];
    private readonly Lazy<IReadOnlyList<ViewReads>> _views = new(() => [.. catalog.Views.Select(v => new ViewReads(v.Name, v.Version, [.. v.ReadsAsPublished.Select(g => (g.Name, g.Version))]))]);

    /// <summary>Makes the streams known to the store, before the first event comes.</summary>
    /// <exception cref="InvalidRequestException">A stream has events in another number of partitions.</exception>
    public Task RegisterAsync(CancellationToken ct) => catalog.Streams.Count == 0 ? Task.CompletedTask : streams.RegisterAsync(catalog.Streams, options.OnlyHost, ct);

    /// <summary>Works until <paramref name="ct"/> is cancelled, and gives everything back at once then.</summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (catalog.Streams.Count == 0)
            return;
        var collected = time.GetTimestamp();
        var watching = WatchAsync(ct);
        try
        {
            while (!ct.IsCancellationRequested)
            {
                try
                {
                    await BalanceAsync(ct);
                    if (time.GetElapsedTime(collected) > BetweenCollections)
                    {
                        collected = time.GetTimestamp();
                        await streams.CollectAsync(options.Keep, ct);
                        await streams.CompactAsync(_views.Value, options.CompactAfter, ct);
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogWarning("Streams: {Reason}", e.Message);
                }
                await Task.Delay(options.Beat, time, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
        finally
        {
            await watching;
            await StopAsync();
        }
    }

    /// <summary>Looks for events that other processes have taken in: once for all partitions, so that streams at rest cost little.</summary>
    private async Task WatchAsync(CancellationToken ct)
    {
        var heads = new Dictionary<(string Stream, int Partition), long>();
        try
        {
            while (true)
            {
                try
                {
                    foreach (var (stream, partition, head) in await streams.HeadsAsync(ct))
                        if (head > heads.GetValueOrDefault((stream, partition)))
                        {
                            heads[(stream, partition)] = head;
                            signals.HasEvents(stream, partition);
                        }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.LogWarning("Streams: {Reason}", e.Message);
                }
                await Task.Delay(options.Poll, time, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private async Task BalanceAsync(CancellationToken ct)
    {
        var beat = await streams.BeatAsync(_owner, options.Host, options.Lease, ct);
        foreach (var (key, running) in _running.ToArray())
            if (running.Work.IsCompleted || !beat.Claims.Contains((key.Stream, key.Partition, running.Worker.Claim.Epoch)))
                await EndAsync(key, running, release: false);

        var partitions = (await streams.PartitionsAsync(ct)).Where(p => catalog.Streams.Any(s => s.Name == p.Stream)).ToArray();
        foreach (var partition in partitions)
            signals.HasCome(partition.Stream, partition.Latest);
        var place = beat.Workers.ToList().IndexOf(_owner);
        var wanted = partitions.Length / beat.Workers.Count + (place < partitions.Length % beat.Workers.Count ? 1 : 0);
        foreach (var (key, running) in _running.OrderByDescending(r => r.Key).Take(Math.Max(0, _running.Count - wanted)).ToArray())
            await EndAsync(key, running, release: true);
        foreach (var partition in partitions.Where(p => !p.IsHeld && !_running.ContainsKey((p.Stream, p.Partition))))
            if (_running.Count < wanted && await streams.ClaimAsync(partition.Stream, partition.Partition, _owner, options.Host, options.Lease, ct) is { } claim)
                Begin(claim);
        await BalanceSourcesAsync(beat, place, ct);
    }

    /// <summary>Parts of sources are spread as partitions are: each to the worker whose turn it is, or to whoever finds it free.</summary>
    private async Task BalanceSourcesAsync(StreamBeat beat, int place, CancellationToken ct)
    {
        foreach (var (key, running) in _sources.ToArray())
            if (running.Work.IsCompleted || !beat.Sources.Contains((key.Stream, key.Part, running.Worker.Claim.Epoch)))
                await EndSourceAsync(key, release: false);
        var turn = 0;
        foreach (var stream in catalog.Streams.Where(s => s.HasSource))
        {
            if (!_readers.TryGetValue(stream.Name, out var reader))
                _readers.Add(stream.Name, reader = stream.OpenSource(services));
            for (var part = 0; part < reader.Parts; part++, turn++)
            {
                var isMine = turn % beat.Workers.Count == place;
                if (!isMine && _sources.ContainsKey((stream.Name, part)))
                    await EndSourceAsync((stream.Name, part), release: true);
                if (isMine && !_sources.ContainsKey((stream.Name, part)) && await streams.ClaimSourceAsync(stream.Name, part, _owner, options.Host, options.Lease, ct) is { } claim)
                {
                    var stop = new CancellationTokenSource();
                    var worker = new SourceWorker(stream, reader, claim, streams, signals, options, time, log);
                    _sources.Add((stream.Name, part), (worker, stop, Task.Run(() => worker.RunAsync(stop.Token), CancellationToken.None)));
                }
            }
        }
    }

    private async Task EndSourceAsync((string Stream, int Part) key, bool release)
    {
        _sources.Remove(key, out var running);
        await running.Stop.CancelAsync();
        await running.Work;
        running.Stop.Dispose();
        if (release)
            await streams.ReleaseSourceAsync(running.Worker.Claim, CancellationToken.None);
    }

    private void Begin(StreamClaim claim)
    {
        var stop = new CancellationTokenSource();
        var worker = new PartitionWorker(catalog.Stream(claim.Stream), claim, streams, store, online, services, signals, options, time, log);
        _running.Add((claim.Stream, claim.Partition), new(worker, stop, Task.Run(() => worker.RunAsync(stop.Token))));
        log.LogInformation("Works on partition {Partition} of stream {Stream} from offset {Offset} on", claim.Partition, claim.Stream, claim.Committed);
    }

    private async Task EndAsync((string Stream, int Partition) key, Running running, bool release)
    {
        _running.Remove(key);
        await running.Stop.CancelAsync();
        await running.Work;
        running.Stop.Dispose();
        if (release)
            await streams.ReleaseAsync(running.Worker.Claim, CancellationToken.None);
    }

    private async Task StopAsync()
    {
        try
        {
            await Task.WhenAll(_running.Values.Select(r => r.Stop.CancelAsync()).Concat(_sources.Values.Select(s => s.Stop.CancelAsync())));
            await Task.WhenAll(_running.Values.Select(r => r.Work).Concat(_sources.Values.Select(s => s.Work)));
            await streams.GoneAsync(_owner, CancellationToken.None);
        }
        catch (Exception e)
        {
            log.LogWarning("Streams could not be given back; others take them when the claims run out: {Reason}", e.Message);
        }
        foreach (var stop in _running.Values.Select(r => r.Stop).Concat(_sources.Values.Select(s => s.Stop)))
            stop.Dispose();
        _running.Clear();
        _sources.Clear();
    }

    private sealed record Running(PartitionWorker Worker, CancellationTokenSource Stop, Task Work);
}
