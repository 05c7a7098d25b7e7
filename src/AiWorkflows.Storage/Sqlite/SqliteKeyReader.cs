using System.Text;
using AiWorkflows.Features;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>
/// Look-ups by key on a connection of their own, with each statement prepared once. Its view of the database stays open from one look-up to the next as long as nothing
/// is published, for SQLite forgets every page that it has read when a view is opened anew after a write, and the log of predictions is written all the time. A
/// second connection asks each time whether something was published; rows of what was published before never change.
/// </summary>
internal sealed class SqliteKeyReader : IKeyReader
{
    private readonly SqliteDatabase _database;
    private readonly SqliteKeyReaders _owner;
    private readonly sqlite3 _connection;
    private readonly sqlite3 _asking;
    private readonly RawStatement _begin;
    private readonly RawStatement _end;
    private readonly RawStatement _seq;
    private readonly RawStatement _newestSeq;
    private readonly Dictionary<IReadOnlyList<FeatureColumn>, Cursor> _cursors = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<GroupSchema, RawStatement> _next = new(ReferenceEqualityComparer.Instance);
    private bool _isOpen;
    private bool _isSound = true;
    private long _openSeq;

    public SqliteKeyReader(SqliteDatabase database, SqliteKeyReaders owner)
    {
        (_database, _owner) = (database, owner);
        _connection = Explained(database.CursorConnections.Rent);
        _asking = Explained(database.ClockConnections.Rent);
        var clock = database.Sql("SELECT seq FROM {feature_store.publication_clock}");
        (_begin, _end) = Explained(() => (new RawStatement(_connection, "BEGIN"), new RawStatement(_connection, "COMMIT")));
        (_seq, _newestSeq) = Explained(() => (new RawStatement(_connection, clock), new RawStatement(_asking, clock)));
    }

    /// <summary>When it was used last, as a timestamp of the stopwatch.</summary>
    public long LastUse { get; private set; }

    public ValueTask SeekAsync(IReadOnlyList<KeySeek> seeks, Func<long, CancellationToken, ValueTask>? fix, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (fix is null)
        {
            Seek(seeks);
            return ValueTask.CompletedTask;
        }
        var fixing = fix(Refresh(), ct);
        if (!fixing.IsCompletedSuccessfully)
            return SeekAfterAsync(fixing, seeks);
        Seek(seeks);
        return ValueTask.CompletedTask;
    }

    /// <summary>As of the view that is open; whoever logs the answer looks whether it was the newest.</summary>
    public ValueTask<bool> SeekAssumedAsync(IReadOnlyList<KeySeek> seeks, long seq, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if ((_isOpen ? _openSeq : Refresh()) != seq && Refresh() != seq)
            return ValueTask.FromResult(false);
        Seek(seeks);
        return ValueTask.FromResult(true);
    }

    public void Dispose()
    {
        LastUse = System.Diagnostics.Stopwatch.GetTimestamp();
        _owner.Return(this, _isSound);
    }

    /// <summary>Ends the view that is open, so that the write-ahead log can begin anew. Nobody uses the reader meanwhile.</summary>
    public void LetGo()
    {
        if (!_isOpen)
            return;
        _end.Execute();
        _isOpen = false;
    }

    public void Close()
    {
        foreach (var cursor in _cursors.Values)
            cursor.Statement.Dispose();
        foreach (var next in _next.Values)
            next.Dispose();
        LetGo();
        foreach (var statement in new[] { _begin, _end, _seq, _newestSeq })
            statement.Dispose();
        _database.CursorConnections.Return(_connection);
        _database.ClockConnections.Return(_asking);
    }

    /// <summary>Binds what <see cref="SqliteGroupTable.Seek"/> asks for.</summary>
    public static void Bind(RawStatement statement, GroupSchema group, IReadOnlyList<object> keys, Window window)
    {
        BindKeys(statement, group, keys);
        statement.Bind(keys.Count + 1, Timestamps.ToMicros(window.From));
        statement.Bind(keys.Count + 2, Timestamps.ToMicros(window.To));
    }

    private static void BindKeys(RawStatement statement, GroupSchema group, IReadOnlyList<object> keys)
    {
        for (var i = 0; i < keys.Count; i++)
            switch (keys[i])
            {
                case long integer: statement.Bind(i + 1, integer); break;
                case string text: statement.BindText(i + 1, text); break;
                case byte[] blob: statement.BindBlob(i + 1, blob); break;
                case var other: throw new ArgumentException($"A canonical key is long, string or byte[]; {group.Keys[i].Name} is {other?.GetType().Name ?? "null"}.", nameof(keys));
            }
    }

    /// <summary>Opens a view anew where something was published since the last one; the newest sequence.</summary>
    private long Refresh() => Explained(() =>
    {
        if (_isOpen && Read(_newestSeq) == _openSeq)
            return _openSeq;
        LetGo();
        _begin.Execute();
        _isOpen = true;
        return _openSeq = Read(_seq);
    });

    private static long Read(RawStatement clock)
    {
        try
        {
            clock.Step();
            return clock.Integer(0);
        }
        finally
        {
            clock.Reset();
        }
    }

    private async ValueTask SeekAfterAsync(ValueTask fixing, IReadOnlyList<KeySeek> seeks)
    {
        await fixing;
        Seek(seeks);
    }

    private void Seek(IReadOnlyList<KeySeek> seeks) => Explained(() =>
    {
        for (var i = 0; i < seeks.Count; i++)
        {
            var seek = seeks[i];
            if (!_cursors.TryGetValue(seek.Columns, out var cursor))
                _cursors.Add(seek.Columns, cursor = new(new RawStatement(_connection, SqliteGroupTable.Seek(seek.Group, seek.Columns))));
            try
            {
                Bind(cursor.Statement, seek.Group, seek.Keys, seek.Window);
                seek.Read(cursor);
            }
            finally
            {
                cursor.Statement.Reset();
            }
            if (seek.NextAfter is { } time)
                seek.Next(NextAfter(seek, time));
        }
        return true;
    });

    private long? NextAfter(KeySeek seek, long time)
    {
        if (!_next.TryGetValue(seek.Group, out var next))
            _next.Add(seek.Group, next = new(_connection, SqliteGroupTable.NextTime(seek.Group)));
        try
        {
            BindKeys(next, seek.Group, seek.Keys);
            next.Bind(seek.Keys.Count + 1, time);
            return next.Step() ? next.Integer(0) : null;
        }
        finally
        {
            next.Reset();
        }
    }

    private T Explained<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e)
        {
            // Nobody knows in which state it is.
            _isSound = false;
            if (e is SqliteException && _database.Explain(e) is { } explained)
                throw explained;
            throw;
        }
    }

    private sealed class Cursor(RawStatement statement) : IRowCursor
    {
        private const int FirstCell = 2;

        public RawStatement Statement => statement;

        public long CommitId => statement.Integer(0);

        public bool IsDeleted => statement.Integer(1) != 0;

        public bool Read() => statement.Step();

        public bool IsNull(int ordinal) => statement.IsNull(FirstCell + ordinal);

        public long Integer(int ordinal) => statement.Integer(FirstCell + ordinal);

        public double Real(int ordinal) => statement.Real(FirstCell + ordinal);

        public string Text(int ordinal) => Encoding.UTF8.GetString(statement.Bytes(FirstCell + ordinal));

        public byte[] Blob(int ordinal) => statement.Bytes(FirstCell + ordinal).ToArray();

        public void Dispose() => statement.Reset();
    }
}
