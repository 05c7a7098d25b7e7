using AiWorkflows.Storage.SqlServer;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>Databases of their own on the server for tests; where there is none, tests are skipped and say why.</summary>
internal static class SqlServerTestDatabase
{
    private static readonly Stack<string> Free = [];
    private static readonly List<string> Created = [];
    private static int _created;

    static SqlServerTestDatabase() => AppDomain.CurrentDomain.ProcessExit += (_, _) => DropAll();

    /// <summary>The connection string of the server; skips the test where there is none.</summary>
    public static string Server()
    {
        Assert.SkipWhen(SqlServerTestServer.ConnectionString is null, SqlServerTestServer.Absence);
        return SqlServerTestServer.ConnectionString!;
    }

    public static string ConnectionString(string database) => new SqlConnectionStringBuilder(Server()) { InitialCatalog = database }.ConnectionString;

    /// <summary>A new database without tables.</summary>
    /// <param name="suffix">The end of its name.</param>
    public static async Task<string> CreateAsync(string suffix = "")
    {
        var name = $"aiworkflows_test_{Environment.ProcessId}_{Interlocked.Increment(ref _created)}{suffix}";
        await ExecuteAsync($"CREATE DATABASE {SqlServerDialect.Quote(name)}");
        lock (Created)
            Created.Add(name);
        return name;
    }

    /// <summary>A migrated database without rows: one that an earlier test has given back, or a new one.</summary>
    public static async Task<SqlServerDatabase> RentAsync()
    {
        Server();
        string? name;
        lock (Free)
            Free.TryPop(out name);
        if (name is not null)
            return new SqlServerDatabase(ConnectionString(name));
        var database = new SqlServerDatabase(ConnectionString(await CreateAsync()));
        await new SqlServerMigrator(database).MigrateAsync(default);
        return database;
    }

    /// <summary>Takes the database back and empties it.</summary>
    public static async Task ReturnAsync(SqlServerDatabase database)
    {
        var name = new SqlConnectionStringBuilder(database.ConnectionString).InitialCatalog;
        await SqlServerReset.ResetAsync(database);
        await database.DisposeAsync();
        lock (Free)
            Free.Push(name);
    }

    private static async Task DropAsync(string database)
    {
        using (var pooled = new SqlConnection(ConnectionString(database)))
            SqlConnection.ClearPool(pooled);
        await ExecuteAsync($"DROP DATABASE {SqlServerDialect.Quote(database)}");
    }

    private static void DropAll()
    {
        lock (Created)
            foreach (var database in Created)
                try
                {
                    DropAsync(database).GetAwaiter().GetResult();
                }
                catch (SqlException)
                {
                    // Left behind; its name says what it was.
                }
    }

    private static async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqlConnection(Server());
        await connection.OpenAsync();
        await using var command = new SqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync();
    }
}
