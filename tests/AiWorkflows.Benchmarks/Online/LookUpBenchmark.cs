using System.Diagnostics;
using System.Globalization;
using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using FlightDelays;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Benchmarks.Online;

/// <summary>Three groups looked up for one entity, warm: as online inference does it, with versions resolved and what was published looked at, beside bare prepared statements that take the newest row.</summary>
internal static class LookUpBenchmark
{
    private const string Ours = "lookup-store";
    private const string Peer = "lookup-prepared";
    private const int Rounds = 10;
    private static readonly TimeSpan Lately = TimeSpan.FromHours(6);
    private static readonly TimeSpan Daily = TimeSpan.FromDays(2);

    private static readonly RowLookup<Departures> AllDepartures = new(null);
    private static readonly RowLookup<AirportPulse> AllPulses = new(null);
    private static readonly RowLookup<RouteDay> AllRoutes = new(null);

    private sealed record Flight(string Origin, string Destination, DateTime At);

    /// <param name="directory">With a run of the reference application.</param>
    public static async Task<IReadOnlyList<Aim>> RunAsync(string directory, int rounds, CancellationToken ct)
    {
        var (ours, peer) = (new List<Measurement>(), new List<Measurement>());
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(await Measurement.InOwnProcessAsync(ct, Ours, directory));
            peer.Add(await Measurement.InOwnProcessAsync(ct, Peer, directory));
        }
        if (ours[0].Found != peer[0].Found)
            throw new InvalidOperationException($"The two sides find {ours[0].Found} and {peer[0].Found} rows.");
        var (mine, theirs) = (Micros(ours), Micros(peer));
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Look-up of 3 groups for one entity, warm: {mine:F1} us; three bare prepared statements: {theirs:F1} us"));
        return [new("online: look-up of 3 groups for one entity, microseconds", mine, "<=", 50)];
    }

    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        if (args is not [Ours or Peer, var directory])
            return false;
        var database = new OnlineSetup(directory).Database;
        var flights = Flights(database);
        var (found, seconds) = args[0] == Ours ? await StoreAsync(database, flights, ct) : Prepared(database, flights);
        new Measurement(seconds, 0, 0, flights.Count * Rounds, found).Print();
        return true;
    }

    private static async Task<(long Found, double Seconds)> StoreAsync(string database, List<Flight> flights, CancellationToken ct)
    {
        await using var services = new ServiceCollection().AddSqliteStorage(database).AddLogging().BuildServiceProvider();
        using var features = new OnlineFeatures(services.GetRequiredService<IFeatureStore>());
        var (found, watch) = (0L, new Stopwatch());
        // Twice first: what is measured is the work, not the compilation of its code.
        for (var round = -2; round < Rounds; round++)
        {
            if (round == 0)
                (found, watch) = (0, Stopwatch.StartNew());
            foreach (var flight in flights)
            {
                using var lookup = features.Open();
                var known = new KnownWhen(Timestamps.ToMicros(flight.At), 0, false, false);
                var departures = lookup.Add(AllDepartures, [flight.Origin], Since(flight.At, Lately), known);
                var pulses = lookup.Add(AllPulses, [flight.Origin], Since(flight.At, Lately), known);
                var route = lookup.Add(AllRoutes, [flight.Origin, flight.Destination], Since(flight.At, Daily), known);
                await lookup.FindAsync(ct);
                found += (departures.Found is null ? 0 : 1) + (pulses.Found is null ? 0 : 1) + (route.Found is null ? 0 : 1);
            }
        }
        return (found, watch.Elapsed.TotalSeconds);
    }

    private static (long Found, double Seconds) Prepared(string database, List<Flight> flights)
    {
        using var connection = Open(database);
        using var departures = Command(connection, AllDepartures.Group, AllDepartures.Columns);
        using var pulses = Command(connection, AllPulses.Group, AllPulses.Columns);
        using var route = Command(connection, AllRoutes.Group, AllRoutes.Columns);
        var (found, watch) = (0L, new Stopwatch());
        for (var round = -2; round < Rounds; round++)
        {
            if (round == 0)
                (found, watch) = (0, Stopwatch.StartNew());
            foreach (var flight in flights)
                found += Read(departures, Since(flight.At, Lately), flight.Origin) + Read(pulses, Since(flight.At, Lately), flight.Origin) + Read(route, Since(flight.At, Daily), flight.Origin, flight.Destination);
        }
        return (found, watch.Elapsed.TotalSeconds);
    }

    private static SqliteCommand Command(SqliteConnection connection, GroupSchema group, IReadOnlyList<FeatureColumn> columns)
    {
        var command = connection.CreateCommand();
        var parts = SqliteGroupTable.Seek(group, columns).Split('?');
        command.CommandText = string.Concat(parts.Select((part, i) => i == 0 ? part : $"$p{i}{part}")) + " LIMIT 1";
        for (var i = 1; i < parts.Length; i++)
            command.Parameters.Add(new SqliteParameter { ParameterName = $"$p{i}" });
        return command;
    }

    private static int Read(SqliteCommand command, Window window, params ReadOnlySpan<string> keys)
    {
        for (var i = 0; i < keys.Length; i++)
            command.Parameters[i].Value = keys[i];
        command.Parameters[keys.Length].Value = Timestamps.ToMicros(window.From);
        command.Parameters[keys.Length + 1].Value = Timestamps.ToMicros(window.To);
        using var reader = command.ExecuteReader();
        if (!reader.Read())
            return 0;
        for (var i = 0; i < reader.FieldCount; i++)
            _ = reader.GetValue(i);
        return 1;
    }

    private static Window Since(DateTime time, TimeSpan age) => new(time - age, time.AddMicroseconds(1));

    private static List<Flight> Flights(string database)
    {
        using var connection = Open(database);
        using var command = connection.CreateCommand();
        var group = RowCodec<ScheduledFlight>.Instance.Schema;
        command.CommandText = $"SELECT origin, destination, {SqliteGroupTable.Quote(group.EventTime.Name)} FROM {SqliteGroupTable.Table(group)} WHERE flight_id % 61 = 7 ORDER BY {SqliteGroupTable.Quote(group.EventTime.Name)} DESC LIMIT 2000";
        using var reader = command.ExecuteReader();
        var flights = new List<Flight>();
        while (reader.Read())
            flights.Add(new(reader.GetString(0), reader.GetString(1), Timestamps.FromMicros(reader.GetInt64(2))));
        return flights;
    }

    private static SqliteConnection Open(string database)
    {
        var connection = new SqliteConnection($"Data Source={database};Mode=ReadOnly;Pooling=False");
        connection.Open();
        return connection;
    }

    private static double Micros(IEnumerable<Measurement> rounds) => Measurement.Median(rounds.Select(r => 1e6 * r.Seconds / r.Rows));
}
