using System.Diagnostics;
using AiWorkflows.Benchmarks.Data;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Benchmarks.Ingest;

/// <summary>The peer: a bare table, one prepared statement, one transaction. It validates nothing, records nothing, and publishes nothing.</summary>
internal static class PreparedInsert
{
    /// <summary>Seconds, without the creation of the database.</summary>
    public static double Run(string file, IReadOnlyList<BenchFlight> rows)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        Execute(connection, "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
        Execute(connection, "CREATE TABLE flights (at INTEGER NOT NULL, flight_id INTEGER NOT NULL, origin TEXT, destination TEXT, hour INTEGER, distance INTEGER, ordinal INTEGER, delay REAL) STRICT");
        var watch = Stopwatch.StartNew();
        using var transaction = connection.BeginTransaction();
        using var insert = connection.CreateCommand();
        insert.CommandText = "INSERT INTO flights VALUES ($at, $id, $origin, $destination, $hour, $distance, $ordinal, $delay)";
        var parameters = new[] { "$at", "$id", "$origin", "$destination", "$hour", "$distance", "$ordinal", "$delay" }.Select(name => insert.Parameters.Add(new SqliteParameter { ParameterName = name })).ToArray();
        var count = 0L;
        foreach (var row in rows)
        {
            parameters[0].Value = row.At.Ticks / 10;
            parameters[1].Value = row.FlightId;
            parameters[2].Value = row.Origin;
            parameters[3].Value = row.Destination;
            parameters[4].Value = (long)row.Hour;
            parameters[5].Value = (long)row.Distance;
            parameters[6].Value = (long)row.Ordinal;
            parameters[7].Value = (double)row.Delay;
            if (count == 0)
                insert.Prepare();
            count += insert.ExecuteNonQuery();
        }
        transaction.Commit();
        return count == rows.Count ? watch.Elapsed.TotalSeconds : throw new InvalidOperationException($"{count} of {rows.Count} rows were written.");
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
