using System.Diagnostics;
using AiWorkflows.Benchmarks.Data;
using DuckDB.NET.Data;

namespace AiWorkflows.Benchmarks.Ingest;

/// <summary>Another peer: DuckDB's appender into its own file, until its checkpoint.</summary>
internal static class DuckDbAppender
{
    /// <summary>Seconds, without the creation of the table.</summary>
    public static double Run(string file, IReadOnlyList<BenchFlight> rows)
    {
        using var connection = new DuckDBConnection($"Data Source={file}");
        connection.Open();
        Execute(connection, "CREATE TABLE flights (event_time BIGINT, flight_id BIGINT, origin VARCHAR, destination VARCHAR, hour UTINYINT, distance INTEGER, ordinal INTEGER, delay FLOAT)");
        var watch = Stopwatch.StartNew();
        using (var appender = connection.CreateAppender("flights"))
            foreach (var f in rows)
                appender.CreateRow().AppendValue(f.At.Ticks / 10).AppendValue(f.FlightId).AppendValue(f.Origin).AppendValue(f.Destination)
                    .AppendValue(f.Hour).AppendValue(f.Distance).AppendValue(f.Ordinal).AppendValue(f.Delay).EndRow();
        Execute(connection, "CHECKPOINT");
        return watch.Elapsed.TotalSeconds;
    }

    private static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
