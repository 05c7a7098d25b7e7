using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>The embedded engine: one file in WAL mode, many readers, one connection that writes.</summary>
internal class SqliteDatabase : StoreDatabase
{
    private const string Now = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

    /// <summary>Mapped pages count as the process's memory, so not the whole file; the rest is read.</summary>
    private const int MappedBytes = 256 * 1024 * 1024;

    // Wait inside SQLite, which tries again within milliseconds; the driver's own waiting sleeps 150 ms.
    private const string Waiting = "PRAGMA busy_timeout = 30000;";

    /// <summary>For a look at one row that is made all the time: mapping the file anew after every write would cost more than reading the page.</summary>
    private static readonly string ClockSettings = $"{Waiting} PRAGMA query_only = 1; PRAGMA mmap_size = 0; PRAGMA cache_size = 16;";

    private static readonly string ReadSettings = $"{Waiting} PRAGMA query_only = 1; PRAGMA mmap_size = {MappedBytes}; PRAGMA cache_size = -8192;";

    private readonly SqliteStatementReaders _readers;
    private readonly SemaphoreSlim _writeGate = new(1, 1);
    private readonly SemaphoreSlim _tokenGate = new(1, 1);
    private readonly string _readConnectionString;
    private SqliteStatements? _writer;
    private SqliteWalLog? _log;
    private SqliteConnection? _tokenReader;
    private bool _writerIsDurable;
    private int _disposed;

    public SqliteDatabase(string path)
    {
        SqliteNative.EnsureSameLibrary();
        Location = Path.GetFullPath(path);
        CursorConnections = new SqliteReaders(Location, ReadSettings);
        ClockConnections = new SqliteReaders(Location, ClockSettings);
        KeyReaders = new SqliteKeyReaders(this);
        _readConnectionString = new SqliteConnectionStringBuilder { DataSource = Location, Mode = SqliteOpenMode.ReadOnly, Pooling = true }.ToString();
        var kept = new SqliteConnectionStringBuilder { DataSource = Location, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString();
        _readers = new(() => Opened(new SqliteStatements(kept)));
        WriteConnectionString = new SqliteConnectionStringBuilder { DataSource = Location, Mode = SqliteOpenMode.ReadWrite, Pooling = false }.ToString();
    }

    public override string Engine => "sqlite";

    public override string Location { get; }

    public SqliteReaders CursorConnections { get; }

    /// <summary>Connections that look whether something was published.</summary>
    public SqliteReaders ClockConnections { get; }

    public SqliteKeyReaders KeyReaders { get; }

    /// <summary>For connections that write outside of <see cref="WriteAsync{T}"/>: only the migrator's.</summary>
    public string WriteConnectionString { get; }

    public override Task<DbConnection> OpenReadAsync(CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return Task.FromResult<DbConnection>(OpenReader());
    }

    public SqliteConnection OpenReader() => Opened(new SqliteConnection(_readConnectionString));

    protected override async Task<T> OnReaderAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var connection = _readers.Rent();
        try
        {
            T result;
            // A statement runs on the thread that asks, and looks at no token.
            await using (ct.Register(() => SQLitePCL.raw.sqlite3_interrupt(connection.Handle)))
                result = await read(connection);
            _readers.Return(connection);
            return result;
        }
        catch (SqliteException) when (ct.IsCancellationRequested)
        {
            connection.Dispose();
            throw new OperationCanceledException(ct);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private TConnection Opened<TConnection>(TConnection connection) where TConnection : SqliteConnection
    {
        try
        {
            connection.Open();
            Execute(connection, ReadSettings);
            return connection;
        }
        catch (Exception e)
        {
            connection.Dispose();
            if (Explain(e) is { } explained)
                throw explained;
            throw;
        }
    }

    public override async Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, CancellationToken ct, bool durable = true)
    {
        await _writeGate.WaitAsync(ct);
        try
        {
            var connection = Writer(durable);
            using var transaction = connection.BeginTransaction();
            var scope = new WriteTransaction(this, connection, transaction, ct);
            var result = await work(scope);
            if (scope.IsRolledBack)
                transaction.Rollback();
            else
            {
                transaction.Commit();
                Activity.Committed(durable);
                _log!.Committed();
            }
            return result;
        }
        catch (SqliteException e) when (Explain(e) is { } explained)
        {
            throw explained;
        }
        finally
        {
            _writeGate.Release();
        }
    }

    /// <summary>Runs <paramref name="work"/> on the writing connection without a transaction: for bulk writers that make their own, shorter than 10 ms.</summary>
    /// <inheritdoc cref="WriteAsync{T}" path="/param"/>
    public virtual async Task<T> WriteRawAsync<T>(Func<SqliteConnection, T> work, CancellationToken ct, bool durable = false)
    {
        await _writeGate.WaitAsync(ct);
        try
        {
            var result = work(Writer(durable));
            _log!.Committed();
            return result;
        }
        catch (SqliteException e) when (Explain(e) is { } explained)
        {
            throw explained;
        }
        finally
        {
            _writeGate.Release();
        }
    }

    public override async Task<long> ChangeTokenAsync(CancellationToken ct)
    {
        await _tokenGate.WaitAsync(ct);
        try
        {
            // The number is the connection's own: it has to be the same connection every time.
            _tokenReader ??= OpenReader();
            using var command = _tokenReader.CreateCommand();
            command.CommandText = "PRAGMA data_version";
            Activity.Executed();
            return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
        }
        finally
        {
            _tokenGate.Release();
        }
    }

    public override async Task BackupAsync(string file, CancellationToken ct)
    {
        var target = Path.GetFullPath(file);
        if (File.Exists(target) || Directory.Exists(target))
            throw new InvalidRequestException($"{target} exists already; a backup overwrites nothing. Name a new file.");
        if (Path.GetDirectoryName(target) is { } directory && !Directory.Exists(directory))
            throw new InvalidRequestException($"There is no directory {directory}; create it, or name another file.");
        var partial = target + ".partial";
        try
        {
            File.Delete(partial);
            await using (var connection = OpenReader())
            {
                using var command = connection.CreateCommand();
                command.CommandTimeout = 0;
                // query_only forbids VACUUM INTO too, although that writes another file only.
                command.CommandText = "PRAGMA query_only = 0; VACUUM INTO $file";
                command.Parameters.AddWithValue("$file", partial);
                await Task.Run(command.ExecuteNonQuery, ct);
            }
            File.Move(partial, target);
        }
        catch (Exception e) when (SqliteErrors.Explain(e, target) is { } explained)
        {
            throw explained;
        }
        finally
        {
            File.Delete(partial);
        }
    }

    public override async Task<SqlResult> QueryAsync(string sql, CancellationToken ct)
    {
        var connection = OpenReader();
        var command = connection.CreateCommand();
        try
        {
            command.CommandText = sql;
            command.CommandTimeout = 0;
            var reader = await command.ExecuteReaderAsync(ct);
            return new SqlResult(connection, command, reader, ExplainQuery);
        }
        catch (Exception e)
        {
            await command.DisposeAsync();
            await connection.DisposeAsync();
            if (ExplainQuery(e) is { } explained)
                throw explained;
            throw;
        }
    }

    public override Task<IReadOnlyList<DatabaseCheck>> CheckAsync(CancellationToken ct) => SqliteChecks.RunAsync(this, ct);

    public override AiWorkflowsException? Explain(Exception error) => SqliteErrors.Explain(error, Location);

    public override async ValueTask DisposeAsync()
    {
        // A container disposes of an instance once for each type that it was registered as.
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;
        await _writeGate.WaitAsync();
        _tokenReader?.Dispose();
        KeyReaders.Dispose();
        CursorConnections.Dispose();
        ClockConnections.Dispose();
        _readers.Dispose();
        using (var pooled = new SqliteConnection(_readConnectionString))
            SqliteConnection.ClearPool(pooled);
        // The last connection to close moves the log into the database file and deletes it, which only one that may write can do.
        _writer?.Dispose();
        _log?.Dispose();
        _writeGate.Dispose();
        _tokenGate.Dispose();
    }

    protected override string Render(string name, string argument) => name switch
    {
        "now" => Now,
        "in" => $"({Now} + {argument})",
        "ago" => $"({Now} - {argument})",
        "after" => $"({argument.Replace(",", " +", StringComparison.Ordinal)})",
        "inserted" => "",
        "returning" => $"RETURNING {argument}",
        "bytes" => $"CASE typeof({argument}) WHEN 'null' THEN 0 WHEN 'integer' THEN 8 WHEN 'real' THEN 8 ELSE LENGTH(CAST({argument} AS BLOB)) END",
        "limit" => $"LIMIT {argument}",
        "top" => "",
        "top_end" => $" LIMIT {argument}",
        "entity" when argument.Split(", ") is [var column, var key] => $"unicode(substr({column}, -3)) % 8 = unicode(substr({key}, -3)) % 8 AND {column} = {key}",
        "then" => $"CROSS {argument}",
        "held" => "",
        "create_journal" => "CREATE TABLE IF NOT EXISTS workflows_schema_versions (script TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT, WITHOUT ROWID",
        _ when name.Contains('.', StringComparison.Ordinal) => name.Replace('.', '_'),
        _ => throw new ArgumentException($"Unknown placeholder {{{name}}} in a statement."),
    };

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private AiWorkflowsException? ExplainQuery(Exception error) => error switch
    {
        SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_READONLY } e => new InvalidRequestException("Only queries are allowed here; this statement would write.", e),
        SqliteException { SqliteErrorCode: SQLitePCL.raw.SQLITE_ERROR } e => new InvalidRequestException($"The query is wrong: {Reason(e)}.", e),
        InvalidOperationException e => new InvalidRequestException($"The query is wrong: {e.Message}", e),
        _ => Explain(error),
    };

