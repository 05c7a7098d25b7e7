using AiWorkflows.Features;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Tests.Compliance;

namespace AiWorkflows.Tests.Storage;

/// <summary>What only the embedded engine does.</summary>
public class SqliteDatabaseTests
{
    [Fact]
    public async Task The_view_of_a_group_shows_current_rows_as_people_read_them()
    {
        await using var store = await SqliteTestStore.OpenAsync();
        await Readings.RegisterAsync(store.Features);
        var before1970 = new Window(new(1969, 12, 31, 0, 0, 0, DateTimeKind.Utc), new(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("gone", 1, 1), Readings.Row("changed", 2, 1), Readings.Row("kept", 3.5, 1));
        await Readings.PublishAsync(store, Readings.Day, [Readings.Row("changed", 2, 9)], [Readings.Row("gone", 1, 0)]);
        await Readings.PublishAsync(store, before1970, new Reading("old", 1, before1970.To.AddMicroseconds(-1), 1, 2, "n", Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), new(1969, 2, 28)));
        var (columns, rows) = await QueryAsync(store, "SELECT * FROM feature_store_readings_v1 ORDER BY at");
        columns.ShouldBe(["at", "sensor", "channel", "value", "count", "note", "tag", "day", "commit_id"]);
        rows.Select(r => (r[0], r[1], r[3])).ShouldBe([
            ("1969-12-31T23:59:59.999999Z", "old", 1.0), ("2001-01-01T02:00:00.000000Z", "changed", 9.0), ("2001-01-01T03:30:00.000000Z", "kept", 1.0)]);
        rows[0][6].ShouldBe("00112233-4455-6677-8899-aabbccddeeff");
        rows[0][7].ShouldBe("1969-02-28");
    }

    [Fact]
    public async Task A_prediction_from_before_1970_has_the_right_time()
    {
        await using var store = await SqliteTestStore.OpenAsync();
        var at = new DateTime(1969, 12, 31, 23, 59, 59, DateTimeKind.Utc).AddMicroseconds(250_001);
        await Predictions.PublishAsync(store, new(at.AddHours(-1), at.AddHours(1)), [new("[\"a\"]", at, 1, 0.5, null, "{}", 1)]);
        await store.Predictions.UpsertOutcomesAsync("v", [new("[\"a\"]", at, 1, null, at)], 1, default);
        var (columns, rows) = await QueryAsync(store, "SELECT event_time, actual_at, predicted_at, prediction_id FROM prediction_log_scored");
        columns.ShouldBe(["event_time", "actual_at", "predicted_at", "prediction_id"]);
        rows.ShouldHaveSingleItem().ShouldBe(["1969-12-31T23:59:59.250001Z", "1969-12-31T23:59:59.250001Z", "2001-01-01T00:00:00.000000Z", 1L << 32]);
    }

    [Fact]
    public async Task Scans_and_seeks_run_along_an_index_without_sorting()
    {
        await using var store = await SqliteTestStore.OpenAsync();
        await Readings.RegisterAsync(store.Features);
        var scan = await PlanAsync(store, SqliteGroupTable.Scan(Readings.Group, Readings.Group.Columns).Replace("?", "1", StringComparison.Ordinal));
        scan.ShouldContain("PRIMARY KEY");
        scan.ShouldNotContain("TEMP B-TREE");
        var seek = await PlanAsync(store, SqliteGroupTable.Seek(Readings.Group, Readings.Group.Columns).Replace("?", "1", StringComparison.Ordinal));
        seek.ShouldContain(SqliteGroupTable.KeyIndex(Readings.Group));
        seek.ShouldNotContain("TEMP B-TREE");
    }

