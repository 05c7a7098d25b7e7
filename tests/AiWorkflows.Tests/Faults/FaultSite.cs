using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Tests.Flights;
using AiWorkflows.Tests.Storage;

namespace AiWorkflows.Tests.Faults;

/// <summary>Where fault hosts work: a folder of their own, and a database in it, or one of their own on SQL Server.</summary>
internal sealed class FaultSite : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly SqlServerDatabase? _server;

    private FaultSite(SqlServerDatabase? server) => _server = server;

    public string Folder => _folder.Path;

    public string DataDirectory => _folder.File("data");

    /// <summary>The file of the embedded database.</summary>
    public string DatabaseFile => Path.Combine(DataDirectory, "aiworkflows.db");

    public bool IsOnServer => _server is not null;

    public string Engine => IsOnServer ? "SQL Server" : "SQLite";

    /// <summary>What hosts of this place are told.</summary>
    public IReadOnlyDictionary<string, string> Settings => _server is null
        ? new Dictionary<string, string> { ["AiWorkflows__DataDirectory"] = DataDirectory }
        : new Dictionary<string, string>
        {
            ["AiWorkflows__DataDirectory"] = DataDirectory, ["AiWorkflows__Engine"] = "SqlServer", ["AiWorkflows__ConnectionString"] = _server.ConnectionString,
            // Of several hosts on one machine, each waiting worker of which holds a connection.
            ["AiWorkflows__Workers__Features"] = "1", ["AiWorkflows__Workers__Training"] = "1", ["AiWorkflows__Workers__Inference"] = "1", ["AiWorkflows__Workers__Control"] = "1",
        };

    public static FaultSite Embedded() => new(null);

    /// <summary>Migrated; skips the test where there is no server.</summary>
    public static async Task<FaultSite> OnSqlServerAsync()
    {
        // Not one of those that are emptied and used again: hosts leave tables of Hangfire behind.
        var database = new SqlServerDatabase(SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync()));
        await new SqlServerMigrator(database).MigrateAsync(default);
        await SqlServerJobs.PrepareAsync(database, default);
        return new(database);
    }

    public static Task<FaultSite> OnAsync(StoreEngine engine) => engine == StoreEngine.SqlServer ? OnSqlServerAsync() : Task.FromResult(Embedded());

    /// <summary>A count, by a statement as a template.</summary>
    public Task<long> CountAsync(string template) => ReadAsync(database => database.ReadFirstAsync<long>(template, null, default));

    public async Task<T> ReadAsync<T>(Func<StoreDatabase, Task<T>> read)
    {
        if (_server is not null)
            return await read(_server);
        await using var database = new SqliteDatabase(DatabaseFile);
        return await read(database);
    }

    /// <summary>Whether the last migration is there.</summary>
    public async Task<bool> IsMigratedAsync() => IsOnServer
        || (File.Exists(DatabaseFile) && await CountAsync("SELECT COUNT(*) FROM sqlite_schema WHERE name = 'prediction_log_superseded'") == 1);

    public void Dispose()
    {
        _server?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _folder.Dispose();
    }
}
