using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace AiWorkflows.Tests.Streaming;

[FeatureGroup("orders_of_a_table")]
public sealed record Order([property: EntityKey] string Shop, [property: EntityKey] long Id, [property: EventTime] DateTime PlacedAt, float Amount);

public sealed class OrderSource(Func<DbConnection> connect) : IStreamSource<Order>
{
    public async IAsyncEnumerable<StreamRecord<Order>> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = connect();
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT id, shop, placed_at, amount FROM orders WHERE id > @after ORDER BY id";
        var id = command.CreateParameter();
        (id.ParameterName, id.Value) = ("@after", long.Parse(after ?? "0", CultureInfo.InvariantCulture));
        command.Parameters.Add(id);
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
            yield return new(
                rows.GetInt64(0).ToString(CultureInfo.InvariantCulture),
                new Order(rows.GetString(1), rows.GetInt64(0), DateTime.SpecifyKind(rows.GetDateTime(2), DateTimeKind.Utc), rows.GetFloat(3)));
    }
}
