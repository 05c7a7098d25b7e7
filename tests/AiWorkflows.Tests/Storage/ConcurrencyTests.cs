using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Tests.Compliance;
using AiWorkflows.Tests.Flights;

namespace AiWorkflows.Tests.Storage;

public class SqliteConcurrencyTests : ConcurrencyCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync(inMemory: true);

    private protected override Task MigrateAsync(TestStore store) => new SqliteMigrator((SqliteDatabase)store.Database).MigrateAsync(default);

    [Fact]
    public async Task Processes_that_migrate_one_file_at_once_all_succeed()
    {
        await using var file = new SqliteFile();
        var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => FlightDelaysProcess.RunAsync(file.Directory, "migrate")));
        results.ShouldAllBe(r => r.ExitCode == 0, string.Join("\n", results.Select(r => r.Output + r.Error)));
        await using var database = new SqliteDatabase(Directory.GetFiles(Path.Combine(file.Directory, "data"), "*.db").ShouldHaveSingleItem());
        new SqliteMigrator(database).Pending().ShouldBeEmpty();
        (await database.ReadFirstAsync<long>("SELECT COUNT(*) - COUNT(DISTINCT feature_group) FROM {feature_store.feature_groups}", null, default)).ShouldBe(0);
    }
}

public class SqlServerConcurrencyTests : ConcurrencyCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();

    private protected override Task MigrateAsync(TestStore store) => new SqlServerMigrator((SqlServerDatabase)store.Database).MigrateAsync(default);

    [Fact]
    public async Task Ten_that_migrate_a_new_database_at_once_all_end_with_the_same_schema()
    {
        var connection = SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync());
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(async () =>
        {
            await using var mine = new SqlServerDatabase(connection);
            await new SqlServerMigrator(mine).MigrateAsync(default);
        })));
        await using var database = new SqlServerDatabase(connection);
        new SqlServerMigrator(database).Pending().ShouldBeEmpty();
        (await database.ReadFirstAsync<long>("SELECT COUNT(*) - COUNT(DISTINCT script) FROM {workflows.schema_versions}", null, default)).ShouldBe(0);
    }
}

public class SqliteLostAnswerTests : LostAnswerCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqliteTestStore.OpenAsync(inMemory: true);
}

public class SqlServerLostAnswerTests : LostAnswerCompliance
{
    private protected override Task<TestStore> OpenAsync() => SqlServerTestStore.OpenAsync();
}
