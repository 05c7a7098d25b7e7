using Microsoft.Data.Sqlite;
using SQLitePCL;
using static SQLitePCL.raw;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>A prepared statement used through SQLite's own interface: no parameter names, no boxing, no new string per cell.</summary>
internal sealed class RawStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;

    public RawStatement(SqliteConnection connection, string sql)
    {
        _database = connection.Handle!;
        Check(sqlite3_prepare_v2(_database, sql, out _statement));
    }

    /// <summary>Parameters are numbered from 1.</summary>
    public void Bind(int parameter, long value) => sqlite3_bind_int64(_statement, parameter, value);

    public void Bind(int parameter, double value) => sqlite3_bind_double(_statement, parameter, value);

    public void BindNull(int parameter) => sqlite3_bind_null(_statement, parameter);

    public void BindText(int parameter, ReadOnlySpan<byte> utf8) => Check(sqlite3_bind_text(_statement, parameter, utf8));

    public void BindBlob(int parameter, ReadOnlySpan<byte> value) => Check(sqlite3_bind_blob(_statement, parameter, value));

    /// <summary>Columns are numbered from 0.</summary>
    public bool IsNull(int column) => sqlite3_column_type(_statement, column) == SQLITE_NULL;

    public long Integer(int column) => sqlite3_column_int64(_statement, column);

    public double Real(int column) => sqlite3_column_double(_statement, column);

    /// <summary>The bytes of a text or blob, valid until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => sqlite3_column_blob(_statement, column);

    /// <summary>Moves to the next row; false at the end.</summary>
    public bool Step()
    {
        var code = sqlite3_step(_statement);
        if (code == SQLITE_ROW)
            return true;
        if (code != SQLITE_DONE)
            Check(code);
        return false;
    }

    /// <summary>Executes a statement without rows, ready to be bound again.</summary>
    public void Execute()
    {
        Step();
        sqlite3_reset(_statement);
    }

    public void Reset() => sqlite3_reset(_statement);

    public void Dispose() => _statement.Dispose();

    private void Check(int code)
    {
        if (code == SQLITE_OK)
            return;
        var message = sqlite3_errmsg(_database).utf8_to_string();
        if (_statement is not null)
            sqlite3_reset(_statement);
        throw new SqliteException($"SQLite Error {code}: '{message}'.", code & 0xff, code);
    }
}
