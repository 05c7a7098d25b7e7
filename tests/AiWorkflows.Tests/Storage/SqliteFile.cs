using AiWorkflows.Storage.Sqlite;

namespace AiWorkflows.Tests.Storage;

/// <summary>A database of its own in a directory of its own, gone after the test.</summary>
internal sealed class SqliteFile : IAsyncDisposable
{
    private const string MemoryDisk = "/dev/shm";

    public SqliteFile(bool inMemory = false)
    {
        Directory = inMemory && System.IO.Directory.Exists(MemoryDisk)
            ? System.IO.Directory.CreateDirectory(System.IO.Path.Combine(MemoryDisk, $"aiworkflows-{Guid.NewGuid():N}")).FullName
            : System.IO.Directory.CreateTempSubdirectory("aiworkflows-").FullName;
        Database = new SqliteDatabase(System.IO.Path.Combine(Directory, "store.db"));
    }

    public string Directory { get; }

    public SqliteDatabase Database { get; }

    public string Path(string name) => System.IO.Path.Combine(Directory, name);

    public static async Task<SqliteFile> MigratedAsync(bool inMemory = false)
    {
        var file = new SqliteFile(inMemory);
        await new SqliteMigrator(file.Database).MigrateAsync(CancellationToken.None);
        return file;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
