using AiWorkflows.Benchmarks.Data;
using DuckDB.NET.Data;

namespace AiWorkflows.Benchmarks.Join;

/// <summary>The peer: DuckDB's own file, ASOF LEFT JOIN, the result fetched row by row.</summary>
internal static class DuckDbJoin
{
    public static void Prepare(string file, BenchData data)
    {
        using var connection = Open(file);
        Execute(connection, "CREATE TABLE flights (event_time BIGINT, flight_id BIGINT, origin VARCHAR, destination VARCHAR, hour UTINYINT, distance INTEGER, ordinal INTEGER, delay FLOAT)");
        Execute(connection, "CREATE TABLE traffic (event_time BIGINT, airport VARCHAR, flights INTEGER, delay FLOAT)");
        Execute(connection, "CREATE TABLE route (event_time BIGINT, origin VARCHAR, destination VARCHAR, flights INTEGER, delay FLOAT)");
        using (var appender = connection.CreateAppender("flights"))
            foreach (var f in data.Flights())
                appender.CreateRow().AppendValue(f.At.Ticks / 10).AppendValue(f.FlightId).AppendValue(f.Origin).AppendValue(f.Destination)
                    .AppendValue(f.Hour).AppendValue(f.Distance).AppendValue(f.Ordinal).AppendValue(f.Delay).EndRow();
        using (var appender = connection.CreateAppender("traffic"))
            foreach (var t in data.Traffic())
                appender.CreateRow().AppendValue(t.At.Ticks / 10).AppendValue(t.Airport).AppendValue(t.Flights).AppendValue(t.Delay).EndRow();
        using (var appender = connection.CreateAppender("route"))
            foreach (var r in data.Routes())
                appender.CreateRow().AppendValue(r.At.Ticks / 10).AppendValue(r.From).AppendValue(r.To).AppendValue(r.Flights).AppendValue(r.Delay).EndRow();
        Execute(connection, "CHECKPOINT");
    }

    public static JoinResult Run(string file, DateTime until, int threads)
    {
        using var connection = Open(file);
        Execute(connection, $"SET threads = {threads}");
        using var command = connection.CreateCommand();
        var (traffic, route) = (BenchView.TrafficAge.Ticks / 10, BenchView.RouteAge.Ticks / 10);
        command.CommandText = $"""
            SELECT f.hour, f.distance,
                   CASE WHEN f.event_time - t.event_time <= {traffic} THEN t.flights END, CASE WHEN f.event_time - t.event_time <= {traffic} THEN t.delay END,
                   CASE WHEN f.event_time - r.event_time <= {route} THEN r.flights END, CASE WHEN f.event_time - r.event_time <= {route} THEN r.delay END
            FROM flights f
            ASOF LEFT JOIN traffic t ON f.origin = t.airport AND f.event_time >= t.event_time
            ASOF LEFT JOIN route r ON f.origin = r.origin AND f.destination = r.destination AND f.event_time >= r.event_time
            WHERE f.event_time < {until.Ticks / 10}
            """;
        command.UseStreamingMode = true;
        var result = new JoinResult();
        using var reader = command.ExecuteReader();
        while (reader.Read())
            result.Add(reader.GetByte(0), reader.GetInt32(1),
                reader.IsDBNull(2) ? float.NaN : reader.GetInt32(2), reader.IsDBNull(3) ? float.NaN : reader.GetFloat(3),
                reader.IsDBNull(4) ? float.NaN : reader.GetInt32(4), reader.IsDBNull(5) ? float.NaN : reader.GetFloat(5));
        return result;
    }

    private static DuckDBConnection Open(string file)
    {
        var connection = new DuckDBConnection($"Data Source={file}");
        connection.Open();
        return connection;
    }

    private static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
