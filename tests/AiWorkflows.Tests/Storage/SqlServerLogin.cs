using AiWorkflows.Storage.SqlServer;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>A login of the server with a user in one database, gone after the test.</summary>
internal sealed class SqlServerLogin : IAsyncDisposable
{
    private static int _created;

    private readonly SqlServerDatabase _database;

    private SqlServerLogin(SqlServerDatabase database) => _database = database;

    public string Name { get; } = $"aiworkflows_login_{Environment.ProcessId}_{Interlocked.Increment(ref _created)}";

    public string Password { get; } = $"Aa1-{Guid.NewGuid():N}";

    /// <summary>To the database, as this login; with a pool of its own, which is none.</summary>
    public string ConnectionString => new SqlConnectionStringBuilder(_database.ConnectionString) { UserID = Name, Password = Password, IntegratedSecurity = false, Pooling = false }.ConnectionString;

    /// <param name="role">What the user is a member of; null for a user without any right.</param>
    public static async Task<SqlServerLogin> CreateAsync(SqlServerDatabase database, string? role = null)
    {
        var login = new SqlServerLogin(database);
        await login.AsOwnerAsync($"CREATE LOGIN {login.Name} WITH PASSWORD = N'{login.Password}'");
        await login.AsOwnerAsync($"CREATE USER {login.Name} FOR LOGIN {login.Name}");
        if (role is not null)
            await login.AsOwnerAsync($"ALTER ROLE {role} ADD MEMBER {login.Name}");
        return login;
    }

    /// <summary>The first value that the statement gives.</summary>
    public async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = new SqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new SqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await AsOwnerAsync($"DROP USER {Name}");
        // The server needs a moment to notice that the login's last connection is closed.
        for (var left = 20; ; left--)
            try
            {
                await AsOwnerAsync($"DROP LOGIN {Name}");
                return;
            }
            catch (SqlException) when (left > 0)
            {
                await Task.Delay(500);
            }
    }

    private async Task AsOwnerAsync(string sql)
    {
        await using var connection = new SqlConnection(_database.ConnectionString);
        await connection.OpenAsync();
        await SqlServerDatabase.ExecuteAsync(connection, sql, default);
    }
}
