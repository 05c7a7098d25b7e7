using System.Data;
using DbUp;
using DbUp.Builder;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Migrations of SQL Server. The database itself is created by who administers the server.</summary>
internal sealed class SqlServerMigrator(SqlServerDatabase database, IReadOnlyList<(string Name, string Sql)>? scripts = null) : Migrator(database, scripts)
{
    private const int LongestWait = 60_000;
    private const int Granted = 0;

    protected override bool Exists()
    {
        using var connection = database.Open();
        return true;
    }

    protected override IReadOnlyList<AppliedScript> Applied()
    {
        using var connection = database.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT OBJECT_ID(N'workflows.schema_versions')";
        if (command.ExecuteScalar() is null or DBNull)
            return [];
        command.CommandText = database.Sql(HashingJournal.SelectApplied);
        using var reader = command.ExecuteReader();
        var applied = new List<AppliedScript>();
        while (reader.Read())
            applied.Add(new(reader.GetString(0), reader.GetString(1)));
        return applied;
    }

    protected override async Task<IAsyncDisposable> LockAsync(CancellationToken ct)
    {
        // Held by the session; closing it frees the lock, also when this process is killed. Outside of the pool, so that closing is closing.
        var connection = new SqlConnection(new SqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        try
        {
            await connection.OpenAsync(ct);
            await using var command = connection.CreateCommand();
            (command.CommandText, command.CommandTimeout) = ("EXEC @result = sp_getapplock @Resource = N'aiworkflows:migrate', @LockMode = N'Exclusive', @LockOwner = N'Session', @LockTimeout = @wait", 2 * LongestWait / 1000);
            command.Parameters.Add(new SqlParameter("@wait", SqlDbType.Int) { Value = LongestWait });
            var result = command.Parameters.Add(new SqlParameter("@result", SqlDbType.Int) { Direction = ParameterDirection.Output });
            await command.ExecuteNonQueryAsync(ct);
            return (int)result.Value >= Granted ? connection
                : throw new InvalidRequestException($"Another process has been migrating {database.Location} for a minute. Wait for it or end it, and try again.");
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    protected override void Prepare() { }

    protected override UpgradeEngineBuilder Deploy() => DeployChanges.To.SqlDatabase(database.ConnectionString);
}
