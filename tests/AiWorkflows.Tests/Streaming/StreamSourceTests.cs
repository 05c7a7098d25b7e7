using System.Data.Common;
using System.Text.RegularExpressions;
using AiWorkflows.Storage;
using AiWorkflows.Tests.Hosting;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Streaming;

/// <summary>Events that a host reads by itself.</summary>
public sealed partial class StreamSourceTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _directory.Dispose();
    }

    [Fact]
    public async Task Files_are_read_once_line_by_line_and_what_is_added_is_read_later()
    {
        var folder = _directory.Sub("events");
        await File.WriteAllTextAsync(Path.Combine(folder, "b.ndjson"), Line(3) + Line(4)[..20], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "a.jsonl"), Line(1) + "not json\n\n" + Line(2) + "{\"airport\":\"LHR\",\"id\":7}\n", TestContext.Current.CancellationToken);
        void Define(AiWorkflowsBuilder ai) => ai.Stream<Movement>("movements", s => StreamOracleTests.Define(s, 2).FromFiles(folder));
        await using (var host = await ServedHost.StartAsync(_directory.FullName, settings: [], define: Define))
        {
            await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Movement>(host)).Count == 3);
            var quarantine = await host.Services.GetRequiredService<StoreDatabase>().ReadAsync<string>("SELECT reason FROM {feature_store.quarantine} WHERE rule_name = 'unreadable' ORDER BY quarantine_id", null, default);
            quarantine.Count.ShouldBe(2);
            quarantine[1].ShouldContain("$.at: it is missing");
        }
        await File.AppendAllTextAsync(Path.Combine(folder, "b.ndjson"), Line(4)[20..] + Line(5), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "c.ndjson"), Line(6), TestContext.Current.CancellationToken);
        await using var again = await ServedHost.StartAsync(_directory.FullName, settings: [], define: Define);
        await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Movement>(again)).Count == 6);
        (await StreamsApiTests.RowsAsync<Queue>(again)).Select(q => q.Count).ShouldBe([1, 2, 3, 4, 5, 6]);
        var shown = await again.JsonAsync(HttpMethod.Get, "/api/streams/movements", 200);
        (shown.GetProperty("events").GetInt64(), shown.GetProperty("duplicates").GetInt64(), shown.GetProperty("refused").GetInt64()).ShouldBe((8, 0, 2));
        shown.GetProperty("sources")[0].GetProperty("offset").GetString()!.ShouldStartWith("c.ndjson:");
    }

    [Fact]
    public async Task The_source_of_the_guide_reads_a_table()
    {
        var connection = $"Data Source={Path.Combine(_directory.FullName, "shop.db")}";
        await ExecuteAsync(connection, "CREATE TABLE orders (id INTEGER PRIMARY KEY, shop TEXT, placed_at TEXT, amount REAL); INSERT INTO orders VALUES (1, 'a', '2024-03-01 10:00:00', 3), (2, 'b', '2024-03-01 10:01:00', 4)");
        await using var host = await ServedHost.StartAsync(_directory.FullName, settings: [], define: ai =>
        {
            ai.Services.AddSingleton<Func<DbConnection>>(() => new SqliteConnection(connection));
            ai.Stream<Order>("orders", s => s.From<OrderSource>());
        });
        await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Order>(host)).Count == 2);
        await ExecuteAsync(connection, "INSERT INTO orders VALUES (7, 'a', '2024-03-01 10:02:00', 5)");
        await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Order>(host)).Count == 3);
        (await host.JsonAsync(HttpMethod.Get, "/api/streams/orders", 200)).GetProperty("sources")[0].GetProperty("offset").GetString().ShouldBe("7");
    }

    [Fact]
    public async Task A_table_is_read_by_its_growing_key_and_what_is_no_event_goes_to_quarantine()
    {
        var connection = $"Data Source={Path.Combine(_directory.FullName, "shop.db")}";
        await ExecuteAsync(connection, """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, shop TEXT, placed_at TEXT, amount REAL, is_open INTEGER);
            INSERT INTO orders VALUES (1, 'a', '2024-03-01 10:00:00', 3, 0), (2, 'b', '2024-03-01 10:01:00.5', NULL, 0), (3, NULL, '2024-03-01 10:01:00', 4, 0), (4, 'c', '2024-03-01 10:02:00', 5, 1)
            """);
        void Define(AiWorkflowsBuilder ai) => ai.Stream<Order>("orders", s => s.From(_ => new TableSource<Order>(() => new SqliteConnection(connection), "main.orders", key: "id", where: "is_open = 0")));
        await using (var host = await ServedHost.StartAsync(_directory.FullName, settings: [], define: Define))
        {
            await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Order>(host)).Count == 2);
            (await StreamsApiTests.RowsAsync<Order>(host)).ShouldBe([new("a", 1, Time(10, 0, 0), 3), new("b", 2, Time(10, 1, 0).AddMilliseconds(500), float.NaN)]);
            var refused = await host.Services.GetRequiredService<StoreDatabase>().ReadAsync<(string Row, string Reason)>("SELECT row_json, reason FROM {feature_store.quarantine} WHERE rule_name = 'unreadable'", null, default);
            refused.ShouldHaveSingleItem().Reason.ShouldBe("$.shop: it is null, but it is never missing.");
            refused[0].Row.ShouldContain("\"id\":3");
        }
        await ExecuteAsync(connection, "INSERT INTO orders VALUES (9, 'a', '2024-03-01 10:03:00', 6, 0)");
        await using var again = await ServedHost.StartAsync(_directory.FullName, settings: [], define: Define);
        await UntilAsync(async () => (await StreamsApiTests.RowsAsync<Order>(again)).Count == 3);
        var shown = await again.JsonAsync(HttpMethod.Get, "/api/streams/orders", 200);
        (shown.GetProperty("sources")[0].GetProperty("offset").GetString(), shown.GetProperty("events").GetInt64(), shown.GetProperty("duplicates").GetInt64()).ShouldBe(("9", 4, 0));
    }

    [Fact]
    public async Task A_table_is_read_page_by_page_from_any_position()
    {
        var connection = $"Data Source={Path.Combine(_directory.FullName, "shop.db")}";
        await ExecuteAsync(connection, """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, shop TEXT, placed_at TEXT, amount REAL);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25000) INSERT INTO orders SELECT 3 * i, 'a', '2024-03-01 10:00:00', i FROM n
            """);
        var source = new TableSource<Order>(() => new SqliteConnection(connection), "orders", key: "id");
        var all = await ((IStreamSource<Order>)source).ReadAsync(0, null, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        all.Select(r => r.Event.Id).ShouldBe(Enumerable.Range(1, 25_000).Select(i => 3L * i));
        (await source.ReadAsync(0, all[9_999].Position, TestContext.Current.CancellationToken).CountAsync(TestContext.Current.CancellationToken)).ShouldBe(15_000);
        var byText = new TableSource<Order>(() => new SqliteConnection(connection), "orders", key: "shop");
        (await Should.ThrowAsync<StageFailedException>(async () => await byText.ReadAsync(0, null, TestContext.Current.CancellationToken).CountAsync(TestContext.Current.CancellationToken)))
            .Message.ShouldBe("Column shop holds String; a table is read by whole numbers that grow, or by a rowversion.");
    }

    [Fact]
    public async Task The_guide_shows_that_source()
    {
        var guide = await File.ReadAllTextAsync(Path.Combine(Architecture.DependencyTests.RepositoryRoot(), "docs", "streaming.md"), TestContext.Current.CancellationToken);
        var tests = await File.ReadAllTextAsync(Path.Combine(Architecture.DependencyTests.RepositoryRoot(), "tests", "AiWorkflows.Tests", "Streaming", "OrderSource.cs"), TestContext.Current.CancellationToken);
        var shown = Shown().Match(guide).Groups[1].Value;
        shown.ShouldContain("IStreamSource<Order>");
        tests.ReplaceLineEndings("\n").ShouldContain(shown);
        shown.Trim().Split('\n').Length.ShouldBeLessThanOrEqualTo(20);
    }

    [GeneratedRegex("`Orders.cs`\n\n```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Shown();

    private static DateTime Time(int hour, int minute, int second) => new(2024, 3, 1, hour, minute, second, DateTimeKind.Utc);

    private static string Line(int id) => $"{{\"airport\":\"LHR\",\"id\":{id},\"at\":\"2024-03-01T00:0{id}:00Z\"}}\n";

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!await holds())
            await Task.Delay(50, patience.Token);
    }
}
