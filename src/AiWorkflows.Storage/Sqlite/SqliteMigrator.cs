using System.Globalization;
using DbUp;
using DbUp.Builder;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Migrations of the embedded engine.</summary>
internal sealed class SqliteMigrator(SqliteDatabase database, IReadOnlyList<(string Name, string Sql)>? scripts = null) : Migrator(database, scripts)
{
    private const int PageSize = 8192;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);

    protected override bool Exists() => new FileInfo(database.Location) is { Exists: true, Length: > 0 };

    protected override IReadOnlyList<AppliedScript> Applied()
    {
        using var connection = Open(SqliteOpenMode.ReadWrite);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'workflows_schema_versions'";
        if (Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture) == 0)
            return [];
        command.CommandText = database.Sql(HashingJournal.SelectApplied);
        using var reader = command.ExecuteReader();
        var applied = new List<AppliedScript>();
        while (reader.Read())
            applied.Add(new(reader.GetString(0), reader.GetString(1)));
        return applied;
    }

    protected override async Task<IAsyncDisposable> LockAsync(CancellationToken ct)
    {
        var file = database.Location + ".migrate.lock";
        if (Path.GetDirectoryName(file) is { Length: > 0 } directory && !Directory.Exists(directory))
            throw new InvalidRequestException($"{database.Location} cannot be created: there is no directory {directory}. Create it, or set AiWorkflows:ConnectionString to another place.");
        for (var waited = TimeSpan.Zero; ; waited += TimeSpan.FromMilliseconds(50))
        {
            try
            {
                // Never deleted: a second process could lock the file that a third has just removed.
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException) && File.Exists(file))
            {
                if (waited >= LongestWait)
                    throw new InvalidRequestException($"Another process has been migrating {database.Location} for a minute. Wait for it or end it, and try again.", e);
                await Task.Delay(50, ct);
            }
            catch (IOException e) when (e.HResult is 28 or 0x70 or unchecked((int)0x80070070))
            {
                throw new InvalidRequestException($"The disk that holds {database.Location} is full. Make room and run the command again.", e);
            }
            catch (IOException e)
            {
                throw new InvalidRequestException($"{database.Location} cannot be created: {e.Message} Give this user the right to write there, or set AiWorkflows:ConnectionString to another place.", e);
            }
        }
    }

    protected override void Prepare()
    {
        var isNew = !Exists();
        using var connection = Open(SqliteOpenMode.ReadWriteCreate);
        // Inside DbUp's transaction both would silently do nothing.
        SqliteDatabase.Execute(connection, $"PRAGMA page_size = {PageSize}; PRAGMA journal_mode = WAL;");
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode";
        if (command.ExecuteScalar() as string is var mode && mode != "wal")
            throw new InvalidRequestException($"{database.Location} cannot use a write-ahead log (its journal mode stays '{mode}'), which happens on network drives. Put it on a local disk.");
        command.CommandText = "PRAGMA page_size";
        if (isNew && Convert.ToInt32(command.ExecuteScalar(), CultureInfo.InvariantCulture) is var size && size != PageSize)
            throw new InvalidRequestException($"{database.Location} was created with pages of {size} bytes instead of {PageSize}; another process seems to have created it at the same time. Delete it and try again.");
    }

    protected override UpgradeEngineBuilder Deploy() => DeployChanges.To.SqliteDatabase(database.WriteConnectionString);

    private SqliteConnection Open(SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(database.WriteConnectionString) { Mode = mode }.ToString());
        try
        {
            connection.Open();
            SqliteDatabase.Execute(connection, "PRAGMA busy_timeout = 30000;");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
