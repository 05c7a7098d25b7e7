using System.Data.Common;
using System.Runtime.CompilerServices;
using AiWorkflows.Features;
using Dapper;

namespace AiWorkflows.Storage.Retention;

/// <summary>The table of a feature group, read and thinned out by the columns that the store has recorded; the program need not define the group any more.</summary>
internal sealed class VersionTable
{
    private const int RowsAtOnce = 20_000;

    private readonly StoreDatabase _database;
    private readonly int _keys;
    private readonly string _select;
    private readonly string _delete;

    public VersionTable(StoreDatabase database, string group, int version, IReadOnlyList<StoredColumn> columns)
    {
        _database = database;
        if (!GroupSchema.IsIdentifier(group))
            throw new InvalidRequestException($"'{group}' is no name of a feature group.");
        var table = $"{{feature_store.{group}_v{version}_rows}}";
        var time = Quote(columns.Single(c => c.Role == ColumnRole.EventTime).Name);
        string[] keys = [.. columns.Where(c => c.Role == ColumnRole.Key).Select(c => Quote(c.Name))];
        var key = string.Join(", ", keys.Prepend(time));
        var bytes = string.Join(" + ", columns.Select(c => $"{{bytes:{Quote(c.Name)}}}"));
        _keys = keys.Length;
        _select = $"SELECT commit_id, deleted, {bytes} + 9 AS bytes, {key} FROM {table} WHERE {time} >= @From AND {time} < @To ORDER BY {key}, commit_id {{limit:@Count}}";
        _delete = $"DELETE FROM {table} WHERE {time} = @time AND {string.Concat(keys.Select((k, i) => $"{k} = @key{i} AND "))}commit_id = @commit";
    }

    /// <summary>Rows with all their versions, in the order of event time. Page by page: an open statement would keep the log of an embedded database from shrinking.</summary>
    public async IAsyncEnumerable<VersionedRow> RowsAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        var (from, count) = (window.From, RowsAtOnce);
        while (from < window.To)
        {
            var page = await PageAsync(new(from, window.To), count, ct);
            var isLast = page.Versions < count;
            // The last event time of a full page may go on in the next.
            var until = isLast ? DateTime.MaxValue : page.Rows[^1].Time;
            if (!isLast && page.Rows[0].Time == until)
            {
                count *= 2;
                continue;
            }
            foreach (var row in page.Rows.TakeWhile(r => r.Time < until))
                yield return row;
            (from, count) = (isLast ? window.To : until, RowsAtOnce);
        }
    }

    public async Task DeleteAsync(WriteTransaction tx, IReadOnlyList<ExpiredVersion> rows)
    {
        foreach (var row in rows)
        {
            var parameters = new DynamicParameters();
            parameters.Add("time", row.Key[0]);
            for (var i = 1; i < row.Key.Length; i++)
                parameters.Add($"key{i - 1}", row.Key[i]);
            parameters.Add("commit", row.CommitId);
            await tx.ExecuteAsync(_delete, parameters);
        }
    }

    private async Task<(List<VersionedRow> Rows, int Versions)> PageAsync(Window window, int count, CancellationToken ct)
    {
        await using var connection = await _database.OpenReadAsync(ct);
        var command = new CommandDefinition(_database.Sql(_select), new { From = (Utc)window.From, To = (Utc)window.To, Count = count }, cancellationToken: ct);
        await using var reader = await connection.ExecuteReaderAsync(command);
        var (rows, versions) = (new List<VersionedRow>(), 0);
        while (await reader.ReadAsync(ct))
        {
            versions++;
            var (time, key) = (Utc.Read(reader, 3).Value, Key(reader));
            if (rows.Count == 0 || rows[^1].Time != time || !SameKey(rows[^1].Key, key))
                rows.Add(new(time, key, new List<StoredVersion>(1)));
            ((List<StoredVersion>)rows[^1].Versions).Add(new(reader.GetInt64(0), Convert.ToInt64(reader.GetValue(1), System.Globalization.CultureInfo.InvariantCulture) != 0, reader.GetInt64(2)));
        }
        return (rows, versions);
    }

    private object[] Key(DbDataReader reader)
    {
        var key = new object[_keys + 1];
        for (var i = 0; i < key.Length; i++)
            key[i] = reader.GetValue(i + 3) switch
            {
                // As a parameter of its own type: what a plain DateTime becomes would lose its microseconds.
                DateTime time => new Utc(DateTime.SpecifyKind(time, DateTimeKind.Utc)),
                var value => value,
            };
        return key;
    }

    private static bool SameKey(object[] a, object[] b)
    {
        for (var i = 1; i < a.Length; i++)
            if (a[i] is byte[] bytes ? !bytes.AsSpan().SequenceEqual((byte[])b[i]) : !a[i].Equals(b[i]))
                return false;
        return true;
    }

    private static string Quote(string column) => GroupSchema.IsIdentifier(column) ? $"\"{column}\"" : throw new InvalidRequestException($"'{column}' is no name of a column.");
}
