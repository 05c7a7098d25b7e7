using AiWorkflows.Features;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Rows of a group as SQLite steps through them, on a connection of their own.</summary>
internal sealed class SqliteRowCursor : IRowCursor
{
    private const int FirstCell = 2;

    private readonly SqliteConnection _connection;
    private readonly RawStatement _statement;
    private readonly Utf8Interner _texts = new();
    private readonly SqliteDatabase _database;

    public SqliteRowCursor(SqliteDatabase database, string sql, Action<RawStatement> bind)
    {
        _database = database;
        _connection = database.OpenReader();
        try
        {
            _statement = new RawStatement(_connection, sql);
            bind(_statement);
        }
        catch
        {
            _statement?.Dispose();
            _connection.Dispose();
            throw;
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
        // The statement first: it holds the snapshot that keeps the write-ahead log from shrinking.
        _statement.Dispose();
        _connection.Dispose();
    }
}
