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
        return new SqliteRowCursor(database, SqliteGroupTable.Seek(group, columns), statement =>
        {
            for (var i = 0; i < keys.Count; i++)
                switch (keys[i])
                {
                    case long integer: statement.Bind(i + 1, integer); break;
                    case string text: statement.BindText(i + 1, text); break;
                    case byte[] blob: statement.BindBlob(i + 1, blob); break;
                    case var other: throw new ArgumentException($"A canonical key is long, string or byte[]; {group.Keys[i].Name} is {other?.GetType().Name ?? "null"}.", nameof(keys));
                }
            statement.Bind(keys.Count + 1, Timestamps.ToMicros(window.From));
            statement.Bind(keys.Count + 2, Timestamps.ToMicros(window.To));
        });
    }

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
