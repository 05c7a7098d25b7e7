using System.Data;
using AiWorkflows.Features;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>The generated tables, views and statements of a feature group. Names are checked here before they become part of a statement.</summary>
internal static class SqlServerGroupTable
{
    /// <summary>Longer texts are kept outside of the row anyway.</summary>
    private const int LongestText = 4000;

    private const string Binary = " COLLATE Latin1_General_100_BIN2";

    public static string Table(GroupSchema group) => Table(group.Name, group.Version);

    public static string Table(string group, int version) => GroupSchema.IsIdentifier(group)
        ? $"feature_store.{group}_v{version}_rows" : throw new InvalidRequestException($"'{group}' is no name of a feature group.");

    public static string View(GroupSchema group) => $"feature_store.{group.Name}_v{group.Version}";

    public static string KeyIndex(GroupSchema group) => $"ix_{group.Name}_v{group.Version}_keys";

    public static string Quote(string identifier) =>
        GroupSchema.IsIdentifier(identifier) ? SqlServerDialect.Quote(identifier) : throw new InvalidRequestException(
            $"'{identifier}' cannot be a column: use letters, digits and underscores, at most 60, starting with a letter.");

    /// <summary>Clustered for the scan by event time; rows of one key and time lie together.</summary>
    public static string CreateTable(GroupSchema group)
    {
        var clustered = ClusteredColumns(group);
        return $"""
            CREATE TABLE {Table(group)} (
                {string.Join(",\n    ", clustered.Select(c => $"{Quote(c.Name)} {Type(c)} NOT NULL"))},
                commit_id bigint NOT NULL,
                deleted bit NOT NULL DEFAULT 0,
                {string.Concat(group.Features.Select(c => $"{Quote(c.Name)} {Type(c)} NULL,\n    "))}CONSTRAINT pk_{group.Name}_v{group.Version} PRIMARY KEY CLUSTERED ({Names(clustered)}, commit_id) WITH (DATA_COMPRESSION = PAGE)
            )
            """;
    }

    /// <summary>A writer's thousands of row locks must not become a lock on the table that readers and other writers share.</summary>
    public static string KeepRowLocks(GroupSchema group) => $"ALTER TABLE {Table(group)} SET (LOCK_ESCALATION = DISABLE)";

    public static string AddColumn(GroupSchema group, FeatureColumn column) => $"ALTER TABLE {Table(group)} ADD {Quote(column.Name)} {Type(column)} NULL";

    public static string WidenColumn(GroupSchema group, FeatureColumn column) =>
        $"ALTER TABLE {Table(group)} ALTER COLUMN {Quote(column.Name)} {Type(column)} {(column.Role == ColumnRole.Feature ? "NULL" : "NOT NULL")}";

    public static string CreateKeyIndex(GroupSchema group) => $"""
        IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE object_id = OBJECT_ID(N'{Table(group)}') AND name = N'{KeyIndex(group)}')
            CREATE INDEX {KeyIndex(group)} ON {Table(group)} ({Names(group.Keys)}, {Quote(group.EventTime.Name)} DESC, commit_id, deleted) WITH (DATA_COMPRESSION = PAGE)
        """;

    public static string DropKeyIndex(GroupSchema group) => $"DROP INDEX IF EXISTS {KeyIndex(group)} ON {Table(group)}";

    public static string DropView(GroupSchema group) => $"DROP VIEW IF EXISTS {View(group)}";

    /// <summary>The current rows: of each (event time, keys) the version published last, unless that is a tombstone.</summary>
    public static string CreateView(GroupSchema group) => $"""
        CREATE VIEW {View(group)} AS
        SELECT {string.Join(", ", group.Columns.Select(c => $"{Display(c)} AS {Quote(c.Name)}"))}, r.commit_id
        FROM {Table(group)} r
        JOIN feature_store.commits c ON c.commit_id = r.commit_id AND c.state = N'published'
        WHERE r.deleted = 0
          AND NOT EXISTS (
              SELECT 1 FROM {Table(group)} n
              JOIN feature_store.commits nc ON nc.commit_id = n.commit_id AND nc.state = N'published'
              WHERE {string.Join(" AND ", ClusteredColumns(group).Select(c => $"n.{Quote(c.Name)} = r.{Quote(c.Name)}"))}
                AND n.commit_id <> r.commit_id AND nc.published_seq > c.published_seq)
        """;

