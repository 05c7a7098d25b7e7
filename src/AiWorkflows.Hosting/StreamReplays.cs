using AiWorkflows.Inference;
using AiWorkflows.Streaming;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>The streams of a <c>serve --replay</c>: each event is taken in when the clock of the replay comes to it, as if it were pushed then.</summary>
internal sealed class StreamReplays(Catalog catalog, IServiceProvider services, StreamIntake intake, BusinessClock clock, TimeProvider time, ILogger<StreamReplays> log)
{
    private const int MostAtOnce = 1_000;

    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(500);

    /// <summary>The streams that say what they are replayed from.</summary>
    public IReadOnlyList<StreamDefinition> Streams => [.. catalog.Streams.Where(s => s.CreateReplay is not null)];

    /// <summary>Feeds them from an instant of the clock to another, and returns.</summary>
    public Task RunAsync(DateTime from, DateTime until, CancellationToken ct)
    {
        var feeds = new List<Task>();
        foreach (var stream in Streams)
        {
            var reader = stream.OpenReplay(services)!;
            for (var part = 0; part < reader.Parts; part++)
            {
                var one = part;
                feeds.Add(Task.Run(() => FeedAsync(stream, reader, one, from, until, ct), ct));
            }
        }
        return Task.WhenAll(feeds);
    }

    private async Task FeedAsync(StreamDefinition stream, ISourceReader reader, int part, DateTime from, DateTime until, CancellationToken ct)
    {
        try
        {
            var due = new List<(int, string)>();
            await foreach (var e in reader.ReadAsync(part, null, ct))
            {
                if (e.Time < from)
                    continue;
                if (e.Time >= until)
                    break;
                while (due.Count >= MostAtOnce || e.Time > clock.GetUtcNow().UtcDateTime)
                {
                    await TakeAsync(stream, due, ct);
                    if (clock.RealTimeTo(e.Time ?? from) is not { } wait)
                        return;
                    if (wait > TimeSpan.Zero)
                        await Task.Delay(wait > Together ? wait : Together, time, ct);
                }
                due.Add((e.Partition, e.Payload));
            }
            await TakeAsync(stream, due, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            log.LogError("Stream {Stream} is not replayed any further: {Reason}", stream.Name, e.Message);
        }
    }

    private async Task TakeAsync(StreamDefinition stream, List<(int, string)> due, CancellationToken ct)
    {
        while (due.Count > 0)
            try
            {
                await intake.AppendAsync(new(stream.Name, null, [.. due]), ct);
                due.Clear();
            }
            catch (OverloadedException)
            {
                await Task.Delay(Again, time, ct);
            }
    }
}
