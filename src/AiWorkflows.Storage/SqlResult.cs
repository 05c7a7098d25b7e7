using System.Data.Common;
using System.Runtime.CompilerServices;

namespace AiWorkflows.Storage;

/// <summary>The result of a query by hand: its column names, and its rows as they come.</summary>
internal sealed class SqlResult(DbConnection connection, DbCommand command, DbDataReader reader, Func<Exception, Exception?> explain) : IAsyncDisposable
{
    public IReadOnlyList<string> Columns { get; } = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];

    /// <summary>Rows with long, double, string, byte[] or null in each cell; the array is new for each row.</summary>
    public async IAsyncEnumerable<object?[]> RowsAsync([EnumeratorCancellation] CancellationToken ct)
    {
        while (await NextAsync(ct))
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++)
                row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            yield return row;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync();
        await command.DisposeAsync();
        await connection.DisposeAsync();
    }

    private async Task<bool> NextAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        try
        {
            return await reader.ReadAsync(ct);
        }
        catch (DbException e) when (explain(e) is { } explained)
        {
            throw explained;
        }
    }
}
