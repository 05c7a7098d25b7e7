using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Benchmarks.Orchestration;

/// <summary>The floor: as many transactions that update one row and are on disk before the next begins, on a connection set up as the store's own.</summary>
internal static class BareTransactions
{
    /// <param name="Processor">Of the seconds, those that the process did not wait for the disk.</param>
    public sealed record Taken(double Seconds, double Processor)
    {
        public double Waiting => Math.Max(0, Seconds - Processor);

        public static Taken operator +(Taken one, Taken other) => new(one.Seconds + other.Seconds, one.Processor + other.Processor);
    }

    public static Taken Measure(string file, int count)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        Execute("PRAGMA page_size = 8192");
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        Execute("CREATE TABLE IF NOT EXISTS counters (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)");
        Execute("INSERT OR IGNORE INTO counters VALUES (1, 0)");
        var (started, processor) = (Stopwatch.GetTimestamp(), ProcessorTime.Seconds);
        for (var i = 0; i < count; i++)
        {
            using var transaction = connection.BeginTransaction();
            using var command = connection.CreateCommand();
            (command.CommandText, command.Transaction) = ("UPDATE counters SET value = value + 1 WHERE id = 1", transaction);
            command.ExecuteNonQuery();
            transaction.Commit();
        }
        return new(Stopwatch.GetElapsedTime(started).TotalSeconds, ProcessorTime.Seconds - processor);

        void Execute(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }
}
