using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using AiWorkflows.Storage;

namespace AiWorkflows.Tests.Faults;

/// <summary>What a client has got for a request.</summary>
internal sealed record Answered(string RequestId, string Body, string Text)
{
    public IReadOnlyList<JsonElement> Predictions => [.. JsonDocument.Parse(Text).RootElement.GetProperty("predictions").EnumerateArray()];
}

/// <summary>What the log holds of a request.</summary>
internal sealed class LoggedPrediction
{
    public const string All = """
        SELECT r.request_id, r.item, r.batch_id, r.ordinal, r.entity_key, b.version, r.score, r.probability, r.output, r.missing
        FROM {prediction_log.online_rows} r JOIN {prediction_log.batches} b ON b.batch_id = r.batch_id
        """;

    public string? RequestId { get; set; }

    public int Item { get; set; }

    public long BatchId { get; set; }

    public int Ordinal { get; set; }

    public string EntityKey { get; set; } = "";

    public int Version { get; set; }

    public double Score { get; set; }

    public double Probability { get; set; }

    public string Output { get; set; } = "";

    public string Missing { get; set; } = "";

    public string Shown => PredictionClients.Shown((BatchId << 32) + Ordinal, EntityKey, Version, Score, Probability, Output, Missing);
}

/// <summary>
/// Clients of a host that predicts, each with a connection of its own. A request that gets no answer, because the host has died or says that it
/// cannot at the moment, is sent again under the same id until it gets one.
/// </summary>
internal sealed class PredictionClients : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients;
    private readonly Func<Random, object> _instance;
    private int _unanswered;
    private int _refused;

    /// <param name="path">Of the model's predictions.</param>
    /// <param name="instance">Makes an instance.</param>
    public PredictionClients(Uri host, string path, Func<Random, object> instance, int clients)
    {
        _instance = instance;
        _clients = [.. Enumerable.Range(0, clients).Select(client => Task.Run(() => AskAsync(new Uri(host, path), client)))];
    }

    /// <summary>Clients of the meters' alarms.</summary>
    public static PredictionClients OfMeters(int port, int clients) => new(new Uri(Address(port)), Alarm, Meter, clients);

    public const string Alarm = "/api/models/alarm/predictions";

    public ConcurrentBag<Answered> Answers { get; } = [];

    /// <summary>What no host may answer.</summary>
    public ConcurrentBag<string> Wrong { get; } = [];

    /// <summary>Requests whose connection broke before an answer.</summary>
    public int Unanswered => _unanswered;

    /// <summary>Requests that were told to come again (503).</summary>
    public int Refused => _refused;

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public static HttpClient Http(int port) => new() { BaseAddress = new Uri(Address(port)), Timeout = TimeSpan.FromSeconds(60) };

    public static Task<HttpResponseMessage> PostAsync(HttpClient http, string path, string body) => http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

    /// <summary>Waits until the host behind a port answers.</summary>
    public static async Task ReadyAsync(int port, FaultProcess host)
    {
        using var http = Http(port);
        for (var watch = System.Diagnostics.Stopwatch.StartNew(); ; await Task.Delay(20))
        {
            if (host.HasExited)
                throw new InvalidOperationException($"The host has ended.\n{await host.TextAsync()}");
            try
            {
                using var response = await http.GetAsync("/health/ready");
                if (response.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                // It does not listen yet.
            }
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(2));
        }
    }

    /// <summary>Lets each client get the answer that it waits for, and no more.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients).WaitAsync(TimeSpan.FromMinutes(2));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _stop.Dispose();
    }

    /// <summary>Every answer is in the log once, with the same values, and the log of these clients holds nothing else.</summary>
    public async Task CheckLogAsync(StoreDatabase database)
    {
        Wrong.ShouldBeEmpty();
        var logged = (await database.ReadAsync<LoggedPrediction>(LoggedPrediction.All, null, TestContext.Current.CancellationToken)).ToLookup(r => r.RequestId ?? "");
        foreach (var answer in Answers)
        {
            var rows = logged[answer.RequestId].OrderBy(r => r.Item).ToList();
            var predictions = answer.Predictions;
            rows.Select(r => r.Item).ShouldBe(Enumerable.Range(0, predictions.Count), answer.RequestId);
            for (var i = 0; i < rows.Count; i++)
                Shown(predictions[i]).ShouldBe(rows[i].Shown, answer.RequestId);
        }
        logged.Select(r => r.Key).Except(Answers.Select(a => a.RequestId)).ShouldBeEmpty("logged, and never answered");
        Answers.Select(a => a.RequestId).Distinct().Count().ShouldBe(Answers.Count);
    }

    public Task CheckLogAsync(FaultSite site) => site.ReadAsync(async database =>
    {
        await CheckLogAsync(database);
        return true;
    });

    public static string Shown(long id, string key, int version, double score, double probability, string output, string missing) => string.Join(' ', id, key, version,
        score.ToString("R", CultureInfo.InvariantCulture), probability.ToString("R", CultureInfo.InvariantCulture), output, missing);

    private static string Address(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");

    private async Task AskAsync(Uri address, int client)
    {
        using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 }) { Timeout = TimeSpan.FromSeconds(60) };
        var random = new Random(client);
        for (var n = 0; !_stop.IsCancellationRequested; n++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"c{client}-{n}");
            var body = JsonSerializer.Serialize(new { request_id = id, instances = Enumerable.Range(0, random.Next(1, 4)).Select(_ => _instance(random)).ToArray() });
            while (!await AnsweredAsync(http, address, id, body))
                await Task.Delay(30);
        }
    }

    private async Task<bool> AnsweredAsync(HttpClient http, Uri address, string id, string body)
    {
        try
        {
            using var response = await PostAsync(http, address.ToString(), body);
            var text = await response.Content.ReadAsStringAsync();
            switch (response.StatusCode)
            {
                case HttpStatusCode.OK:
                    Answers.Add(new(id, body, text));
                    return true;
                case HttpStatusCode.ServiceUnavailable when response.Headers.RetryAfter is not null && response.Content.Headers.ContentType?.MediaType == "application/problem+json":
                    Interlocked.Increment(ref _refused);
                    return false;
                default:
                    Wrong.Add($"{(int)response.StatusCode} {text} for {body}");
                    return true;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            Interlocked.Increment(ref _unanswered);
            return false;
        }
    }

    /// <summary>A meter that is looked up, one whose row is given, or one that nobody knows.</summary>
    private static object Meter(Random random) => random.Next(3) switch
    {
        0 => new { meter = random.Next(12) },
        1 => new { meter = random.Next(12), value = random.Next(1000) / 1000f, at = "2001-01-05T00:00:00Z" },
        _ => new { meter = 100 + random.Next(1000) },
    };

    private static string Shown(JsonElement p) => Shown(p.GetProperty("prediction_id").GetInt64(), p.GetProperty("entity_key").GetRawText(), p.GetProperty("version").GetInt32(),
        p.GetProperty("score").GetDouble(), p.GetProperty("probability").GetDouble(), p.GetProperty("output").GetRawText(), p.GetProperty("missing").GetRawText());
}
