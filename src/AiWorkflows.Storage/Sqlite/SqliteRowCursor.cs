using AiWorkflows.Features;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Rows of a group as SQLite steps through them, on a connection of their own. Disposed of by the thread that reads, or after that has ended.</summary>
internal sealed class SqliteRowCursor : IRowCursor
{
    private const int FirstCell = 2;

    private readonly sqlite3 _connection;
    private readonly RawStatement _statement;
    private readonly Utf8Interner _texts = new();
    private readonly SqliteDatabase _database;
    private bool _isDisposed;

    public SqliteRowCursor(SqliteDatabase database, string sql, Action<RawStatement> bind)
    {
        _database = database;
        try
        {
            _connection = database.CursorConnections.Rent();
            try
            {
                _statement = new RawStatement(_connection, sql);
                bind(_statement);
            }
            catch
            {
                _statement?.Dispose();
                database.CursorConnections.Return(_connection);
                throw;
            }
        }
        catch (SqliteException e) when (database.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    public long CommitId => _statement.Integer(0);

    public bool IsDeleted => _statement.Integer(1) != 0;

    public bool Read()
    {
        try
        {
            return _statement.Step();
        }
        catch (SqliteException e) when (_database.Explain(e) is { } explained)
        {
            throw explained;
        }
    }

    public bool IsNull(int ordinal) => _statement.IsNull(FirstCell + ordinal);

    public long Integer(int ordinal) => _statement.Integer(FirstCell + ordinal);

    public double Real(int ordinal) => _statement.Real(FirstCell + ordinal);

    public string Text(int ordinal) => _texts.Intern(_statement.Bytes(FirstCell + ordinal));

    public byte[] Blob(int ordinal) => _statement.Bytes(FirstCell + ordinal).ToArray();

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        // The statement first: it holds the snapshot that keeps the write-ahead log from shrinking.
        _statement.Dispose();
        _database.CursorConnections.Return(_connection);
    }
}
