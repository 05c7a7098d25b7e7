using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>
/// The write-ahead log of the connection that writes: moves it into the database when it has grown, in place of SQLite's own way, which knows nothing of the views that
/// readers keep open and would try in vain at every commit.
/// </summary>
internal sealed unsafe class SqliteWalLog : IDisposable
{
    /// <summary>Of 8 KB each. Few enough that a crash is recovered from at once, many enough that a page which is written again and again is moved once.</summary>
    private const int MostPages = 4000;

    /// <summary>After an attempt that somebody was in the way of.</summary>
    private const int MorePages = 1000;

    private readonly nint _connection;
    private readonly SqliteKeyReaders _readers;
    private readonly int* _pages = (int*)NativeMemory.AllocZeroed(sizeof(int));
    private int _due = MostPages;

    public SqliteWalLog(sqlite3 connection, SqliteKeyReaders readers)
    {
        (_connection, _readers) = (connection.DangerousGetHandle(), readers);
        SqliteNative.sqlite3_wal_hook(_connection, &Note, _pages);
    }

    /// <summary>To be called after each commit, by whoever has the right to write.</summary>
    public void Committed()
    {
        var pages = *_pages;
        if (pages < MostPages)
            _due = MostPages;
        if (pages < _due)
            return;
        _due = pages + MorePages;
        // Its code does not matter: what is in the way now is tried again later.
        _readers.Suspended(() => _ = SqliteNative.sqlite3_wal_checkpoint_v2(_connection, null, raw.SQLITE_CHECKPOINT_PASSIVE, null, null));
    }

    /// <summary>Call it after the connection is closed.</summary>
    public void Dispose() => NativeMemory.Free(_pages);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Note(void* pages, nint connection, byte* database, int count)
    {
        *(int*)pages = count;
        return raw.SQLITE_OK;
    }
}
