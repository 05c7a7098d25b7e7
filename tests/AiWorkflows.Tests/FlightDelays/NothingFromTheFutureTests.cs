using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using global::FlightDelays;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Flights;

/// <summary>
/// Recomputes features of logged predictions from the raw file, in code of its own, from flights that had landed before the prediction and nothing else.
/// </summary>
[Collection(FlightDelaysCollection.Name)]
public sealed class NothingFromTheFutureTests(FlightDelaysRun run)
{
    private const int Predictions = 120;

    [Fact]
    public async Task Two_thousand_features_of_predictions_equal_a_brute_force_over_the_raw_file()
    {
        var everything = (await RawFlights.AllAsync()).Select(f => new Landed(f)).ToArray();
        var raw = everything.Where(f => f.Raw.Delay is >= -90 and <= 1500).ToArray();
        var logged = run.Query("""
            SELECT r.entity_key, r.event_time, r.feature_hash FROM prediction_log_prediction_rows r
            JOIN prediction_log_batches b ON b.batch_id = r.batch_id WHERE b.state = 'published' AND b.role = 'champion'
            """, r => (Key: r.GetString(0), Time: r.GetInt64(1), Hash: r.GetInt64(2))).ToArray();
        new Random(2001).Shuffle(logged);

        await using var services = new ServiceCollection().AddSqliteStorage(run.DatabasePath).BuildServiceProvider();
        var errors = new List<string>();
        var view = FeatureDefinitions.TryCreateView(typeof(DelayView), services, errors);
        var hash = new FeatureVectorHash<DelayExample>(ExampleSchema<DelayExample>.TryCreate(typeof(bool), errors)!);
        errors.ShouldBeEmpty();
        var store = services.GetRequiredService<IFeatureStore>();
        var session = new FeatureReadSession(store, await store.CurrentSeqAsync(default));

        var compared = 0;
        foreach (var prediction in logged.Take(Predictions))
        {
            var time = Timestamps.FromMicros(prediction.Time);
            var explained = await view!.ExplainAsync(session, prediction.Key, time, default);
            var example = (DelayExample)explained!.Example;
            hash.Of(example).ShouldBe(prediction.Hash, "these are the very values that the logged prediction was made from");

            var flight = Decode(JsonSerializer.Deserialize<long[]>(prediction.Key)![0]);
            RawFlights.ToUtc(flight.Local, flight.Origin).AddHours(-1).ShouldBe(time, "each flight is predicted one hour before its scheduled departure");
            var expected = BruteForce(everything, raw, flight, time);
            foreach (var property in typeof(DelayExample).GetProperties())
            {
                var found = (float)property.GetValue(example)!;
                var wanted = (float)property.GetValue(expected)!;
                (float.IsNaN(found) == float.IsNaN(wanted) && (float.IsNaN(found) || Math.Abs(found - wanted) <= 1e-5 * Math.Max(1, Math.Abs(wanted))))
                    .ShouldBeTrue($"{property.Name} of {flight} at {time:O} is {found}, by brute force {wanted}");
                compared++;
            }
        }
        compared.ShouldBeGreaterThanOrEqualTo(2000);
    }

    private static DelayExample BruteForce(Landed[] everything, Landed[] all, RawFlight flight, DateTime now)
    {
        var quarter = Floor(now, TimeSpan.FromMinutes(15));
        var (day, sixth) = (Floor(now, TimeSpan.FromDays(1)), Floor(now, TimeSpan.FromHours(6)));
        var known = all.Where(f => f.At < now).ToArray();
        Landed[] Last(DateTime end, double hours, Func<RawFlight, bool> which) => [.. known.Where(f => f.At >= end.AddHours(-hours) && f.At < end && which(f.Raw))];
        static float Mean(Landed[] flights) => flights.Length == 0 ? float.NaN : (float)flights.Average(f => f.Raw.Delay);
        static float Late(Landed[] flights) => flights.Length == 0 ? float.NaN : (float)flights.Average(f => f.Raw.Delay > 15 ? 1.0 : 0.0);

        // That a flight is due to leave is known, its delay is not; so the absurd ones count too.
        float Departed(string airport) => everything.Count(f => f.Departure >= quarter.AddHours(-1) && f.Departure < quarter && f.Raw.Origin == airport);

        Func<RawFlight, bool> fromOrigin = f => f.Origin == flight.Origin, toOrigin = f => f.Destination == flight.Origin;
        Func<RawFlight, bool> fromDestination = f => f.Origin == flight.Destination, toDestination = f => f.Destination == flight.Destination;
        Func<RawFlight, bool> route = f => f.Origin == flight.Origin && f.Destination == flight.Destination;
        var routeHour = Late(Last(day, 24 * 90, f => route(f) && f.Local.Hour == flight.Local.Hour));
        var originOutLate = Late(Last(quarter, 3, fromOrigin));
        return new DelayExample(
            Hour: flight.Local.Hour, Distance: all.First(f => route(f.Raw)).Raw.Distance,
            OriginLanded: Last(quarter, 1, fromOrigin).Length,
            OriginOut: Mean(Last(quarter, 1, fromOrigin)), OriginOut3h: Mean(Last(quarter, 3, fromOrigin)), OriginOutLate: originOutLate,
            OriginDeparted: Departed(flight.Origin), OriginInLate1h: Late(Last(quarter, 1, toOrigin)),
            OriginIn: Mean(Last(quarter, 1, toOrigin)), OriginIn3h: Mean(Last(quarter, 3, toOrigin)), OriginInLate: Late(Last(quarter, 3, toOrigin)),
            DestOut: Mean(Last(quarter, 1, fromDestination)), DestOut3h: Mean(Last(quarter, 3, fromDestination)), DestOutLate: Late(Last(quarter, 3, fromDestination)),
            DestDeparted: Departed(flight.Destination), DestInLate1h: Late(Last(quarter, 1, toDestination)),
            DestIn: Mean(Last(quarter, 1, toDestination)), DestIn3h: Mean(Last(quarter, 3, toDestination)), DestInLate: Late(Last(quarter, 3, toDestination)),
            RouteHourLate: routeHour, RouteDayDelay: Mean(Last(sixth, 24, route)), Gap: originOutLate - routeHour);
    }

    private static DateTime Floor(DateTime time, TimeSpan hop) => new(time.Ticks / hop.Ticks * hop.Ticks, DateTimeKind.Utc);

    /// <summary>Reads the flight's number backwards: minutes since 2001, three letters, three letters, ordinal.</summary>
    private static RawFlight Decode(long id)
    {
        var rest = id / 8;
        string Code()
        {
            var code = new string([(char)('A' + rest / 676 % 26), (char)('A' + rest / 26 % 26), (char)('A' + rest % 26)]);
            rest /= 17576;
            return code;
        }
        var destination = Code();
        var origin = Code();
        return new(new DateTime(2001, 1, 1).AddMinutes(rest), origin, destination, 0, 0);
    }

    /// <summary>A flight with the moment from which its delay counts as known: scheduled departure, half an hour, a minute for each 7.5 miles, and the delay.</summary>
    private sealed class Landed(RawFlight raw)
    {
        public RawFlight Raw { get; } = raw;

        public DateTime Departure { get; } = RawFlights.ToUtc(raw.Local, raw.Origin);

        public DateTime At { get; } = RawFlights.ToUtc(raw.Local, raw.Origin).AddMinutes(30 + (2 * raw.Distance + 14) / 15 + Math.Max(0, raw.Delay));
    }
}