    /// <summary>"SQLite Error 1: 'no such table: x'." becomes "no such table: x".</summary>
    private static string Reason(SqliteException error)
    {
        var (first, last) = (error.Message.IndexOf('\'', StringComparison.Ordinal), error.Message.LastIndexOf('\''));
        return last > first ? error.Message[(first + 1)..last] : error.Message;
    }

    private SqliteStatements Writer(bool durable)
    {
        if (_writer is null)
        {
            var connection = new SqliteStatements(WriteConnectionString);
            try
            {
                connection.Open();
                Execute(connection, $"{Waiting} PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;");
            }
            catch
            {
                connection.Dispose();
                throw;
            }
            (_writer, _writerIsDurable) = (connection, true);
            _log = new SqliteWalLog(connection.Handle!, KeyReaders);
        }
        // The file stays open wherever it is moved; what is written there then would be lost to everybody who opens this one.
        if (SqliteNative.HasMoved(_writer))
            throw new AiWorkflowsException(File.Exists(Location)
                ? $"{Location} is another file than the one that this host has opened. Start the host anew to work with it."
                : $"{Location} is no longer there. Put the file back, or start the host anew to begin with an empty one.") { StoreIsAway = true };
        if (_writerIsDurable != durable)
        {
            // A later FULL transaction syncs the whole log, what was written under NORMAL before it included.
            Execute(_writer, durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            _writerIsDurable = durable;
        }
        return _writer;
    }
}
