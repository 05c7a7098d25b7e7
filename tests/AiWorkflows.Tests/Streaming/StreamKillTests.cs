using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Streaming;
using AiWorkflows.Tests.Flights;
using FlightDelays;

namespace AiWorkflows.Tests.Streaming;

/// <summary>Real flight events over HTTP into the reference application, which is killed again and again.</summary>
public sealed class StreamKillTests
{
    private static readonly TimeSpan Lateness = TimeSpan.FromHours(2);
    private static readonly DateTime Beginning = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public Task A_host_that_is_killed_loses_and_doubles_nothing() => RunAsync(flights: 1_000, kills: 1, seed: 1);

    [Fact]
    public async Task Three_hundred_thousand_events_and_twenty_kills_give_the_rows_of_the_batch()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1", "Set AIWORKFLOWS_TEST_LONG=1: it takes minutes.");
        await RunAsync(flights: 150_000, kills: 20, seed: 2);
    }

    private static async Task RunAsync(int flights, int kills, int seed)
    {
        var watch = Stopwatch.StartNew();
        using var folder = new TempFolder();
        var random = new Random(seed);
        var events = await EventsAsync(flights);
        var pushed = Disorder(random, events);
        var batches = Cut(random, pushed, most: Math.Max(60, flights / 75));
        var killAt = Enumerable.Range(0, batches.Count).OrderBy(_ => random.Next()).Take(kills).ToHashSet();
        await using var host = new KilledHost(folder.File(""));
        await host.StartAsync();
        for (var i = 0; i < batches.Count; i++)
        {
            var push = host.PushAsync(i, batches[i]);
            if (killAt.Contains(i))
            {
                // Now while the request is on its way, now while its events are being worked on.
                await Task.Delay(random.Next(2) == 0 ? random.Next(6) : random.Next(150), TestContext.Current.CancellationToken);
                await host.KillAsync();
                await host.StartAsync();
            }
            await push;
        }
        var stream = await host.DrainAsync();
        await host.KillAsync();

        var (taken, late, absurd) = Oracle(pushed);
        taken.Count.ShouldBe(events.Count - late.Count - absurd.Distinct().Count());
        await using var database = new SqliteDatabase(Path.Combine(folder.File(""), "data", "aiworkflows.db"));
        var store = new SqliteFeatureStore(database);
        (await RowsAsync<FlightEvent>(store)).ShouldBe(taken);
        var quarantine = await database.ReadAsync<string>("SELECT row_json FROM {feature_store.quarantine} WHERE rule_name = 'late'", null, default);
        quarantine.Order(StringComparer.Ordinal).ShouldBe(late.Select(RowCodec<FlightEvent>.Instance.Json).Order(StringComparer.Ordinal));
        (await database.ReadAsync<string>("SELECT row_json FROM {feature_store.quarantine} WHERE rule_name LIKE 'delay in%'", null, default)).Order(StringComparer.Ordinal)
            .ShouldBe(absurd.Select(RowCodec<FlightEvent>.Instance.Json).Order(StringComparer.Ordinal), "the batch would have kept them out too");
        stream.GetProperty("refused").GetInt64().ShouldBe(absurd.Count);
        stream.GetProperty("late").GetInt64().ShouldBe(late.Count);
        stream.GetProperty("duplicates").GetInt64().ShouldBe(pushed.Count - taken.Count - late.Count - absurd.Count);
        stream.GetProperty("events").GetInt64().ShouldBe(pushed.Count);

        await using var batch = new WorkflowTestHost(ai => ai.Add<AirportPulsePipeline>());
        batch.Given(taken);
        var hop = TimeSpan.FromMinutes(15).Ticks;
        await batch.RunAsync<AirportPulsePipeline>(new Window(Beginning, new DateTime((taken.Max(e => e.At).Ticks / hop + 1) * hop + 10, DateTimeKind.Utc)));
        var rows = await RowsAsync<AirportPulse>(store);
        rows.Count.ShouldBeGreaterThan(flights / 10);
        rows.ShouldBe(batch.Rows<AirportPulse>());
        var commits = await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {feature_store.commits}", null, default);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{pushed.Count:N0} events ({pushed.Count - events.Count:N0} twice, {late.Count:N0} late) in {batches.Count:N0} requests, {host.Kills - 1} kills, {host.Retries} requests sent again: {rows.Count:N0} rows of the pulse as the batch gives them, in {commits:N0} commits, {watch.Elapsed.TotalSeconds:N0} s");
    }

    private static async Task<List<FlightEvent>> EventsAsync(int flights)
    {
        var events = new List<FlightEvent>();
        await foreach (var flight in new FlightSource(Path.Combine(AppContext.BaseDirectory, "data", "flights-2001-h1-top20.parquet")).ReadAsync(new Window(Beginning.AddDays(-1), Beginning.AddDays(181)), default))
        {
            events.AddRange(FlightEvent.Of(flight));
            if (events.Count >= 2 * flights)
                break;
        }
        return [.. events.OrderBy(e => e.At)];
    }

    /// <summary>Each event comes up to the lateness later than it happened, one in twenty twice; one in three hundred comes much later.</summary>
    private static List<FlightEvent> Disorder(Random random, List<FlightEvent> events)
    {
        var order = new List<(FlightEvent Event, DateTime At)>();
        foreach (var e in events)
        {
            if (random.Next(300) == 0)
                order.Add((e, e.At + Lateness * (2 + 3 * random.NextDouble())));
            else
                for (var copy = random.Next(20) == 0 ? 2 : 1; copy > 0; copy--)
                    order.Add((e, e.At + Lateness * (0.999 * random.NextDouble())));
        }
        return [.. order.OrderBy(e => e.At).Select(e => e.Event)];
    }

    private static List<List<FlightEvent>> Cut(Random random, List<FlightEvent> events, int most)
    {
        var batches = new List<List<FlightEvent>>();
        for (var next = 0; next < events.Count; next += batches[^1].Count)
            batches.Add(events.GetRange(next, Math.Min(events.Count - next, random.Next(1, most))));
        return batches;
    }

    /// <summary>Who is kept out, told in the plainest way: an absurd delay, or behind the latest of its partition so far.</summary>
    private static (List<FlightEvent> Taken, List<FlightEvent> Late, List<FlightEvent> Absurd) Oracle(List<FlightEvent> pushed)
    {
        var key = new KeyParts<FlightEvent>((System.Linq.Expressions.Expression<Func<FlightEvent, string>>)(e => e.Airport));
        var latest = new Dictionary<int, DateTime>();
        var (taken, late, absurd) = (new HashSet<FlightEvent>(), new List<FlightEvent>(), new List<FlightEvent>());
        foreach (var e in pushed)
        {
            if (e.Delay is < -90 or > 1500)
            {
                absurd.Add(e);
                continue;
            }
            var partition = key.Partition(e, 4);
            var known = latest.TryGetValue(partition, out var time) ? time : DateTime.MinValue;
            if (known != DateTime.MinValue && e.At < known - Lateness)
                late.Add(e);
            else
                taken.Add(e);
            latest[partition] = e.At > known ? e.At : known;
        }
        var rows = taken.ToList();
        rows.Sort(RowCodec<FlightEvent>.Instance.Compare);
        return (rows, late, absurd);
    }

    private static async Task<IReadOnlyList<TRow>> RowsAsync<TRow>(SqliteFeatureStore store) where TRow : class
    {
        var always = new Window(Beginning.AddYears(-1), Beginning.AddYears(9));
        var commits = await store.CommitsAsync(RowCodec<TRow>.Instance.Schema, await store.CurrentSeqAsync(default), always, default);
        using var feed = new GroupFeed<TRow>(store, commits, null, always, FeedMode.Rows, null, default);
        var rows = new List<TRow>();
        while (await feed.NextAsync(default) is { } batch)
            for (var i = 0; i < batch.Count; i++)
                rows.Add(batch[i].Row);
        return rows;
    }

    /// <summary>The reference application as a process that serves on one port, over and over.</summary>
    private sealed class KilledHost(string folder) : IAsyncDisposable
    {
        private readonly int _port = FreePort();
        private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
        private Process? _process;

        public int Kills { get; private set; }

        public int Retries { get; private set; }

        public async Task StartAsync()
        {
            _process = FlightDelaysProcess.Start(folder, new Dictionary<string, string> { ["Clock"] = "2001-01-01T00:00:00Z", ["Urls"] = $"http://127.0.0.1:{_port}", ["Security__RequestsPerSecond"] = "0" }, "serve");
            _process.OutputDataReceived += (_, _) => { };
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (await StatusAsync() is null)
            {
                _process.HasExited.ShouldBeFalse();
                await Task.Delay(50, patience.Token);
            }
        }

        public async Task KillAsync()
        {
            _process!.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
            Kills++;
        }

        /// <summary>Sends until there is an answer, under one name.</summary>
        public async Task PushAsync(int number, List<FlightEvent> events)
        {
            var body = Encoding.UTF8.GetBytes(string.Concat(events.Select(e => RowCodec<FlightEvent>.Instance.Json(e) + "\n")));
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
            while (true)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{_port}/api/streams/flights/events") { Content = new ByteArrayContent(body) };
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
                request.Headers.Add("Idempotency-Key", number.ToString(CultureInfo.InvariantCulture));
                try
                {
                    using var response = await _http.SendAsync(request, patience.Token);
                    if (response.StatusCode == HttpStatusCode.OK)
                        return;
                    response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, await response.Content.ReadAsStringAsync(patience.Token));
                }
                catch (HttpRequestException)
                {
                    // Killed before it answered.
                }
                Retries++;
                await Task.Delay(50, patience.Token);
            }
        }

        /// <summary>Waits until everything is published and nothing more comes of it.</summary>
        public async Task<JsonElement> DrainAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            var (last, same) = ("", 0);
            while (same < 8)
            {
                await Task.Delay(250, patience.Token);
                var shown = (await StatusAsync())!.Value;
                var text = shown.GetProperty("lag_events").GetInt64() == 0 ? string.Join(' ', shown.GetProperty("partitions").EnumerateArray().Select(p => p.GetProperty("updated_at").GetString())) : "";
                (last, same) = (text, text.Length > 0 && text == last ? same + 1 : 0);
            }
            return (await StatusAsync())!.Value;
        }

        private async Task<JsonElement?> StatusAsync()
        {
            try
            {
                using var response = await _http.GetAsync(new Uri($"http://127.0.0.1:{_port}/api/streams/flights"));
                return response.IsSuccessStatusCode ? JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement : null;
            }
            catch (HttpRequestException)
            {
                return null;
            }
        }

        public ValueTask DisposeAsync()
        {
            _http.Dispose();
            try
            {
                _process?.Kill();
            }
            catch (InvalidOperationException)
            {
                // It has ended.
            }
            return ValueTask.CompletedTask;
        }

        private static int FreePort()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return ((IPEndPoint)listener.LocalEndpoint).Port;
        }
    }
}
