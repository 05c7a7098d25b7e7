using System.Data;
using System.Data.Common;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Storage.Sources;
using AiWorkflows.Streaming;

namespace AiWorkflows;

/// <summary>
/// Reads the events of a stream from a table or view of any database, polled by a column that only grows: <c>s.From(_ => new TableSource&lt;Order&gt;(() => new SqlConnection(…), "dbo.orders", key: "id"))</c>.
/// The table has a column for each column of the events' group, of the same name; times without an offset are UTC. Rows that are changed later are read again only where the column grows with
/// each change, as a <c>rowversion</c> of SQL Server does; they are then events with the same keys, of which the first counts.
/// </summary>
/// <typeparam name="TEvent">The record of the events.</typeparam>
public sealed class TableSource<TEvent> : IStreamSource<TEvent> where TEvent : class
{
    /// <summary>Rows that are read by one statement, so that none is open for long.</summary>
    private const int PageRows = 10_000;

    private static readonly EventReader<TEvent> Events = new();

    private readonly Func<DbConnection> _connect;
    private readonly string _first;
    private readonly string _next;
    private readonly string _key;

    /// <summary>Takes a table in.</summary>
    /// <param name="connect">Makes a connection, closed; it is opened for each look and disposed of.</param>
    /// <param name="table">Name of the table or view, as <c>dbo.orders</c>.</param>
    /// <param name="key">A column with a unique value that grows with each row: whole numbers, or a <c>rowversion</c>; with an index.</param>
    /// <param name="where">
    /// A condition in the SQL of that database that rows fulfil; null for all. Where transactions commit out of the order of their keys a row may show up behind one that was read
    /// already, and would be missed: leave the youngest out, as <c>"created_at &lt; DATEADD(minute, -1, SYSUTCDATETIME())"</c>, or for a rowversion <c>"version &lt; MIN_ACTIVE_ROWVERSION()"</c>.
    /// </param>
    public TableSource(Func<DbConnection> connect, string table, string key, string? where = null)
    {
        ArgumentNullException.ThrowIfNull(connect);
        ArgumentException.ThrowIfNullOrWhiteSpace(table);
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        (_connect, _key) = (connect, key);
        var columns = string.Join(", ", RowCodec<TEvent>.Instance.Schema.Columns.Select(c => Quoted(c.Name)));
        string Query(params IEnumerable<string?> conditions) =>
            $"SELECT {Quoted(key)}, {columns} FROM {string.Join('.', table.Split('.').Select(Quoted))} WHERE {string.Join(" AND ", conditions.OfType<string>())} ORDER BY {Quoted(key)}";
        var fulfilled = where is null ? null : $"({where})";
        (_first, _next) = (Query($"{Quoted(key)} IS NOT NULL", fulfilled), Query($"{Quoted(key)} > @after", fulfilled));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<StreamRecord<TEvent>> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            var page = await PageAsync(after, ct);
            foreach (var record in page)
                yield return record;
            if (page.Count < PageRows)
                yield break;
            after = page[^1].Position;
        }
    }

    private async Task<List<StreamRecord<TEvent>>> PageAsync(string? after, CancellationToken ct)
    {
        await using var connection = _connect();
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = after is null ? _first : _next;
        if (after is not null)
            command.Parameters.Add(TablePosition.Parameter(command, "@after", after));
        await using var rows = await command.ExecuteReaderAsync(CommandBehavior.SingleResult, ct);
        var page = new List<StreamRecord<TEvent>>();
        using var text = new MemoryStream();
        while (page.Count < PageRows && await rows.ReadAsync(ct))
            page.Add(Read(rows, text));
        // What is left of the result is not wanted.
        command.Cancel();
        return page;
    }

    private StreamRecord<TEvent> Read(DbDataReader row, MemoryStream text)
    {
        var position = TablePosition.Of(row.GetValue(0), _key);
        text.SetLength(0);
        TableRowJson.Write(RowCodec<TEvent>.Instance.Schema.Columns, row, text);
        var json = text.GetBuffer().AsMemory(0, (int)text.Length);
        try
        {
            using var document = JsonDocument.Parse(json);
            return new(position, Events.Read(document.RootElement, "$"));
        }
        catch (InstanceException e)
        {
            return StreamRecord<TEvent>.Unreadable(position, System.Text.Encoding.UTF8.GetString(json.Span), e.Message);
        }
    }

    private static string Quoted(string name) => name.Contains('"', StringComparison.Ordinal)
        ? throw new ArgumentException($"{name} is a name without quotation marks.", nameof(name)) : $"\"{name}\"";
}