    /// <summary>Parameters: @from, @to.</summary>
    public static string Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns)
    {
        var time = Quote(group.EventTime.Name);
        return $"{Select(group, columns)} WHERE {time} >= @from AND {time} < @to ORDER BY {Names(ClusteredColumns(group))}, commit_id";
    }

    /// <summary>Parameters: @key0, @key1, …, @from, @to.</summary>
    public static string Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns)
    {
        var time = Quote(group.EventTime.Name);
        return $"{Select(group, columns)} WHERE {string.Concat(group.Keys.Select((k, i) => $"{Quote(k.Name)} = @key{i} AND "))}{time} >= @from AND {time} < @to ORDER BY {time} DESC";
    }

    /// <summary>The newest rows of one entity. Parameters: @rows, and with the prefix key0, key1, …, from, to.</summary>
    public static string SeekNewest(GroupSchema group, IReadOnlyList<FeatureColumn> columns, string prefix)
    {
        var time = Quote(group.EventTime.Name);
        return $"{Select(group, columns, "SELECT TOP (@rows)")} WHERE {string.Concat(group.Keys.Select((k, i) => $"{Quote(k.Name)} = @{prefix}key{i} AND "))}{time} >= @{prefix}from AND {time} < @{prefix}to ORDER BY {time} DESC";
    }

    /// <summary>The type of a parameter that is compared with the column, and its length.</summary>
    public static (SqlDbType Type, int Size) Parameter(FeatureColumn column) => column.Type switch
    {
        ColumnType.Text or ColumnType.Enum => (SqlDbType.NVarChar, column.MaxLength is > 0 and <= LongestText ? column.MaxLength : -1),
        ColumnType.Boolean => (SqlDbType.Bit, 0),
        ColumnType.Byte => (SqlDbType.TinyInt, 0),
        ColumnType.Int16 => (SqlDbType.SmallInt, 0),
        ColumnType.Int32 => (SqlDbType.Int, 0),
        ColumnType.Int64 => (SqlDbType.BigInt, 0),
        ColumnType.Date => (SqlDbType.Date, 0),
        ColumnType.Guid => (SqlDbType.Binary, 16),
        _ => throw new ArgumentException($"{column.Name} of type {column.Type} is no key."),
    };

    private static string Select(GroupSchema group, IReadOnlyList<FeatureColumn> columns, string select = "SELECT") =>
        $"{select} {string.Join(", ", columns.Select(c => Quote(c.Name)).Prepend("deleted").Prepend("commit_id"))} FROM {Table(group)}";

    private static FeatureColumn[] ClusteredColumns(GroupSchema group) => [group.EventTime, .. group.Keys];

    private static string Names(IEnumerable<FeatureColumn> columns) => string.Join(", ", columns.Select(c => Quote(c.Name)));

    private static string Type(FeatureColumn column) => column.Type switch
    {
        ColumnType.Text or ColumnType.Enum => $"nvarchar({(column.MaxLength is > 0 and <= LongestText ? column.MaxLength.ToString(System.Globalization.CultureInfo.InvariantCulture) : "max")}){Binary}",
        ColumnType.Boolean => "bit",
        ColumnType.Byte => "tinyint",
        ColumnType.Int16 => "smallint",
        ColumnType.Int32 => "int",
        ColumnType.Int64 => "bigint",
        ColumnType.Single => "real",
        ColumnType.Double => "float",
        ColumnType.Decimal => $"decimal({column.Precision}, {column.Scale})",
        ColumnType.Timestamp => "datetime2(6)",
        ColumnType.Date => "date",
        ColumnType.Guid => "binary(16)",
        _ => column.MaxLength * sizeof(float) is var bytes && bytes <= 8000 ? $"varbinary({bytes})" : "varbinary(max)",
    };

    /// <summary>The column as people read it: Guids, kept in an order that sorts, in their usual form.</summary>
    private static string Display(FeatureColumn column)
    {
        var name = $"r.{Quote(column.Name)}";
        return column.Type == ColumnType.Guid
            ? $"LOWER(STUFF(STUFF(STUFF(STUFF(CONVERT(nvarchar(32), {name}, 2), 9, 0, N'-'), 14, 0, N'-'), 19, 0, N'-'), 24, 0, N'-'))"
            : name;
    }
}
