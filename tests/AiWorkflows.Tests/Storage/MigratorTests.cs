using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Storage;

public class MigratorTests
{
    private static readonly (string, string) First = ("0001_first", "CREATE TABLE a (x INTEGER NOT NULL) STRICT; INSERT INTO a VALUES (1);");
    private static readonly (string, string) Second = ("0002_second", "CREATE TABLE b (y TEXT NOT NULL DEFAULT '$notavariable$') STRICT;");

    [Fact]
    public async Task A_new_database_gets_large_pages_a_write_ahead_log_and_every_table()
    {
        await using var file = await SqliteFile.MigratedAsync();
        (await ScalarAsync<long>(file, "PRAGMA page_size")).ShouldBe(8192);
        (await ScalarAsync<string>(file, "PRAGMA journal_mode")).ShouldBe("wal");
        (await ScalarAsync<long>(file, "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('workflows_runs', 'feature_store_commits', 'prediction_log_scored')")).ShouldBe(3);
        (await ScalarAsync<long>(file, "SELECT COUNT(*) FROM workflows_schema_versions WHERE length(sha256) = 64 AND applied_at > 1700000000000000")).ShouldBeGreaterThan(1);
        new SqliteMigrator(file.Database).Pending().ShouldBeEmpty();
    }

    [Fact]
    public async Task Migrating_again_changes_nothing()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var before = await file.Database.ChangeTokenAsync(default);
        await new SqliteMigrator(file.Database).MigrateAsync(default);
        (await file.Database.ChangeTokenAsync(default)).ShouldBe(before);
    }

    [Fact]
    public async Task Only_what_is_missing_is_applied_and_a_dollar_is_a_dollar()
    {
        await using var file = new SqliteFile();
        await new SqliteMigrator(file.Database, [First]).MigrateAsync(default);
        var migrator = new SqliteMigrator(file.Database, [First, Second]);
        migrator.Pending().ShouldHaveSingleItem().Name.ShouldBe("0002_second");
        await migrator.MigrateAsync(default);
        (await ScalarAsync<long>(file, "SELECT COUNT(*) FROM a")).ShouldBe(1);
        (await ScalarAsync<string>(file, "SELECT dflt_value FROM pragma_table_info('b')")).ShouldBe("'$notavariable$'");
    }

    [Fact]
    public async Task An_edited_script_is_refused_and_one_with_other_line_ends_is_not()
    {
        await using var file = new SqliteFile();
        await new SqliteMigrator(file.Database, [("0001_first", "CREATE TABLE a (x INTEGER)\nSTRICT;")]).MigrateAsync(default);
        await new SqliteMigrator(file.Database, [("0001_first", "CREATE TABLE a (x INTEGER)\r\nSTRICT;")]).MigrateAsync(default);
        var error = await Should.ThrowAsync<InvalidRequestException>(new SqliteMigrator(file.Database, [("0001_first", "CREATE TABLE a (x TEXT)\nSTRICT;"), Second]).MigrateAsync(default));
        error.Message.ShouldContain("0001_first was edited");
        (await ScalarAsync<long>(file, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'b'")).ShouldBe(0);
    }

    [Fact]
    public async Task A_database_newer_than_the_code_is_refused()
    {
        await using var file = new SqliteFile();
        await new SqliteMigrator(file.Database, [First, Second]).MigrateAsync(default);
        var error = await Should.ThrowAsync<InvalidRequestException>(new SqliteMigrator(file.Database, [First]).MigrateAsync(default));
        error.Message.ShouldContain("newer version");
        error.Message.ShouldContain("0002_second");
    }

    [Fact]
    public async Task A_script_that_fails_leaves_nothing_behind()
    {
        await using var file = new SqliteFile();
        var error = await Should.ThrowAsync<AiWorkflowsException>(new SqliteMigrator(file.Database, [First, ("0002_bad", "CREATE TABLE b (y TEXT); INSERT INTO nowhere VALUES (1);")]).MigrateAsync(default));
        error.Message.ShouldContain("0002_bad");
        new SqliteMigrator(file.Database, [First, Second]).Pending().ShouldHaveSingleItem().Name.ShouldBe("0002_second");
        (await ScalarAsync<long>(file, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'b'")).ShouldBe(0);
    }

    [Fact]
    public async Task Ten_that_start_at_once_all_end_with_the_same_schema()
    {
        await using var file = new SqliteFile();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(async () =>
        {
            await using var database = new SqliteDatabase(file.Database.Location);
            await new SqliteMigrator(database).MigrateAsync(default);
        })));
        new SqliteMigrator(file.Database).Pending().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_missing_directory_is_named()
    {
        await using var file = new SqliteFile();
        await using var database = new SqliteDatabase(file.Path("nowhere/store.db"));
        (await Should.ThrowAsync<InvalidRequestException>(new SqliteMigrator(database).MigrateAsync(default))).Message.ShouldContain("there is no directory");
    }

    [Fact]
    public async Task A_directory_that_takes_no_files_is_named()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs a directory in which not even root may create files");
        await using var database = new SqliteDatabase("/proc/store.db");
        (await Should.ThrowAsync<InvalidRequestException>(new SqliteMigrator(database).MigrateAsync(default))).Message.ShouldContain("/proc/store.db cannot be");
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_named()
    {
        await using var file = new SqliteFile();
        await File.WriteAllTextAsync(file.Database.Location, new string('x', 10_000));
        (await Should.ThrowAsync<InvalidRequestException>(new SqliteMigrator(file.Database).MigrateAsync(default))).Message.ShouldContain("is not a SQLite database");
    }

    [Fact]
    public async Task A_directory_in_place_of_the_file_is_named()
    {
        await using var file = new SqliteFile();
        Directory.CreateDirectory(file.Database.Location);
        (await Should.ThrowAsync<InvalidRequestException>(new SqliteMigrator(file.Database).MigrateAsync(default))).Message.ShouldContain(file.Database.Location);
    }

    [Fact]
    public async Task A_full_disk_is_named_and_leaves_nothing_behind()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await file.Database.WriteRawAsync(c =>
        {
            SqliteDatabase.Execute(c, "PRAGMA max_page_count = 1");
            return 0;
        }, default);
        var error = await Should.ThrowAsync<InvalidRequestException>(file.Database.WriteAsync(async tx =>
        {
            for (var i = 0; i < 1000; i++)
                await tx.ExecuteAsync("INSERT INTO {workflows.audit} (done_at, done_by, action, subject, details) VALUES ({now}, 'x', 'x', 'x', @Text)", new { Text = new string('x', 5000) });
        }, default));
        error.Message.ShouldContain("is full");
        (await ScalarAsync<long>(file, "SELECT COUNT(*) FROM workflows_audit")).ShouldBe(0);
    }

    private static async Task<T> ScalarAsync<T>(SqliteFile file, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={file.Database.Location}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
