using AiWorkflows.Storage.Sqlite;

namespace AiWorkflows.Tests.Storage;

/// <summary>A database of its own in a directory of its own, gone after the test.</summary>
internal sealed class SqliteFile : IAsyncDisposable
{
    private const string MemoryDisk = "/dev/shm";

    /// <param name="open">How the database is opened; null for the ordinary way.</param>
    public SqliteFile(bool inMemory = false, Func<string, SqliteDatabase>? open = null)
    {
        Directory = inMemory && System.IO.Directory.Exists(MemoryDisk)
            ? System.IO.Directory.CreateDirectory(System.IO.Path.Combine(MemoryDisk, $"aiworkflows-{Guid.NewGuid():N}")).FullName
            : System.IO.Directory.CreateTempSubdirectory("aiworkflows-").FullName;
        var path = System.IO.Path.Combine(Directory, "store.db");
        Database = open?.Invoke(path) ?? new SqliteDatabase(path);
    }

    private SqliteFile(string directory) => (Directory, Database) = (directory, new SqliteDatabase(System.IO.Path.Combine(directory, "store.db")));

    public string Directory { get; }

    public SqliteDatabase Database { get; }

    public string Path(string name) => System.IO.Path.Combine(Directory, name);

    public static async Task<SqliteFile> MigratedAsync(bool inMemory = false, Func<string, SqliteDatabase>? open = null)
    {
        var file = new SqliteFile(inMemory, open);
        await new SqliteMigrator(file.Database).MigrateAsync(CancellationToken.None);
        return file;
    }

    /// <summary>The same file, opened once more.</summary>
    public SqliteFile Again() => new(Directory);

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
