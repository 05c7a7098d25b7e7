using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Dapper;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>A database of SQL Server 2019 or later, or Azure SQL, that any number of hosts share.</summary>
internal class SqlServerDatabase : StoreDatabase
{
    /// <summary>How long a database may be away before that is an error.</summary>
    private static readonly TimeSpan LongestOutage = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly SqlConnectionStringBuilder _settings;
    private volatile bool _wasOpen;
    private volatile bool _isAway;

    /// <exception cref="InvalidRequestException">The connection string cannot be read, or names no server or no database.</exception>
    public SqlServerDatabase(string connectionString)
    {
        _settings = Parse(connectionString);
        ConnectionString = _settings.ConnectionString;
        Location = $"database '{_settings.InitialCatalog}' on SQL Server {_settings.DataSource}";
    }

    public override string Engine => "sqlserver";

    public override string Location { get; }

    public override bool IsAway => _isAway;

    /// <summary>Holds credentials: for connections only, never for people.</summary>
    public string ConnectionString { get; }

    /// <summary>Reads a connection string without ever repeating what it holds.</summary>
    public static SqlConnectionStringBuilder Parse(string connectionString)
    {
        SqlConnectionStringBuilder settings;
        try
        {
            settings = new(connectionString);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new InvalidRequestException("AiWorkflows:ConnectionString is no connection string of SQL Server: an option in it is unknown or has no such value. Example: Server=HOST;Database=NAME;User ID=USER;Password=…;Encrypt=True.");
        }
        if (settings.DataSource.Length == 0)
            throw new InvalidRequestException("AiWorkflows:ConnectionString names no server; add Server=HOST.");
        if (settings.InitialCatalog.Length == 0)
            throw new InvalidRequestException("AiWorkflows:ConnectionString names no database; add Database=NAME.");
        if (!connectionString.Contains("Application Name", StringComparison.OrdinalIgnoreCase) && !connectionString.Contains("App=", StringComparison.OrdinalIgnoreCase))
            settings.ApplicationName = "AiWorkflows";
        // Opening is repeated here, with pauses of its own; a pool that answers for a minute from memory would only hide that the server is back.
        if (!connectionString.Contains("Blocking Period", StringComparison.OrdinalIgnoreCase) && !connectionString.Contains("PoolBlockingPeriod", StringComparison.OrdinalIgnoreCase))
            settings.PoolBlockingPeriod = PoolBlockingPeriod.NeverBlock;
        return settings;
    }

    public override async Task<DbConnection> OpenReadAsync(CancellationToken ct) => await OpenAsync(ct);

