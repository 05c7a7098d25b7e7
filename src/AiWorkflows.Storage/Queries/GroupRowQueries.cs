using System.Globalization;
using AiWorkflows.Features;
using Dapper;

namespace AiWorkflows.Storage.Queries;

/// <summary>Rows of a feature group as somebody looks at them.</summary>
/// <param name="Columns">Names, in the order of the values.</param>
/// <param name="LookedThrough">Not null: only so many of the newest rows were looked through for the key.</param>
internal sealed record GroupRows(IReadOnlyList<StoredColumn> Columns, IReadOnlyList<GroupRowValues> Rows, int? LookedThrough);

/// <summary>One row: its values as people read them, null where one is missing.</summary>
internal sealed record GroupRowValues(IReadOnlyList<object?> Values, long CommitId, long? RunId);

/// <summary>Reads rows of groups by the columns that the store has recorded; the program need not define the group any more.</summary>
internal sealed class GroupRowQueries(StoreDatabase database)
{
    /// <summary>Where no index leads from a key to its rows.</summary>
    public const int MostLookedThrough = 50_000;

    /// <summary>The newest rows as of a sequence, the latest event first.</summary>
    /// <param name="key">Part of what rows are about, as text; null for any.</param>
    /// <param name="at">Rows with a later event time are left out.</param>
    /// <param name="seq">What was published later is not seen.</param>
    public async Task<GroupRows> NewestAsync(string group, int version, IReadOnlyList<StoredColumn> columns, bool online, string? key, DateTime? at, long seq, int limit, CancellationToken ct)
    {
        var parameters = new DynamicParameters();
        parameters.Add("at", (Utc)(at ?? Timestamps.FromMicros(long.MaxValue / 40)));
        parameters.Add("seq", seq);
        parameters.Add("limit", limit);
        parameters.Add("most", MostLookedThrough);
        StoredColumn[] keys = [.. columns.Where(c => c.Role == ColumnRole.Key)];
        var wanted = key is null ? null : Match(keys, key, parameters);
        var indexed = online && keys.Length == 1;
        var rows = await database.ReadAsync<object>(Statement(group, version, columns, wanted, indexed), parameters, ct);
        var found = rows.Cast<IDictionary<string, object?>>().Select(row => row.Values.ToArray()).Select(row =>
            new GroupRowValues([.. columns.Select((column, i) => Shown(column, row[i]))], Convert.ToInt64(row[^2], CultureInfo.InvariantCulture), row[^1] is { } run ? Convert.ToInt64(run, CultureInfo.InvariantCulture) : null));
        return new(columns, [.. found], key is null || indexed ? null : MostLookedThrough);
    }

    /// <param name="wanted">A condition on the keys; null for none.</param>
    internal static string Statement(string group, int version, IReadOnlyList<StoredColumn> columns, string? wanted, bool indexed)
    {
        if (!GroupSchema.IsIdentifier(group))
            throw new InvalidRequestException($"'{group}' is no name of a feature group.");
        var table = $"{{feature_store.{group}_v{version}_rows}}";
        var time = Quote(columns.Single(c => c.Role == ColumnRole.EventTime).Name);
        string[] key = [time, .. columns.Where(c => c.Role == ColumnRole.Key).Select(c => Quote(c.Name))];
        var names = string.Join(", ", columns.Select(c => "r." + Quote(c.Name)));
        // Without an index on the keys, the newest rows are looked through, and no more of them.
        var source = wanted is null || indexed ? table : $"(SELECT * FROM {table} s WHERE s.{time} <= @at ORDER BY s.{time} DESC {{limit:@most}})";
        return $$"""
            SELECT {{names}}, r.commit_id, c.run_id
            FROM {{source}} r JOIN {feature_store.commits} c ON c.commit_id = r.commit_id
            WHERE r.{{time}} <= @at {{(wanted is null ? "" : "AND " + wanted)}} AND r.deleted = 0 AND c.state = 'published' AND c.published_seq <= @seq
              AND NOT EXISTS (
                SELECT 1 FROM {{table}} n JOIN {feature_store.commits} nc ON nc.commit_id = n.commit_id
                WHERE {{string.Join(" AND ", key.Select(k => $"n.{k} = r.{k}"))}} AND nc.state = 'published' AND nc.published_seq > c.published_seq AND nc.published_seq <= @seq)
            ORDER BY r.{{time}} DESC {limit:@limit}
            """;
    }

    /// <summary>One value for one key; several with commas between them, in the order of the keys; of those that are numbers, only numbers.</summary>
    private static string Match(StoredColumn[] keys, string text, DynamicParameters parameters)
    {
        var parts = keys.Length == 1 ? [text] : text.Split(',', StringSplitOptions.TrimEntries);
        if (parts.Length > keys.Length)
            throw new InvalidRequestException($"A key of this group has {keys.Length} parts: {string.Join(", ", keys.Select(k => k.Name))}.");
        var conditions = new List<string>();
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i].Length == 0)
                continue;
            conditions.Add($"r.{Quote(keys[i].Name)} = @key{i}");
            parameters.Add($"key{i}", Parse(keys[i], parts[i]));
        }
        return conditions.Count == 0 ? "1 = 1" : string.Join(" AND ", conditions);
    }

    private static object Parse(StoredColumn column, string text) => column.Type switch
    {
        ColumnType.Text or ColumnType.Enum => text,
        ColumnType.Boolean => text is "true" or "1",
        ColumnType.Guid when Guid.TryParse(text, out var id) => id.ToByteArray(bigEndian: true),
        ColumnType.Timestamp when DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) => (Utc)time,
        _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : throw new InvalidRequestException($"'{text}' is no value of {column.Name}, which is of type {column.Type.ToString().ToLowerInvariant()}."),
    };

    private static object? Shown(StoredColumn column, object? value) => value switch
    {
        null or DBNull => null,
        long micros when column.Type == ColumnType.Timestamp => Timestamps.FromMicros(micros),
        DateTime time => DateTime.SpecifyKind(time, DateTimeKind.Utc),
        long days when column.Type == ColumnType.Date => DateOnly.FromDayNumber((int)days + new DateOnly(1970, 1, 1).DayNumber),
        long scaled when column.Type == ColumnType.Decimal => scaled / (decimal)Math.Pow(10, column.Scale),
        long bit when column.Type == ColumnType.Boolean => bit != 0,
        byte[] { Length: 16 } bytes when column.Type == ColumnType.Guid => new Guid(bytes, bigEndian: true),
        double number when column.Type == ColumnType.Single => (float)number,
        _ => value,
    };

    private static string Quote(string name) => $"\"{name}\"";
}
