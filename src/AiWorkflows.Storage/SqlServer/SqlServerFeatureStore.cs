using AiWorkflows.Features;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>The feature store of SQL Server: rows in by bulk copy, out through readers.</summary>
internal sealed class SqlServerFeatureStore(SqlServerDatabase database) : FeatureStore(database)
{
    public override IRowCursor Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns, Window window) =>
        new SqlServerRowCursor(database, SqlServerGroupTable.Scan(group, columns), columns, command => AddWindow(command, window));

    public override IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window)
    {
        if (keys.Count != group.Keys.Count)
            throw new ArgumentException($"{group} has {group.Keys.Count} keys ({string.Join(", ", group.Keys.Select(k => k.Name))}); {keys.Count} were given.", nameof(keys));
        return new SqlServerRowCursor(database, SqlServerGroupTable.Seek(group, columns), columns, command =>
        {
            for (var i = 0; i < keys.Count; i++)
            {
                var (type, size) = SqlServerGroupTable.Parameter(group.Keys[i]);
                command.Parameters.Add(new SqlParameter($"@key{i}", type, size) { Value = SqlServerCells.ToColumn(group.Keys[i], keys[i]) });
            }
            AddWindow(command, window);
        });
    }

    public override IKeyReader OpenKeys() => new SqlServerKeyReader(database);

    protected override ICommitWriter OpenWriter(CommitRequest request, long commitId, long baseSeq) => new SqlServerCommitWriter(database, request, commitId, baseSeq);

    protected override IReadOnlyList<string> CreateStatements(GroupSchema group) =>
        [
            SqlServerGroupTable.CreateTable(group),
            SqlServerGroupTable.KeepRowLocks(group),
            .. group.Online ? [SqlServerGroupTable.CreateKeyIndex(group)] : Array.Empty<string>(),
            SqlServerGroupTable.CreateView(group),
        ];

    protected override IReadOnlyList<string> AlterStatements(GroupSchema group, IReadOnlyList<StoredColumn> stored, IReadOnlyList<FeatureColumn> added) =>
        [
            .. added.Select(c => SqlServerGroupTable.AddColumn(group, c)),
            .. group.Columns.Where(c => stored.Any(s => s.Name == c.Name && (c.MaxLength > s.MaxLength || c.Precision > s.Precision))).Select(c => SqlServerGroupTable.WidenColumn(group, c)),
            group.Online ? SqlServerGroupTable.CreateKeyIndex(group) : SqlServerGroupTable.DropKeyIndex(group),
            SqlServerGroupTable.DropView(group),
            SqlServerGroupTable.CreateView(group),
        ];

    private static void AddWindow(SqlCommand command, Window window)
    {
        command.Parameters.Add(SqlServerCells.Time("@from", window.From));
        command.Parameters.Add(SqlServerCells.Time("@to", window.To));
    }
}
