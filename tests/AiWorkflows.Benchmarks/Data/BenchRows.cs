using AiWorkflows;

namespace AiWorkflows.Benchmarks.Data;

/// <summary>The spine: a flight at its departure.</summary>
[FeatureGroup("bench_flights")]
public sealed record BenchFlight(
    [EntityKey] long FlightId, [EventTime] DateTime At,
    [Feature(MaxLength = 3)] string Origin, [Feature(MaxLength = 3)] string Destination, byte Hour, int Distance, int Ordinal, float Delay);

/// <summary>Flights that departed from an airport in the hour that ends.</summary>
[FeatureGroup("bench_traffic")]
public sealed record BenchTraffic([EntityKey(MaxLength = 3)] string Airport, [EventTime] DateTime At, int Flights, float Delay);

/// <summary>Flights of a route on the day that ends.</summary>
[FeatureGroup("bench_route")]
public sealed record BenchRoute([EntityKey(MaxLength = 3)] string From, [EntityKey(MaxLength = 3)] string To, [EventTime] DateTime At, int Flights, float Delay);

/// <summary>What a model would see.</summary>
public sealed record BenchExample(float Hour, float Distance, float TrafficFlights, float TrafficDelay, float RouteFlights, float RouteDelay);

/// <summary>The join of the benchmark: two groups.</summary>
public sealed class BenchView : FeatureView<BenchFlight, BenchExample>
{
    /// <summary>Ages that count; the peer filters by the same.</summary>
    public static readonly TimeSpan TrafficAge = TimeSpan.FromHours(6);

    /// <summary>Ages that count; the peer filters by the same.</summary>
    public static readonly TimeSpan RouteAge = TimeSpan.FromDays(2);

    /// <inheritdoc/>
    protected internal override void Define(FeatureViewBuilder<BenchFlight, BenchExample> view)
    {
        var traffic = view.Join<BenchTraffic>(on: (f, t) => f.Origin == t.Airport, maxAge: TrafficAge);
        var route = view.Join<BenchRoute>(on: (f, r) => f.Origin == r.From && f.Destination == r.To, maxAge: RouteAge);
        view.Select(f => new BenchExample(
            Hour: f.Hour, Distance: f.Distance,
            TrafficFlights: traffic.Row.Flights, TrafficDelay: traffic.Row.Delay,
            RouteFlights: route.Row.Flights, RouteDelay: route.Row.Delay));
    }
}
