using AiWorkflows.Features;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>The feature store of the embedded engine: rows through SQLite's statement interface.</summary>
internal sealed class SqliteFeatureStore(SqliteDatabase database) : FeatureStore(database)
{
    public override IRowCursor Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns, Window window) =>
        new SqliteRowCursor(database, SqliteGroupTable.Scan(group, columns), statement =>
        {
            statement.Bind(1, Timestamps.ToMicros(window.From));
            statement.Bind(2, Timestamps.ToMicros(window.To));
        });

    public override IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window)
    {
        if (keys.Count != group.Keys.Count)
            throw new ArgumentException($"{group} has {group.Keys.Count} keys ({string.Join(", ", group.Keys.Select(k => k.Name))}); {keys.Count} were given.", nameof(keys));
        return new SqliteRowCursor(database, SqliteGroupTable.Seek(group, columns), statement => SqliteKeyReader.Bind(statement, group, keys, window));
    }

    public override IKeyReader OpenKeys() => database.KeyReaders.Rent();

    protected override ICommitWriter OpenWriter(CommitRequest request, long commitId, long baseSeq) => new SqliteCommitWriter(database, request, commitId, baseSeq);

    protected override IReadOnlyList<string> CreateStatements(GroupSchema group) =>
        group.Online
            ? [SqliteGroupTable.CreateTable(group), SqliteGroupTable.CreateKeyIndex(group), SqliteGroupTable.CreateView(group)]
            : [SqliteGroupTable.CreateTable(group), SqliteGroupTable.CreateView(group)];

    protected override IReadOnlyList<string> AlterStatements(GroupSchema group, IReadOnlyList<StoredColumn> stored, IReadOnlyList<FeatureColumn> added) =>
        [
            .. added.Select(c => SqliteGroupTable.AddColumn(group, c)),
            group.Online ? SqliteGroupTable.CreateKeyIndex(group) : SqliteGroupTable.DropKeyIndex(group),
            SqliteGroupTable.DropView(group),
            SqliteGroupTable.CreateView(group),
        ];
}