    /// <summary>A pooled connection; waits while a database that has been there before is away.</summary>
    public async Task<SqlConnection> OpenAsync(CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            var connection = new SqlConnection(ConnectionString);
            try
            {
                await connection.OpenAsync(ct);
                _wasOpen = true;
                return connection;
            }
            catch (Exception e)
            {
                await connection.DisposeAsync();
                _isAway = _wasOpen && SqlServerFaults.IsPassingOnOpen(e);
                // A first connection that fails is a mistake in the configuration more often than an outage, and is said at once.
                if (!_wasOpen || !SqlServerFaults.IsPassingOnOpen(e) || Stopwatch.GetElapsedTime(started) > LongestOutage)
                {
                    if (Explain(e) is { } explained)
                        throw explained;
                    throw;
                }
            }
            await Task.Delay(Jittered(pause), ct);
        }
    }

    /// <summary>As <see cref="OpenAsync"/>, for cursors, which are synchronous.</summary>
    public SqlConnection Open() => OpenAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, CancellationToken ct, bool durable = true) => WriteAsync(work, retryDuplicates: true, ct);

    /// <param name="retryDuplicates">Whether a key that somebody else has just inserted is a reason to start anew.</param>
    public virtual Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, bool retryDuplicates, CancellationToken ct) => RetryAsync(async () =>
    {
        await using var connection = await OpenAsync(ct);
        await ExecuteAsync(connection, "SET XACT_ABORT ON", ct);
        await using var transaction = (SqlTransaction)await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
        var scope = new WriteTransaction(this, connection, transaction, ct);
        var result = await work(scope);
        if (scope.IsRolledBack)
        {
            await transaction.RollbackAsync(ct);
            return result;
        }
        try
        {
            await transaction.CommitAsync(ct);
            Activity.Committed(durable: true);
        }
        catch (Exception e) when (SqlServerFaults.IsPassingOnOpen(e) || e is OperationCanceledException || connection.State != ConnectionState.Open)
        {
            throw new CommitUnknownException(Location, e);
        }
        return result;
    }, retryDuplicates, ct);

    public override Task<BatchOutcome> RunAsync(StatementBatch batch, CancellationToken ct, bool durable = true) => RetryAsync(async () =>
    {
        var sent = new SqlServerBatch(this, batch);
        await using var connection = await OpenAsync(ct);
        try
        {
            await using var reader = await connection.ExecuteReaderAsync(new CommandDefinition(sent.Text, sent.Parameters, cancellationToken: ct));
            var outcome = sent.Read(reader);
            if (outcome.Stopped is null)
                Activity.Committed(durable: true);
            return outcome;
        }
        catch (Exception e) when (!SqlServerFaults.IsRefused(e) && (SqlServerFaults.IsPassingOnOpen(e) || e is OperationCanceledException || connection.State != ConnectionState.Open))
        {
            // It has been sent with its COMMIT, and its answer has not come.
            throw new CommitUnknownException(Location, e);
        }
    }, retryDuplicates: true, ct);

    /// <summary>Repeats what a passing fault has undone: a read, or a transaction as a whole. A commit whose outcome is unknown is never repeated here.</summary>
    public async Task<T> RetryAsync<T>(Func<Task<T>> work, bool retryDuplicates, CancellationToken ct)
    {
        const int mostDuplicates = 5;
        var started = Stopwatch.GetTimestamp();
        var duplicates = 0;
        for (var pause = FirstPause; ; pause = Longer(pause))
        {
            try
            {
                var result = await work();
                _isAway = false;
                return result;
            }
            catch (Exception e) when (e is SqlException or InvalidOperationException or IOException && !ct.IsCancellationRequested)
            {
                var again = SqlServerFaults.IsPassing(e) ? Stopwatch.GetElapsedTime(started) < LongestOutage
                    : retryDuplicates && SqlServerFaults.IsDuplicateKey(e) && ++duplicates <= mostDuplicates;
                if (!again)
                {
                    if (Explain(e) is { } explained)
                        throw explained;
                    if (SqlServerFaults.IsPassing(e))
                        throw new AiWorkflowsException($"{Location} has failed for a minute: {e.Message}", e) { StoreIsAway = true };
                    throw;
                }
            }
            await Task.Delay(Jittered(pause), ct);
        }
    }

    public override async Task<long> ChangeTokenAsync(CancellationToken ct) => await ReadFirstAsync<long>(ChangeToken, null, ct);

    public override Task BackupAsync(string file, CancellationToken ct) => throw new InvalidRequestException(
        $"SQL Server has backups of its own, also of a database in use: BACKUP DATABASE {SqlServerDialect.Quote(_settings.InitialCatalog)} TO DISK = N'…'. On Azure SQL they are made automatically.");

    public override async Task<SqlResult> QueryAsync(string sql, CancellationToken ct)
    {
        ReadOnlyQuery.Check(sql);
        var connection = await OpenAsync(ct);
        var command = connection.CreateCommand();
        DbTransaction? transaction = null;
        try
        {
            // Never committed: disposing of it rolls back whatever a function in the query may have done.
            transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, ct);
            (command.CommandText, command.CommandTimeout, command.Transaction) = (sql, 0, (SqlTransaction)transaction);
            return new SqlResult(connection, command, await command.ExecuteReaderAsync(ct), ExplainQuery, transaction);
        }
        catch (Exception e)
        {
            await command.DisposeAsync();
            if (transaction is not null)
                await transaction.DisposeAsync();
            await connection.DisposeAsync();
            if (ExplainQuery(e) is { } explained)
                throw explained;
            throw;
        }
    }

    public override Task<IReadOnlyList<DatabaseCheck>> CheckAsync(CancellationToken ct) => SqlServerChecks.RunAsync(this, ct);

    public override AiWorkflowsException? Explain(Exception error) => SqlServerErrors.Explain(error, _settings);

    public override string TextPrefix => "N";

    public override string BatchSeparator => "\nGO\n";

    public override bool LacksRights(Exception error)
    {
        for (var e = error; e is not null; e = e.InnerException)
            if (e is SqlException { Number: 229 or 230 or 262 or 1088 or 2760 or 3701 or 15151 or 15247 })
                return true;
        return false;
    }

    public override Task LockAsync(WriteTransaction tx, string name) => tx.ExecuteAsync(
        "EXEC sp_getapplock @Resource = @Resource, @LockMode = N'Exclusive', @LockOwner = N'Transaction', @LockTimeout = @Timeout",
        new { Resource = "aiworkflows:" + name, Timeout = (int)LongestOutage.TotalMilliseconds });

    public override ValueTask DisposeAsync()
    {
        using var pooled = new SqlConnection(ConnectionString);
        SqlConnection.ClearPool(pooled);
        return ValueTask.CompletedTask;
    }

    protected override Task<T> OnReaderAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken ct) => RetryAsync(() => base.OnReaderAsync(read, ct), retryDuplicates: false, ct);

    protected override string Render(string name, string argument) => SqlServerDialect.Render(name, argument);

    public static async Task ExecuteAsync(SqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new SqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Open runs and how often each was decided about: a request, an admission and every advance change it, and a cancellation takes its run out; and requests that nobody
    /// has answered. Along the indexes of open runs and requests.
    /// </summary>
    private const string ChangeToken = """
        SELECT COALESCE(SUM(run_id * 1000003 + touch * 31 + CASE state WHEN 'running' THEN 7 ELSE 3 END), 0) + COUNT_BIG(*)
            + (SELECT COALESCE(SUM(q.request_id), 0) * 7919 FROM {workflows.run_requests} q WHERE q.handled_at IS NULL)
        FROM {workflows.runs} WHERE state IN ('requested', 'running')
        """;

    private AiWorkflowsException? ExplainQuery(Exception error) => error switch
    {
        SqlException { Class: >= 11 and <= 16, Number: not 229 and not 1205 } e when Explain(e) is null || e.Number == 208 => new InvalidRequestException($"The query is wrong: {SqlServerErrors.Sentence(e)}", e),
        InvalidOperationException e => new InvalidRequestException($"The query is wrong: {e.Message}", e),
        _ => Explain(error),
    };

    private static TimeSpan Longer(TimeSpan pause) => pause + pause < LongestPause ? pause + pause : LongestPause;

    /// <summary>Hosts that failed together do not come back together.</summary>
    private static TimeSpan Jittered(TimeSpan pause) => pause * (0.5 + Random.Shared.NextDouble());
}
