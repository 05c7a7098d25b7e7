using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using AiWorkflows.Benchmarks.Application;
using AiWorkflows.Features;
using FlightDelays;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Benchmarks.Streaming;

/// <summary>Milliseconds from the answer to an event until an online prediction, asked over and over, comes out otherwise; ascending.</summary>
/// <param name="Unmoved">Events after which the score stayed as it was: the trees of the model do not see every change.</param>
/// <param name="Predictions">How many predictions were asked for, each logged durably.</param>
internal sealed record PredictionLags(IReadOnlyList<double> Milliseconds, int Unmoved, int Predictions)
{
    public double At(int percent) => Milliseconds[Milliseconds.Count * percent / 100];
}

/// <summary>
/// The reference application with its model, serving: a flight lands very late at an airport, and the flight that is to leave from there next is predicted again until the prediction has changed.
/// </summary>
internal static class PredictionLag
{
    private static readonly TimeSpan Hop = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly DateTime From = new(2001, 6, 25, 0, 0, 0, DateTimeKind.Utc);

    private sealed record Flight(long Id, string Origin, DateTime At);

    /// <param name="store">Where a run of the reference application is, or is put; it is not changed.</param>
    public static async Task<PredictionLags> MeasureAsync(int events, string store, CancellationToken ct)
    {
        var scratch = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
        try
        {
            var kept = new ReferenceRun(store);
            await kept.EnsureAsync(ct);
            var served = new ReferenceRun(scratch);
            Directory.CreateDirectory(served.Data);
            kept.CopyTo(served.Database);
            var settings = new Dictionary<string, string>(served.Environment) { ["AiWorkflows__Security__RequestsPerSecond"] = "0" };
            using var server = await ServerProcess.StartAsync(ReferenceRun.Program, settings, ct, "serve", "--urls", "http://127.0.0.1:0");
            using var http = new HttpClient { BaseAddress = new($"http://{server.Address}") };
            return await MeasureAsync(http, Flights(served.Database, events + 1), ct);
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<PredictionLags> MeasureAsync(HttpClient http, List<Flight> flights, CancellationToken ct)
    {
        var (lags, unmoved, predictions) = (new List<double>(), 0, 0);
        for (var i = 0; i < flights.Count; i++)
        {
            var before = await PredictAsync(http, flights[i].Id, ct);
            // In the last hop before the moment of the prediction.
            var landed = new DateTime(flights[i].At.Ticks / Hop.Ticks * Hop.Ticks, DateTimeKind.Utc).AddMinutes(-1);
            await PushAsync(http, new(flights[i].Origin, -1 - i, FlightMove.Landed, landed, FlightRecord.LargestDelay), ct);
            var watch = Stopwatch.StartNew();
            var moved = false;
            while (!moved && watch.Elapsed < Patience)
            {
                moved = await PredictAsync(http, flights[i].Id, ct) != before;
                predictions++;
            }
            // The first compiles, and takes the state of its partition up.
            if (i == 0)
                continue;
            if (moved)
                lags.Add(watch.Elapsed.TotalMilliseconds);
            else
                unmoved++;
        }
        lags.Sort();
        return new(lags, unmoved, predictions);
    }

    private static async Task<double> PredictAsync(HttpClient http, long flight, CancellationToken ct)
    {
        using var response = await http.PostAsJsonAsync("/api/models/flight-delay/predictions", new { instances = new[] { new { flight_id = flight } } }, ct);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonElement>(ct)).GetProperty("predictions")[0].GetProperty("score").GetDouble();
    }

    private static async Task PushAsync(HttpClient http, FlightEvent e, CancellationToken ct)
    {
        using var content = new StringContent($"[{RowCodec<FlightEvent>.Instance.Json(e)}]", Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await http.PostAsync("/api/streams/flights/events", content, ct);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>One flight of each hop, so that no event is late and each changes a row that none has changed before.</summary>
    private static List<Flight> Flights(string database, int count)
    {
        using var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = string.Create(CultureInfo.InvariantCulture, $"SELECT flight_id, origin, predict_at FROM feature_store_scheduled_flights_v1_rows WHERE predict_at >= {Timestamps.ToMicros(From)} ORDER BY predict_at, flight_id");
        using var reader = command.ExecuteReader();
        var flights = new List<Flight>();
        while (flights.Count < count && reader.Read())
            if (new Flight(reader.GetInt64(0), reader.GetString(1), Timestamps.FromMicros(reader.GetInt64(2))) is var flight && (flights.Count == 0 || flight.At.Ticks / Hop.Ticks > flights[^1].At.Ticks / Hop.Ticks))
                flights.Add(flight);
        return flights;
    }
}
