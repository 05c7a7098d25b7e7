using System.Diagnostics;
using AiWorkflows.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Benchmarks.Dashboard;

/// <summary>
/// A store after years of work: 1,000,000 runs of twenty workflows with three steps each, 10,000,000 predictions in batches of 1,000, a tenth of them answered online,
/// and 500 feature groups with 1,000 commits each, one of them with 20,000. A few states and triggers are rare and old, which is what a list finds hardest.
/// </summary>
internal sealed class LargeStore(string directory)
{
    public const int Runs = 1_000_000;
    public const int Batches = 9_000;
    public const int OnlineBatches = 1_000;
    public const int RowsPerBatch = 1_000;
    public const int Groups = 500;
    public const long BigGroupCommits = 20_000;
    public const long OldCancelledRun = 1_003;
    public const long FailedRun = 999_700;

    private static readonly string[] Big =
    [
        "workflows_runs", "workflows_stage_runs", "workflows_run_edges", "workflows_attempts", "workflows_stage_logs", "feature_store_commits", "feature_store_quarantine",
        "prediction_log_prediction_rows", "prediction_log_online_rows", "prediction_log_batches",
    ];

    public string Database => Path.Combine(directory, "aiworkflows.db");

    public async Task FillAsync(CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        await using (var services = new ServiceCollection().AddSqliteStorage(Database).AddLogging().BuildServiceProvider())
            await services.GetRequiredService<Migrator>().MigrateAsync(ct);
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=False");
        connection.Open();
        Execute(connection, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY; PRAGMA threads = 2");
        var indexes = Indexes(connection);
        foreach (var (name, _) in indexes)
            Execute(connection, $"DROP INDEX {name}");
        foreach (var (what, sql) in LargeStoreSql.Steps)
        {
            Execute(connection, sql);
            Say(watch, what);
        }
        foreach (var (_, sql) in indexes)
            Execute(connection, sql);
        Execute(connection, "DROP TABLE n; PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL");
        Say(watch, $"indexes; the file has {new FileInfo(Database).Length / 1048576.0:N0} MB");
    }

    private static List<(string Name, string Sql)> Indexes(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({string.Join(", ", Big.Select(table => $"'{table}'"))})";
        using var reader = command.ExecuteReader();
        var found = new List<(string, string)>();
        while (reader.Read())
            found.Add((reader.GetString(0), reader.GetString(1)));
        return found;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static void Say(Stopwatch watch, string what) => Console.WriteLine($"  {watch.Elapsed.TotalSeconds,5:F0} s  {what}");
}
