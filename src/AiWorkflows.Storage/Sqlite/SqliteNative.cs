using System.Runtime.InteropServices;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>
/// The calls of SQLite that are made once per cell. The driver's own wrappers count references of a handle at every call, which costs more than the call itself
/// (2 M rows of 8 columns: 1.0 s against 0.5 s). What cannot block is called without leaving managed mode.
/// </summary>
internal static unsafe partial class SqliteNative
{
    /// <summary>The library that the driver has loaded; <see cref="EnsureSameLibrary"/> checks it.</summary>
    private const string Library = "e_sqlite3";

    /// <summary>Handles of one copy of SQLite must never reach another.</summary>
    public static void EnsureSameLibrary()
    {
        SQLitePCL.Batteries_V2.Init();
        if (SQLitePCL.raw.GetNativeLibraryName() is var loaded && loaded != Library)
            throw new InvalidRequestException($"This process uses the SQLite library {loaded}; AiWorkflows needs {Library}. Remove the other SQLitePCLRaw bundle from the project.");
    }

    /// <summary>Whether the connection's file is no longer under the name that it was opened by: moved, deleted, or another one put in its place.</summary>
    public static bool HasMoved(Microsoft.Data.Sqlite.SqliteConnection connection)
    {
        const int hasMoved = 20;
        var moved = 0;
        ReadOnlySpan<byte> main = "main\0"u8;
        fixed (byte* name = main)
            return sqlite3_file_control(connection.Handle!.DangerousGetHandle(), name, hasMoved, &moved) == 0 && moved != 0;
    }

    [LibraryImport(Library)]
    private static partial int sqlite3_file_control(nint connection, byte* database, int operation, void* argument);

    /// <param name="hook">Is told after each commit how many pages the write-ahead log has; in its place SQLite moves nothing by itself.</param>
    [LibraryImport(Library)]
    public static partial void* sqlite3_wal_hook(nint connection, delegate* unmanaged[Cdecl]<void*, nint, byte*, int, int> hook, void* argument);

    [LibraryImport(Library)]
    public static partial int sqlite3_wal_checkpoint_v2(nint connection, byte* database, int mode, int* pages, int* moved);

    [LibraryImport(Library)]
    public static partial int sqlite3_step(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_reset(nint statement);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_column_type(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial long sqlite3_column_int64(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial double sqlite3_column_double(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial byte* sqlite3_column_blob(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_column_bytes(nint statement, int column);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_bind_null(nint statement, int parameter);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_bind_int64(nint statement, int parameter, long value);

    [LibraryImport(Library), SuppressGCTransition]
    public static partial int sqlite3_bind_double(nint statement, int parameter, double value);

    /// <param name="destructor">0: the memory stays as it is until the parameter is bound anew; -1: SQLite copies it.</param>
    [LibraryImport(Library)]
    public static partial int sqlite3_bind_text(nint statement, int parameter, byte* value, int bytes, nint destructor);

    /// <inheritdoc cref="sqlite3_bind_text"/>
    [LibraryImport(Library)]
    public static partial int sqlite3_bind_blob(nint statement, int parameter, byte* value, int bytes, nint destructor);
}
