using AiWorkflows.Tests.Streaming;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>Events from a table of SQL Server.</summary>
public sealed class SqlServerTableSourceTests
{
    [Theory]
    [InlineData("id", "2")]
    [InlineData("version", "0x00000000000007D2")]
    public async Task Rows_behind_a_position_are_read_by_a_growing_key_or_a_row_version(string key, string second)
    {
        var connection = SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync());
        await ExecuteAsync(connection, """
            CREATE TABLE dbo.orders (id bigint NOT NULL PRIMARY KEY, version binary(8) NOT NULL, shop nvarchar(20) NULL, placed_at datetime2(6) NOT NULL, amount real NULL);
            INSERT INTO dbo.orders VALUES (1, 0x00000000000007D1, N'a', '2024-03-01T10:00:00', 3), (2, 0x00000000000007D2, N'b', '2024-03-01T10:01:00.123456', NULL),
                (3, 0x8000000000000000, NULL, '2024-03-01T10:02:00', 5), (4, 0x8000000000000001, N'c', '2024-03-01T10:03:00', 6);
            """);
        var source = new TableSource<Order>(() => new SqlConnection(connection), "dbo.orders", key, where: "amount IS NULL OR amount < 6");
        var all = await source.ReadAsync(0, null, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        all[..2].Select(r => r.Event).ShouldBe([new("a", 1, new DateTime(2024, 3, 1, 10, 0, 0, DateTimeKind.Utc), 3), new("b", 2, new DateTime(2024, 3, 1, 10, 1, 0, DateTimeKind.Utc).AddMicroseconds(123_456), float.NaN)]);
        all[1].Position.ShouldBe(second);
        all.Count.ShouldBe(3);
        all[2].Problem!.ShouldContain("$.shop: it is null");
        (await source.ReadAsync(0, second, TestContext.Current.CancellationToken).CountAsync(TestContext.Current.CancellationToken)).ShouldBe(1);
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new SqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new SqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
