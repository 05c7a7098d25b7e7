using AiWorkflows.Features;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>The generated tables, views and statements of a feature group. The only place where identifiers are quoted.</summary>
internal static class SqliteGroupTable
{
    public static string Table(GroupSchema group) => Table(group.Name, group.Version);

    public static string Table(string group, int version) => GroupSchema.IsIdentifier(group)
        ? $"feature_store_{group}_v{version}_rows" : throw new InvalidRequestException($"'{group}' is no name of a feature group.");

    public static string View(GroupSchema group) => $"feature_store_{group.Name}_v{group.Version}";

    public static string KeyIndex(GroupSchema group) => $"ix_{group.Name}_v{group.Version}_keys";

    public static string Quote(string identifier) =>
        GroupSchema.IsIdentifier(identifier) ? $"\"{identifier}\"" : throw new InvalidRequestException(
            $"'{identifier}' cannot be a column: use letters, digits and underscores, at most 60, starting with a letter.");

    public static string CreateTable(GroupSchema group)
    {
        var clustered = ClusteredColumns(group);
        return $"""
            CREATE TABLE {Table(group)} (
                {string.Join(",\n    ", clustered.Select(c => $"{Quote(c.Name)} {Type(c)} NOT NULL"))},
                commit_id INTEGER NOT NULL,
                deleted INTEGER NOT NULL DEFAULT 0,
                {string.Concat(group.Features.Select(c => $"{Quote(c.Name)} {Type(c)} NULL,\n    "))}PRIMARY KEY ({Names(clustered)}, commit_id)
            ) STRICT, WITHOUT ROWID
            """;
    }

    public static string AddColumn(GroupSchema group, FeatureColumn column) => $"ALTER TABLE {Table(group)} ADD COLUMN {Quote(column.Name)} {Type(column)} NULL";

    public static string CreateKeyIndex(GroupSchema group) =>
        $"CREATE INDEX IF NOT EXISTS {KeyIndex(group)} ON {Table(group)} ({Names(group.Keys)}, {Quote(group.EventTime.Name)} DESC, commit_id, deleted)";

    public static string DropKeyIndex(GroupSchema group) => $"DROP INDEX IF EXISTS {KeyIndex(group)}";

    public static string DropView(GroupSchema group) => $"DROP VIEW IF EXISTS {View(group)}";

    /// <summary>The current rows: of each (event time, keys) the version published last, unless that is a tombstone.</summary>
    public static string CreateView(GroupSchema group) => $"""
        CREATE VIEW {View(group)} AS
        SELECT {string.Join(", ", group.Columns.Select(c => $"{Display(c)} AS {Quote(c.Name)}"))}, r.commit_id
        FROM {Table(group)} r
        JOIN feature_store_commits c ON c.commit_id = r.commit_id AND c.state = 'published'
        WHERE r.deleted = 0
          AND NOT EXISTS (
              SELECT 1 FROM {Table(group)} n
              JOIN feature_store_commits nc ON nc.commit_id = n.commit_id AND nc.state = 'published'
              WHERE {string.Join(" AND ", ClusteredColumns(group).Select(c => $"n.{Quote(c.Name)} = r.{Quote(c.Name)}"))}
                AND n.commit_id <> r.commit_id AND nc.published_seq > c.published_seq)
        """;

    /// <summary>Parameters: the columns in the schema's order, then commit and deleted.</summary>
    public static string Insert(GroupSchema group) =>
        $"INSERT INTO {Table(group)} ({Names(group.Columns)}, commit_id, deleted) VALUES ({string.Join(", ", Enumerable.Repeat("?", group.Columns.Count + 2))})";

    public static string Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns) =>
        $"{Select(group, columns)} WHERE {Quote(group.EventTime.Name)} >= ? AND {Quote(group.EventTime.Name)} < ? ORDER BY {Names(ClusteredColumns(group))}";

    public static string Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns)
    {
        var time = Quote(group.EventTime.Name);
        return $"{Select(group, columns)} WHERE {string.Concat(group.Keys.Select(k => $"{Quote(k.Name)} = ? AND "))}{time} >= ? AND {time} < ? ORDER BY {time} DESC";
    }

    /// <summary>The next event time of an entity after one.</summary>
    public static string NextTime(GroupSchema group)
    {
        var time = Quote(group.EventTime.Name);
        return $"SELECT {time} FROM {Table(group)} WHERE {string.Concat(group.Keys.Select(k => $"{Quote(k.Name)} = ? AND "))}{time} > ? ORDER BY {time} LIMIT 1";
    }

    private static string Select(GroupSchema group, IReadOnlyList<FeatureColumn> columns) =>
        $"SELECT {string.Join(", ", columns.Select(c => Quote(c.Name)).Prepend("deleted").Prepend("commit_id"))} FROM {Table(group)}";

    private static FeatureColumn[] ClusteredColumns(GroupSchema group) => [group.EventTime, .. group.Keys];

    private static string Names(IEnumerable<FeatureColumn> columns) => string.Join(", ", columns.Select(c => Quote(c.Name)));

    private static string Type(FeatureColumn column) => column.Kind switch
    {
        CellKind.Integer => "INTEGER",
        CellKind.Real => "REAL",
        CellKind.Text => "TEXT",
        _ => "BLOB",
    };

    /// <summary>The column as people read it.</summary>
    private static string Display(FeatureColumn column)
    {
        var name = $"r.{Quote(column.Name)}";
        return column.Type switch
        {
            ColumnType.Timestamp => IsoTime(name),
            ColumnType.Date => $"date({name} * 86400, 'unixepoch')",
            ColumnType.Decimal when column.Scale > 0 => $"{name} / 1{new string('0', column.Scale)}.0",
            ColumnType.Guid => $"lower({string.Join(" || '-' || ", new[] { (1, 4), (5, 2), (7, 2), (9, 2), (11, 6) }.Select(p => $"hex(substr({name}, {p.Item1}, {p.Item2}))"))})",
            _ => name,
        };
    }

    /// <summary>ISO-8601 text of microseconds since 1970; division and remainder round down before 1970 too.</summary>
    private static string IsoTime(string micros) =>
        $"strftime('%Y-%m-%dT%H:%M:%S', {micros} / 1000000 - ({micros} % 1000000 < 0), 'unixepoch') || printf('.%06dZ', {micros} % 1000000 + ({micros} % 1000000 < 0) * 1000000)";
}
