using System.Globalization;
using AiWorkflows.Storage;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Workflows;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>What a DBA types on a live server: <c>EXEC workflows.request_run</c>, roles.sql, and the checks of doctor.</summary>
public sealed class SqlServerRequestRunTests : IAsyncLifetime
{
    private SqlServerDatabase _database = null!;
    private Ledger _ledger = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await SqlServerTestDatabase.RentAsync();
        _ledger = new Ledger(_database, new SqlServerRowCollector(_database));
        await _ledger.RegisterWorkflowsAsync([("flight-delays", 1, OverlapPolicy.Queue), ("other", 1, OverlapPolicy.Queue)], default);
    }

    public async ValueTask DisposeAsync()
    {
        if (_database is not null)
            await SqlServerTestDatabase.ReturnAsync(_database);
    }

    [Fact]
    public async Task A_request_waits_for_a_host_and_is_answered_once()
    {
        var before = await _ledger.ChangeTokenAsync(default);
        var id = (long)(await ScalarAsync("EXEC workflows.request_run @workflow = N'flight-delays'"))!;
        (await _ledger.ChangeTokenAsync(default)).ShouldNotBe(before);

        var written = (await _ledger.WrittenRequestsAsync(default)).ShouldHaveSingleItem();
        written.ShouldBe(new WrittenRequest(id, "flight-delays", null, null, (string)(await ScalarAsync("SELECT ORIGINAL_LOGIN()"))!));
        await _ledger.AnswerRequestAsync(id, "requested", 7, "Run 7 was requested.", default);
        await _ledger.AnswerRequestAsync(id, "open", 8, "too late", default);
        (await _ledger.WrittenRequestsAsync(default)).ShouldBeEmpty();
        (await ScalarAsync("SELECT run_id FROM workflows.run_requests")).ShouldBe(7L);
    }

    [Fact]
    public async Task A_request_carries_its_window_and_who_asks()
    {
        await ScalarAsync("EXEC workflows.request_run @workflow = N'flight-delays', @window_from = '2001-06-01', @window_to = '2001-06-08', @requested_by = N'nightly load'");
        var written = (await _ledger.WrittenRequestsAsync(default)).ShouldHaveSingleItem();
        (written.From, written.To, written.RequestedBy).ShouldBe((Day(1), Day(8), "nightly load"));
        (await ScalarAsync("SELECT login_name FROM workflows.run_requests")).ShouldBe(await ScalarAsync("SELECT ORIGINAL_LOGIN()"));
    }

    [Theory]
    [InlineData("@workflow = N'flight-delay'", 51001, "There is no workflow 'flight-delay'. There are: flight-delays, other.")]
    [InlineData("@workflow = N'flight-delays', @window_from = '2001-06-01'", 51002, "needs both")]
    [InlineData("@workflow = N'flight-delays', @window_from = '2001-06-08', @window_to = '2001-06-01'", 51003, "not after its start")]
    [InlineData("@workflow = N'flight-delays', @window_from = '2001-06-01', @window_to = '2001-06-01'", 51003, "not after its start")]
    public async Task What_cannot_be_meant_is_refused_with_the_reason(string arguments, int number, string says)
    {
        var error = await Should.ThrowAsync<SqlException>(() => ScalarAsync("EXEC workflows.request_run " + arguments));
        (error.Number, error.Message.Contains(says, StringComparison.Ordinal)).ShouldBe((number, true), error.Message);
        (await _ledger.WrittenRequestsAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Roles_may_do_what_they_are_for_and_nothing_else()
    {
        var roles = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot(), "db", "sqlserver", "roles.sql"));
        for (var twice = 0; twice < 2; twice++)
            await ScalarAsync(roles);
        await using var host = await SqlServerLogin.CreateAsync(_database, "aiworkflows_host");
        await using var analyst = await SqlServerLogin.CreateAsync(_database, "aiworkflows_analyst");
        await using var requester = await SqlServerLogin.CreateAsync(_database, "aiworkflows_requester");
        await using var nobody = await SqlServerLogin.CreateAsync(_database);

        const string request = "EXEC workflows.request_run @workflow = N'flight-delays'";
        (await AllowedAsync(requester, request)).ShouldBeTrue();
        (await AllowedAsync(requester, "SELECT COUNT(*) FROM workflows.runs")).ShouldBeFalse();
        (await AllowedAsync(requester, "SELECT COUNT(*) FROM workflows.run_requests")).ShouldBeFalse();
        (await AllowedAsync(analyst, "SELECT COUNT(*) FROM prediction_log.predictions")).ShouldBeTrue();
        (await AllowedAsync(analyst, "SELECT COUNT(*) FROM prediction_log.prediction_rows")).ShouldBeFalse();
        (await AllowedAsync(analyst, "DELETE FROM workflows.runs")).ShouldBeFalse();
        (await AllowedAsync(analyst, request)).ShouldBeFalse();
        (await AllowedAsync(host, "UPDATE workflows.runs SET touch = touch")).ShouldBeTrue();
        (await AllowedAsync(host, request)).ShouldBeTrue();
        (await AllowedAsync(host, "CREATE TABLE feature_store.mine (x int)")).ShouldBeFalse();
        (await AllowedAsync(nobody, "SELECT COUNT(*) FROM workflows.runs")).ShouldBeFalse();
        (await AllowedAsync(nobody, request)).ShouldBeFalse();
        (await ScalarAsync("SELECT MIN(login_name) FROM workflows.run_requests")).ShouldBe(new[] { host.Name, requester.Name }.Min(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Doctor_finds_an_owner_able_to_do_everything()
    {
        var checks = (await _database.CheckAsync(default)).ToDictionary(c => c.Name);
        checks.Keys.ShouldBe(["database", "settings", "permissions", "migrations"], ignoreOrder: true);
        (checks["permissions"].State, checks["migrations"].State).ShouldBe((CheckState.Ok, CheckState.Ok));
        var level = Convert.ToInt32(await ScalarAsync("SELECT compatibility_level FROM sys.databases WHERE database_id = DB_ID()"), CultureInfo.InvariantCulture);
        (checks["database"].State == CheckState.Wrong).ShouldBe(level < 130, checks["database"].Detail);
    }

    [Fact]
    public async Task Doctor_names_each_right_that_a_user_lacks_and_the_role_that_has_it()
    {
        await ScalarAsync(await File.ReadAllTextAsync(Path.Combine(RepositoryRoot(), "db", "sqlserver", "roles.sql")));
        await using var nobody = await SqlServerLogin.CreateAsync(_database);
        await using var host = await SqlServerLogin.CreateAsync(_database, "aiworkflows_host");

        var lacking = (await CheckAsync(nobody)).Single(c => c.Name == "permissions");
        lacking.State.ShouldBe(CheckState.Wrong);
        foreach (var schema in new[] { "workflows", "feature_store", "model_registry", "prediction_log" })
            lacking.Detail.ShouldContain($"DELETE, INSERT, SELECT, UPDATE on {schema}");
        lacking.Detail.ShouldContain("aiworkflows_host");
        lacking.Detail.ShouldNotContain(nobody.Password);

        var able = (await CheckAsync(host)).ToDictionary(c => c.Name);
        able["permissions"].State.ShouldBe(CheckState.Ok, able["permissions"].Detail);
        (able["migrations"].State, able["migrations"].Detail.Contains("CREATE TABLE", StringComparison.Ordinal)).ShouldBe((CheckState.Note, true), able["migrations"].Detail);
    }

    private static async Task<IReadOnlyList<DatabaseCheck>> CheckAsync(SqlServerLogin login)
    {
        await using var database = new SqlServerDatabase(login.ConnectionString);
        return await database.CheckAsync(default);
    }

    private static DateTime Day(int day) => new(2001, 6, day, 0, 0, 0, DateTimeKind.Utc);

    private static async Task<bool> AllowedAsync(SqlServerLogin login, string sql)
    {
        try
        {
            await login.ScalarAsync(sql);
            return true;
        }
        catch (SqlException e) when (e.Number is 229 or 262 or 2760)
        {
            return false;
        }
    }

    private async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = new SqlConnection(new SqlConnectionStringBuilder(_database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new SqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "AiWorkflows.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("AiWorkflows.sln was not found above the tests.");
        return directory.FullName;
    }
}
