using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace AiWorkflows.Storage;

/// <summary>The result of a query by hand: its column names, and its rows as they come.</summary>
internal sealed class SqlResult(DbConnection connection, DbCommand command, DbDataReader reader, Func<Exception, Exception?> explain, DbTransaction? transaction = null) : IAsyncDisposable
{
    public IReadOnlyList<string> Columns { get; } = [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)];

    /// <summary>Rows with long, double, string, byte[] or null in each cell; the array is new for each row.</summary>
    public async IAsyncEnumerable<object?[]> RowsAsync([EnumeratorCancellation] CancellationToken ct)
    {
        while (await NextAsync(ct))
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++)
                row[i] = reader.IsDBNull(i) ? null : Simple(reader.GetValue(i));
            yield return row;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await reader.DisposeAsync();
        await command.DisposeAsync();
        if (transaction is not null)
            await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }

    /// <summary>The few types that people read; times as ISO-8601 text with microseconds, which sorts.</summary>
    private static object Simple(object value) => value switch
    {
        long or double or string or byte[] => value,
        bool bit => bit ? 1L : 0L,
        byte or short or int => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        float real => double.Parse(real.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
        decimal number => decimal.IsInteger(number) && Math.Abs(number) <= long.MaxValue && number.Scale == 0 ? (long)number : (double)number,
        DateTime time => time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };

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
