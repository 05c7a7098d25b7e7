using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>What SQLite's result codes mean for the person at the keyboard.</summary>
internal static class SqliteErrors
{
    public static AiWorkflowsException? Explain(Exception error, string file) => error switch
    {
        SqliteException e => Explain(e, file),
        UnauthorizedAccessException e => new InvalidRequestException($"{file} cannot be opened: access is denied. Give this user the right to read and write the file and its directory.", e),
        _ => null,
    };

    private static InvalidRequestException? Explain(SqliteException error, string file) => error.SqliteErrorCode switch
    {
        SQLITE_FULL => new($"The disk that holds {file} is full. Make room and run the command again; nothing half-written is visible.", error),
        SQLITE_READONLY => new($"{file} cannot be written: the file or its directory is read-only. Give this user the right to write there, or set AiWorkflows:ConnectionString to another place.", error),
        SQLITE_CANTOPEN or SQLITE_PERM when Path.GetDirectoryName(file) is { Length: > 0 } directory && !Directory.Exists(directory) =>
            new($"{file} cannot be created: there is no directory {directory}. Create it, or set AiWorkflows:ConnectionString to another place.", error),
        SQLITE_CANTOPEN or SQLITE_PERM => new($"{file} cannot be opened. Check that it is a file, and that this user may read and write it and its directory.", error),
        SQLITE_NOTADB => new($"{file} is not a SQLite database. Move it away, or set AiWorkflows:ConnectionString to another place.", error),
        SQLITE_CORRUPT => new($"{file} is damaged. Restore the last backup (made by the command backup).", error),
        SQLITE_IOERR => new($"{file} cannot be read or written: the disk reports an error. Check the disk and that {file} lies on a local one.", error),
        SQLITE_BUSY => new($"{file} is locked by another process. Find out which (a database browser with an open transaction?) and close it.", error) { StoreIsAway = true },
        _ => null,
    };
}