    [Fact]
    public async Task A_query_by_hand_reads_and_cannot_write()
    {
        await using var store = await SqliteTestStore.OpenAsync();
        var (columns, rows) = await QueryAsync(store, "SELECT 1 AS one, 'x' AS text, NULL AS missing, 1.5 AS real, x'0102' AS blob");
        columns.ShouldBe(["one", "text", "missing", "real", "blob"]);
        rows.ShouldHaveSingleItem().ShouldBe([1L, "x", null, 1.5, new byte[] { 1, 2 }]);
        foreach (var statement in new[] { "DELETE FROM workflows_runs", "CREATE TABLE x (y)", "PRAGMA query_only = 0; DELETE FROM workflows_runs", "UPDATE workflows_runs SET state = 'x'" })
            (await Should.ThrowAsync<InvalidRequestException>(QueryAsync(store, statement))).Message.ShouldContain("would write");
        (await Should.ThrowAsync<InvalidRequestException>(QueryAsync(store, "SELECT * FROM nowhere"))).Message.ShouldBe("The query is wrong: no such table: nowhere.");
        (await Should.ThrowAsync<InvalidRequestException>(QueryAsync(store, "SELEC 1"))).Message.ShouldContain("syntax error");
        (await QueryAsync(store, "SELECT 1 AS one")).Rows.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_statement_without_rows_has_no_columns()
    {
        await using var store = await SqliteTestStore.OpenAsync();
        foreach (var statement in new[] { "", " ", "-- nothing" })
        {
            var (columns, rows) = await QueryAsync(store, statement);
            columns.ShouldBeEmpty();
            rows.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_backup_taken_while_somebody_writes_is_a_consistent_database()
    {
        await using var store = (SqliteTestStore)await SqliteTestStore.OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        var attempt = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        var writing = Task.Run(async () =>
        {
            for (var i = 0; i < 50; i++)
                await writer.WriteAsync(new Readings.Batch([.. Enumerable.Range(0, 200).Select(j => Readings.Row($"{i}-{j}", 2, 1))], []), default);
        });
        var file = store.File.Path("backup.db");
        await store.Database.BackupAsync(file, default);
        await writing;

        await using var copy = new SqliteDatabase(file);
        new SqliteMigrator(copy).Pending().ShouldBeEmpty();
        (await Readings.AsOfAsync(new SqliteFeatureStore(copy), 1, Readings.Day)).ShouldBe([("a", Readings.At(1), 1.0)]);
        (await copy.ReadFirstAsync<string>("PRAGMA integrity_check", null, default)).ShouldBe("ok");
        (await Should.ThrowAsync<InvalidRequestException>(store.Database.BackupAsync(file, default))).Message.ShouldContain("exists already");
        (await Should.ThrowAsync<InvalidRequestException>(store.Database.BackupAsync(store.File.Path("nowhere/x.db"), default))).Message.ShouldContain("no directory");
    }

    [Fact]
    public async Task A_closed_cursor_lets_the_write_ahead_log_shrink()
    {
        await using var store = (SqliteTestStore)await SqliteTestStore.OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, [.. Enumerable.Range(0, 1000).Select(i => Readings.Row($"{i}", 1, 1))]);
        var cursor = store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day);
        cursor.Read().ShouldBeTrue();
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("x", 1, 1));
        (await CheckpointAsync(store)).ShouldBe(1);
        cursor.Dispose();
        (await CheckpointAsync(store)).ShouldBe(0);
    }

    /// <summary>1 where a reader or writer was in the way.</summary>
    private static Task<long> CheckpointAsync(SqliteTestStore store) => store.File.Database.WriteRawAsync(connection =>
    {
        SqliteDatabase.Execute(connection, "PRAGMA busy_timeout = 0");
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
        return (long)command.ExecuteScalar()!;
    }, default);

    private static async Task<string> PlanAsync(TestStore store, string sql) =>
        string.Join("; ", (await QueryAsync(store, "EXPLAIN QUERY PLAN " + sql)).Rows.Select(r => r[3]));

    private static async Task<(IReadOnlyList<string> Columns, List<object?[]> Rows)> QueryAsync(TestStore store, string sql)
    {
        await using var result = await store.Database.QueryAsync(sql, default);
        var rows = new List<object?[]>();
        await foreach (var row in result.RowsAsync(default))
            rows.Add(row);
        return (result.Columns, rows);
    }
}
