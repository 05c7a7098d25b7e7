using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using static SQLitePCL.raw;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Connections for cursors, kept open for the next one. Each serves one thread at a time, so SQLite need not lock at every cell.</summary>
internal sealed class SqliteReaders(string file, string settings) : IDisposable
{
    /// <summary>A join reads a handful of groups at once; more than that need not stay open.</summary>
    private const int MostIdle = 8;

    private readonly ConcurrentBag<sqlite3> _idle = [];
    private volatile bool _disposed;

    public sqlite3 Rent()
    {
        if (_idle.TryTake(out var idle))
            return idle;
        var code = sqlite3_open_v2(file, out var connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, null);
        if (code == SQLITE_OK)
            code = sqlite3_exec(connection, settings);
        if (code == SQLITE_OK)
            return connection;
        var message = sqlite3_errmsg(connection).utf8_to_string();
        connection.Dispose();
        throw new SqliteException($"SQLite Error {code}: '{message}'.", code & 0xff, code);
    }

    /// <summary>The caller has disposed of its statements: an open one would hold a snapshot, and with it the write-ahead log.</summary>
    public void Return(sqlite3 connection)
    {
        if (_disposed || _idle.Count >= MostIdle)
            connection.Dispose();
        else
            _idle.Add(connection);
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var connection))
            connection.Dispose();
    }
}
