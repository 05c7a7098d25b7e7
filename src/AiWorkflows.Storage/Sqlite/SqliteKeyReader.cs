using System.Text;
using AiWorkflows.Features;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Look-ups by key on a connection of their own, with each statement prepared once. Between look-ups no statement is open, so nothing holds a snapshot.</summary>
internal sealed class SqliteKeyReader : IKeyReader
{
    private readonly SqliteDatabase _database;
    private readonly sqlite3 _connection;
    private readonly RawStatement _clock;
    private readonly Dictionary<IReadOnlyList<FeatureColumn>, Cursor> _cursors = new(ReferenceEqualityComparer.Instance);

    public SqliteKeyReader(SqliteDatabase database)
    {
        _database = database;
        _connection = Explained(database.CursorConnections.Rent);
        _clock = Explained(() => new RawStatement(_connection, database.Sql("SELECT seq FROM {feature_store.publication_clock}")));
    }

    public long CurrentSeq() => Explained(() =>
    {
        _clock.Step();
        var seq = _clock.Integer(0);
        _clock.Reset();
        return seq;
    });

    public IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window)
    {
        if (!_cursors.TryGetValue(columns, out var cursor))
            _cursors.Add(columns, cursor = new(_database, Explained(() => new RawStatement(_connection, SqliteGroupTable.Seek(group, columns)))));
        Bind(cursor.Statement, group, keys, window);
        return cursor;
    }

    public void Dispose()
    {
        foreach (var cursor in _cursors.Values)
            cursor.Statement.Dispose();
        _clock.Dispose();
        _database.CursorConnections.Return(_connection);
    }

    /// <summary>Binds what <see cref="SqliteGroupTable.Seek"/> asks for.</summary>
    public static void Bind(RawStatement statement, GroupSchema group, IReadOnlyList<object> keys, Window window)
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
    }

    private T Explained<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e) when (_database.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    private sealed class Cursor(SqliteDatabase database, RawStatement statement) : IRowCursor
    {
        private const int FirstCell = 2;

        public RawStatement Statement => statement;

        public long CommitId => statement.Integer(0);

        public bool IsDeleted => statement.Integer(1) != 0;

        public bool Read()
        {
            try
            {
                return statement.Step();
            }
            catch (SqliteException e) when (database.Explain(e) is { } explained)
            {
                throw explained;
            }
        }

        public bool IsNull(int ordinal) => statement.IsNull(FirstCell + ordinal);

        public long Integer(int ordinal) => statement.Integer(FirstCell + ordinal);

        public double Real(int ordinal) => statement.Real(FirstCell + ordinal);

        public string Text(int ordinal) => Encoding.UTF8.GetString(statement.Bytes(FirstCell + ordinal));

        public byte[] Blob(int ordinal) => statement.Bytes(FirstCell + ordinal).ToArray();

        public void Dispose() => statement.Reset();
    }
}
