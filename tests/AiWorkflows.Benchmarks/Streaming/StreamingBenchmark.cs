using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using AiWorkflows.Features;
using AiWorkflows.Streaming;
using FlightDelays;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.Benchmarks.Streaming;

/// <summary>What one round gave.</summary>
/// <param name="File">Events a second from a file to published rows.</param>
/// <param name="Http">Events a second over HTTP, from the first request to published rows.</param>
/// <param name="P99">Milliseconds from the answer to an event until a look-up by key, as online inference makes it, sees what it changed.</param>
internal sealed record StreamingRound(double File, double Http, double P50, double P99, long Events);

/// <summary>Real flight events through a host of the pulse: read from a file, pushed over HTTP, and one by one with a look-up after each answer.</summary>
internal static class StreamingBenchmark
{
    private const string Child = "streaming-child";
    private const int Batch = 1_000;
    private const int Senders = 4;
    private const int Looks = 300;

    public static async Task<IReadOnlyList<Aim>> RunAsync(int events, int rounds, string store, CancellationToken ct)
    {
        var results = new List<StreamingRound>();
        for (var round = 0; round < rounds; round++)
            results.Add(await Measurement.InOwnProcessAsync<StreamingRound>(ct, Child, events.ToString(CultureInfo.InvariantCulture)));
        Console.WriteLine();
        Console.WriteLine($"{events:N0} flight events through the pulse of each airport, four partitions, one host");
        foreach (var r in results)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  file {r.File,8:N0} events/s   HTTP {r.Http,8:N0} events/s   answer to look-up p50 {r.P50,6:F0} ms, p99 {r.P99,6:F0} ms"));
        var lags = await PredictionLag.MeasureAsync(Looks, store, ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  answer to prediction p50 {lags.At(50):F0} ms, p99 {lags.At(99):F0} ms, at most {lags.Milliseconds[^1]:F0} ms: {lags.Milliseconds.Count} events that changed a prediction of the delay model, {lags.Unmoved} that did not, {lags.Predictions} predictions"));
        return
        [
            new("streaming: events a second through the file source", Measurement.Median(results.Select(r => r.File)), ">=", 20_000),
            new("streaming: seconds from an answer to its effect on a look-up, p99", Measurement.Median(results.Select(r => r.P99)) / 1000, "<=", 1.0),
            new("streaming: seconds from an answer to its effect on an online prediction, p99", lags.At(99) / 1000, "<=", 1.0),
        ];
    }

    /// <summary>A round, in the child process.</summary>
    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        if (args is not [Child, var size])
            return false;
        var events = await EventsAsync(int.Parse(size, CultureInfo.InvariantCulture), ct);
        var lines = events.Select(e => RowCodec<FlightEvent>.Instance.Json(e)).ToArray();
        var directory = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
        try
        {
            var file = Path.Combine(directory, "events.ndjson");
            await File.WriteAllLinesAsync(file, lines, ct);
            double fromFile, overHttp;
            await using (var host = await StreamingHost.StartAsync(Path.Combine(directory, "file"), s => s.FromFiles(file), ct))
            {
                var watch = Stopwatch.StartNew();
                await host.PublishedAsync(events.Count, ct);
                fromFile = events.Count / watch.Elapsed.TotalSeconds;
            }
            await using var pushed = await StreamingHost.StartAsync(Path.Combine(directory, "http"), s => s, ct);
            var started = Stopwatch.StartNew();
            // In turns, so that no sender is further ahead of another than the lateness allows.
            foreach (var turn in lines.Chunk(Batch).Chunk(Senders))
                await Task.WhenAll(turn.Select(batch => pushed.PushAsync(batch, ct)));
            await pushed.PublishedAsync(events.Count, ct);
            overHttp = events.Count / started.Elapsed.TotalSeconds;
            var looks = await pushed.LookAsync(events[^1], Looks, ct);
            Measurement.Print(new StreamingRound(fromFile, overHttp, looks[looks.Count / 2], looks[looks.Count * 99 / 100], events.Count));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return true;
    }

    private static async Task<List<FlightEvent>> EventsAsync(int count, CancellationToken ct)
    {
        var events = new List<FlightEvent>();
        var source = new FlightSource(Path.Combine(AppContext.BaseDirectory, "data", "flights-2001-h1-top20.parquet"));
        await foreach (var flight in source.ReadAsync(new Window(new DateTime(2000, 12, 31, 0, 0, 0, DateTimeKind.Utc), new DateTime(2001, 7, 2, 0, 0, 0, DateTimeKind.Utc)), ct))
            events.AddRange(FlightEvent.Of(flight));
        return [.. events.OrderBy(e => e.At).Take(count)];
    }

    private sealed class StreamingHost(WebApplication app, Task serving) : IAsyncDisposable
    {
        private readonly HttpClient _http = new();
        private string Url => app.Urls.First();

        public static async Task<StreamingHost> StartAsync(string directory, Func<EventStreamBuilder<FlightEvent>, EventStreamBuilder<FlightEvent>> source, CancellationToken ct)
        {
            Directory.CreateDirectory(directory);
            var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = directory });
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["AiWorkflows:DataDirectory"] = Path.Combine(directory, "data"), ["AiWorkflows:Urls"] = "http://127.0.0.1:0", ["AiWorkflows:Security:RequestsPerSecond"] = "0", ["Logging:LogLevel:Default"] = "Warning",
            });
            builder.AddAiWorkflows(ai => ai.Stream<FlightEvent>("flights", s => source(s.PartitionBy(e => e.Airport, 4).Lateness(TimeSpan.FromHours(2)).Feed<AirportPulsePipeline>())));
            var app = builder.Build();
            app.MapAiWorkflows();
            var host = new StreamingHost(app, app.RunAiWorkflowsAsync(["serve"]));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(TimeSpan.FromSeconds(60));
            while (!await host.IsHeldAsync(patience.Token))
                await Task.Delay(20, patience.Token);
            return host;
        }

        public async Task PublishedAsync(long events, CancellationToken ct)
        {
            while ((await app.Services.GetRequiredService<IStreamStore>().PartitionsAsync(ct)).Sum(p => p.Committed) < events)
                await Task.Delay(20, ct);
        }

        public async Task PushAsync(IEnumerable<string> lines, CancellationToken ct)
        {
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n"))));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
            using var response = await _http.PostAsync(new Uri($"{Url}/api/streams/flights/events"), content, ct);
            response.EnsureSuccessStatusCode();
        }

        /// <summary>Milliseconds from the answer to each of so many events until its airport's row says so, ascending.</summary>
        public async Task<List<double>> LookAsync(FlightEvent last, int count, CancellationToken ct)
        {
            var online = app.Services.GetRequiredService<OnlineFeatures>();
            var lookup = new RowLookup<AirportPulse>(null);
            var window = new Window(last.At.AddDays(-1), last.At.AddDays(1));
            var times = new List<double>();
            int Departed(OnlineLookup open) => open.Find(lookup, [last.Airport], window, KnownWhen.Always)?.Row.Departed1h ?? 0;
            for (var i = 0; i < count; i++)
            {
                int before;
                using (var open = online.Open())
                    before = Departed(open);
                await PushAsync([RowCodec<FlightEvent>.Instance.Json(last with { FlightId = -1 - i, Move = FlightMove.Departed })], ct);
                var watch = Stopwatch.StartNew();
                while (true)
                {
                    using var open = online.Open();
                    if (Departed(open) > before)
                        break;
                    await Task.Delay(1, ct);
                }
                times.Add(watch.Elapsed.TotalMilliseconds);
            }
            times.Sort();
            return times;
        }

        public async ValueTask DisposeAsync()
        {
            app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            await serving;
            _http.Dispose();
            await app.DisposeAsync();
        }

        private async Task<bool> IsHeldAsync(CancellationToken ct)
        {
            try
            {
                return app.Urls.Count > 0 && (await app.Services.GetRequiredService<IStreamStore>().PartitionsAsync(ct)) is { Count: 4 } partitions && partitions.All(p => p.IsHeld);
            }
            catch (Exception e) when (e is not OperationCanceledException && !serving.IsCompleted)
            {
                // Not migrated yet.
                return false;
            }
        }
    }
}
