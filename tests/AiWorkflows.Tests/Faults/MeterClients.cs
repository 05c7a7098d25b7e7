using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Faults;

/// <summary>What a client has got for a request.</summary>
internal sealed record Answered(string RequestId, string Body, string Text)
{
    public IReadOnlyList<JsonElement> Predictions => [.. JsonDocument.Parse(Text).RootElement.GetProperty("predictions").EnumerateArray()];
}

/// <summary>
/// Clients of a host that predicts alarms, each with a connection of its own. A request that gets no answer, because the host has died or says that it
/// cannot at the moment, is sent again under the same id until it gets one.
/// </summary>
internal sealed class MeterClients : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients;
    private readonly int _port;
    private int _unanswered;
    private int _refused;

    public MeterClients(int port, int clients)
    {
        _port = port;
        _clients = [.. Enumerable.Range(0, clients).Select(client => Task.Run(() => AskAsync(client)))];
    }

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

    public static HttpClient Http(int port) => new(new SocketsHttpHandler { MaxConnectionsPerServer = 1 })
    {
        BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}")), Timeout = TimeSpan.FromSeconds(60),
    };

    public static Task<HttpResponseMessage> PostAsync(HttpClient http, string body) =>
        http.PostAsync("/api/models/alarm/predictions", new StringContent(body, Encoding.UTF8, "application/json"));

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
    public void CheckLog(string folder)
    {
        Wrong.ShouldBeEmpty();
        var logged = ReadLog(folder).ToLookup(r => r.RequestId);
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

    private async Task AskAsync(int client)
    {
        using var http = Http(_port);
        var random = new Random(client);
        for (var n = 0; !_stop.IsCancellationRequested; n++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"c{client}-{n}");
            var body = JsonSerializer.Serialize(new { request_id = id, instances = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Instance(random)).ToArray() });
            while (!await AnsweredAsync(http, id, body))
                await Task.Delay(30);
        }
    }

    private async Task<bool> AnsweredAsync(HttpClient http, string id, string body)
    {
        try
        {
            using var response = await PostAsync(http, body);
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
    private static object Instance(Random random) => random.Next(3) switch
    {
        0 => new { meter = random.Next(12) },
        1 => new { meter = random.Next(12), value = random.Next(1000) / 1000f, at = "2001-01-05T00:00:00Z" },
        _ => new { meter = 100 + random.Next(1000) },
    };

    private static string Shown(JsonElement p) => string.Join(' ', p.GetProperty("prediction_id").GetInt64(), p.GetProperty("entity_key").GetRawText(), p.GetProperty("version").GetInt32(),
        p.GetProperty("score").GetDouble().ToString("R", CultureInfo.InvariantCulture), p.GetProperty("probability").GetDouble().ToString("R", CultureInfo.InvariantCulture),
        p.GetProperty("output").GetRawText(), p.GetProperty("missing").GetRawText());

    private static List<(string RequestId, int Item, string Shown)> ReadLog(string folder)
    {
        using var connection = new SqliteConnection($"Data Source={FaultProcess.Database(folder)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = """
            SELECT r.request_id, r.item, (r.batch_id << 32) + r.ordinal, r.entity_key, b.version, r.score, r.probability, r.output, r.missing
            FROM prediction_log_online_rows r JOIN prediction_log_batches b ON b.batch_id = r.batch_id
            """;
        using var reader = command.ExecuteReader();
        var rows = new List<(string, int, string)>();
        while (reader.Read())
            rows.Add((reader.GetString(0), reader.GetInt32(1), string.Join(' ', reader.GetInt64(2), reader.GetString(3), reader.GetInt32(4),
                reader.GetDouble(5).ToString("R", CultureInfo.InvariantCulture), reader.GetDouble(6).ToString("R", CultureInfo.InvariantCulture), reader.GetString(7), reader.GetString(8))));
        return rows;
    }
}
