using System.Net;
using System.Net.Sockets;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Tests.Cli;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>Mistakes in connection string, server and rights, as somebody meets them on the command line: one clear line, exit code 2, no credentials.</summary>
public sealed class SqlServerBadInputTests : IAsyncLifetime
{
    private const string Secret = "top-secret";

    private readonly ShopHost _host = new();

    public ValueTask InitializeAsync()
    {
        _host.Settings["AiWorkflows:Engine"] = "SqlServer";
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task A_server_that_is_not_there()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        await RefusedAsync($"Server=127.0.0.1,{port};Database=shop;User ID=robot;Password={Secret};Connect Timeout=1", $"SQL Server 127.0.0.1,{port} cannot be reached. Check that it runs, and server name, port and firewall");
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for()
    {
        using var server = new SelfSignedServer();
        await RefusedAsync($"Server={server.Address};Database=shop;User ID=robot;Password={Secret};Connect Timeout=5", $"The certificate of SQL Server {server.Address} is not trusted by this machine", "TrustServerCertificate=True");
    }

    [Fact]
    public async Task A_wrong_password()
    {
        var database = await SqlServerTestDatabase.RentAsync();
        await using (var login = await SqlServerLogin.CreateAsync(database))
            await RefusedAsync(new SqlConnectionStringBuilder(login.ConnectionString) { Password = Secret }.ConnectionString, $"refuses the login '{login.Name}': user or password is wrong");
        await SqlServerTestDatabase.ReturnAsync(database);
    }

    [Fact]
    public async Task A_database_that_is_not_there() =>
        await RefusedAsync(SqlServerTestDatabase.ConnectionString("no such ]shop"), "There is no database 'no such ]shop'", "CREATE DATABASE [no such ]]shop]");

    [Fact]
    public async Task A_user_without_rights_is_told_which_role_has_them()
    {
        var database = await SqlServerTestDatabase.RentAsync();
        await using (var login = await SqlServerLogin.CreateAsync(database))
            await RefusedAsync(login.ConnectionString, "may not see the tables: add it to the role aiworkflows_host (db/sqlserver/roles.sql)");
        await SqlServerTestDatabase.ReturnAsync(database);
    }

    [Fact]
    public async Task A_user_who_may_not_create_tables_is_told_which_script_is_missing()
    {
        await using var database = new SqlServerDatabase(SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync()));
        await using var login = await SqlServerLogin.CreateAsync(database);
        await RefusedAsync(login.ConnectionString, "lacks 0001_initial", "may not create tables", "migrate --script");
    }

    [Fact]
    public async Task A_schema_that_is_newer_than_the_program()
    {
        var database = await SqlServerTestDatabase.RentAsync();
        await ExecuteAsync(database, "INSERT INTO workflows.schema_versions (script, sha256, applied_at) VALUES (N'9999_from_the_future', N'', SYSUTCDATETIME())");
        await RefusedAsync(database.ConnectionString, "was written by a newer version of this program: it has the migration 9999_from_the_future");
        await ExecuteAsync(database, "DELETE FROM workflows.schema_versions WHERE script = N'9999_from_the_future'");
        await SqlServerTestDatabase.ReturnAsync(database);
    }

    [Theory]
    [InlineData(" one shop's data")]
    [InlineData("shop[1]")]
    [InlineData(" \"shop\"")]
    public async Task A_name_that_needs_quoting_is_no_mistake(string suffix)
    {
        var name = await SqlServerTestDatabase.CreateAsync(suffix);
        _host.Settings["AiWorkflows:ConnectionString"] = SqlServerTestDatabase.ConnectionString(name);

        foreach (var command in new[] { "migrate", "runs list", "features list", "sql", "doctor" })
        {
            var result = await _host.RunAsync(command == "sql" ? ["sql", "SELECT COUNT(*) AS runs FROM workflows.runs"] : command.Split(' '));
            if (command != "doctor")
                result.Code.ShouldBe(0, $"{command}: {result}");
            else
                result.Out.ShouldContain(name);
        }
    }

    private async Task RefusedAsync(string connectionString, params string[] says)
    {
        _host.Settings["AiWorkflows:ConnectionString"] = connectionString;
        var password = new SqlConnectionStringBuilder(connectionString).Password;
        foreach (var command in new[] { "runs list", "serve", "doctor" })
        {
            var result = await _host.RunAsync(command.Split(' '));
            result.ToString().ShouldNotContain(password);
            if (command == "doctor")
                continue;
            result.Code.ShouldBe(2, result.ToString());
            result.Out.ShouldBeEmpty();
            result.Error.TrimEnd().ShouldNotContain("\n");
            foreach (var part in says)
                result.Error.ShouldContain(part);
        }
    }

    private static async Task ExecuteAsync(SqlServerDatabase database, string sql)
    {
        await using var connection = await database.OpenAsync(default);
        await SqlServerDatabase.ExecuteAsync(connection, sql, default);
    }
}
