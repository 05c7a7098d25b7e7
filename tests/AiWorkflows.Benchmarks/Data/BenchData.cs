using AiWorkflows;
using FlightDelays;
using Microsoft.Extensions.Configuration;

namespace AiWorkflows.Benchmarks.Data;

/// <summary>
/// The shipped flights, repeated with shifted dates until there are enough: real distributions, the same on every machine. Groups are computed from them.
/// </summary>
internal sealed class BenchData(FlightRecord[] flights, int rows)
{
    private static readonly DateTime Start = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Shift = TimeSpan.FromDays(182);
    private const int FlightsInFile = 746_452;

    public int Rows => rows;

    /// <summary>A window of whole days that holds every row of every group.</summary>
    public Window Window => WindowOf(rows);

    public static Window WindowOf(int rows) => new(Start, Start + Shift * (rows / FlightsInFile + 1) + TimeSpan.FromDays(3));

    public static async Task<BenchData> LoadAsync(int rows, CancellationToken ct)
    {
        var flights = new List<FlightRecord>();
        await foreach (var flight in new FlightSource(new ConfigurationBuilder().Build()).ReadAsync(new Window(Start, Start + Shift), ct))
            flights.Add(flight);
        return new([.. flights.OrderBy(f => f.Departure).ThenBy(f => f.Id)], rows);
    }

    public IEnumerable<BenchFlight> Flights()
    {
        for (var i = 0; i < rows; i++)
        {
            var f = flights[i % flights.Length];
            var round = i / flights.Length;
            yield return new(f.Id + ((long)round << 50), f.Departure + Shift * round, f.Origin, f.Destination, (byte)f.LocalDeparture.Hour, f.Distance, i, f.Delay);
        }
    }

    public IEnumerable<BenchTraffic> Traffic() =>
        Means(f => f.Origin, TimeSpan.FromHours(1)).Select(m => new BenchTraffic(m.Key, m.At, m.Flights, m.Delay));

    public IEnumerable<BenchRoute> Routes() =>
        Means(f => (f.Origin, f.Destination), TimeSpan.FromDays(1)).Select(m => new BenchRoute(m.Key.Origin, m.Key.Destination, m.At, m.Flights, m.Delay));

    /// <summary>Number and mean delay per key and hop; event time is the end of the hop. The flights come in order of time, so one hop is open at a time.</summary>
    private IEnumerable<(TKey Key, DateTime At, int Flights, float Delay)> Means<TKey>(Func<BenchFlight, TKey> key, TimeSpan hop) where TKey : notnull
    {
        var open = new Dictionary<TKey, (int Flights, double Delay)>();
        var end = DateTime.MinValue;
        foreach (var flight in Flights())
        {
            if (flight.At >= end)
            {
                foreach (var (k, (n, delay)) in open)
                    yield return (k, end, n, (float)(delay / n));
                open.Clear();
                end = new DateTime(flight.At.Ticks / hop.Ticks * hop.Ticks + hop.Ticks, DateTimeKind.Utc);
            }
            var (flights, sum) = open.GetValueOrDefault(key(flight));
            open[key(flight)] = (flights + 1, sum + flight.Delay);
        }
        foreach (var (k, (n, delay)) in open)
            yield return (k, end, n, (float)(delay / n));
    }
}
