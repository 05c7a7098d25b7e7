using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using static AiWorkflows.Storage.Sqlite.SqliteNative;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>
/// A prepared statement used through SQLite's own interface: no parameter names, no boxing, no new string per cell.
/// For one thread at a time, which also disposes of it. After that it is empty: it has no rows and takes no values.
/// </summary>
internal sealed class RawStatement : IDisposable
{
    private const nint Copy = -1;

    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private nint _handle;
    private byte[] _utf8 = new byte[256];

    public RawStatement(sqlite3 database, string sql)
    {
        _database = database;
        Check(raw.sqlite3_prepare_v2(database, sql, out _statement));
        _handle = _statement.DangerousGetHandle();
    }

    /// <summary>Parameters are numbered from 1.</summary>
    public void Bind(int parameter, long value) => Check(sqlite3_bind_int64(_handle, parameter, value));

    /// <summary>SQLite stores NaN as null.</summary>
    public void Bind(int parameter, double value) => Check(sqlite3_bind_double(_handle, parameter, value));

    public void BindNull(int parameter) => Check(sqlite3_bind_null(_handle, parameter));

    public void BindText(int parameter, string? value)
    {
        if (value is null)
        {
            BindNull(parameter);
            return;
        }
        var longest = value.Length * 3;
        if (longest > _utf8.Length)
            _utf8 = new byte[longest];
        var bytes = Encoding.UTF8.GetBytes(value, _utf8);
        unsafe
        {
            // A pointer to nothing would be null, not an empty text; the buffer is never empty.
            fixed (byte* first = _utf8)
                Check(sqlite3_bind_text(_handle, parameter, first, bytes, Copy));
        }
    }

    public unsafe void BindBlob(int parameter, ReadOnlySpan<byte> value)
    {
        byte nothing = 0;
        fixed (byte* first = value)
            Check(sqlite3_bind_blob(_handle, parameter, first is null ? &nothing : first, value.Length, Copy));
    }

    /// <summary>Columns are numbered from 0.</summary>
    public bool IsNull(int column) => sqlite3_column_type(_handle, column) == raw.SQLITE_NULL;

    public long Integer(int column) => sqlite3_column_int64(_handle, column);

    public double Real(int column) => sqlite3_column_double(_handle, column);

    /// <summary>The bytes of a text or blob, valid until the next step.</summary>
    public unsafe ReadOnlySpan<byte> Bytes(int column)
    {
        var first = sqlite3_column_blob(_handle, column);
        return new(first, sqlite3_column_bytes(_handle, column));
    }

    /// <summary>Moves to the next row; false at the end.</summary>
    public bool Step()
    {
        var code = sqlite3_step(_handle);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code != raw.SQLITE_DONE)
            Check(code);
        return false;
    }

    /// <summary>Executes a statement without rows, ready to be bound again.</summary>
    public void Execute()
    {
        Step();
        _ = sqlite3_reset(_handle);
    }

    public void Reset() => _ = sqlite3_reset(_handle);

    public void Dispose()
    {
        _handle = 0;
        _statement.Dispose();
    }

    private void Check(int code)
    {
        if (code == raw.SQLITE_OK)
            return;
        var message = raw.sqlite3_errmsg(_database).utf8_to_string();
        _ = sqlite3_reset(_handle);
        throw new SqliteException($"SQLite Error {code}: '{message}'.", code & 0xff, code);
    }
}
