using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.RegularExpressions;
using Dapper;

namespace AiWorkflows.Storage;

/// <summary>A database that holds the stores. What differs between engines is here; statements are written once, as templates.</summary>
/// <remarks>
/// Templates: <c>{workflows.runs}</c> is a table, <c>{now}</c> the database's clock, <c>{in:@span}</c> that clock plus microseconds and <c>{ago:@span}</c> minus them, <c>{after:time, span}</c> any time plus them,
/// <c>{inserted:id}</c> (between column list and values) and <c>{returning:id}</c> (at the end) give back a generated id, <c>{limit:@n}</c> ends an ordered query,
/// <c>{top:n}</c> directly before the columns and <c>{top_end:n}</c> at the end together take any <c>n</c> rows, <c>{bytes:column}</c> is the size of a value,
/// <c>{entity:column, @key}</c> finds online predictions by their entity as the index of the engine has them,
/// <c>{then:JOIN}</c> keeps the written order of the tables, and <c>{held}</c> after a table keeps the rows that were read as they are until the transaction ends.
/// </remarks>
internal abstract partial class StoreDatabase : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _rendered = new(StringComparer.Ordinal);

    // Columns are snake case, members are not; every query of the stores and of the pages maps this way.
    static StoreDatabase()
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new UtcHandler());
    }

    /// <summary>Folder of the migrations below <c>db/</c>.</summary>
    public abstract string Engine { get; }

    /// <summary>Where the database is, as a person would look for it; without secrets.</summary>
    public abstract string Location { get; }

    /// <summary>Whether what was asked last found no connection, and is being tried again.</summary>
    public virtual bool IsAway => false;

    public StoreActivity Activity { get; } = new();

    /// <summary>The statement in the engine's own words; rendered once.</summary>
    public virtual string Sql(string template) => _rendered.GetOrAdd(template, t => Placeholder().Replace(t, m => Render(m.Groups[1].Value, m.Groups[2].Value)));

    /// <summary>As <see cref="Sql"/>, for a statement that is shown to somebody: nothing is kept of it.</summary>
    public virtual string SqlText(string template) => Placeholder().Replace(template, m => Render(m.Groups[1].Value, m.Groups[2].Value));

    /// <summary>A pooled connection that cannot write. Dispose of it soon: while a statement is open on it, the write-ahead log cannot shrink.</summary>
    public abstract Task<DbConnection> OpenReadAsync(CancellationToken ct);

    /// <summary>One short transaction that holds the right to write; committed unless <paramref name="work"/> throws or rolls back.</summary>
    /// <param name="durable">False for what may be lost in a power cut as long as a later durable transaction makes it safe: rows of invisible commits, progress, log lines.</param>
    public abstract Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, CancellationToken ct, bool durable = true);

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<WriteTransaction, Task> work, CancellationToken ct, bool durable = true) => WriteAsync(async tx =>
    {
        await work(tx);
        return true;
    }, ct, durable);

    /// <summary>One transaction of statements that are all known: where statements travel, in one round trip, so that locks are held for as long as the database itself takes.</summary>
    /// <inheritdoc cref="WriteAsync{T}" path="/param"/>
    public virtual Task<BatchOutcome> RunAsync(StatementBatch batch, CancellationToken ct, bool durable = true) => WriteAsync(async tx =>
    {
        var found = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (var step in batch.Steps)
            if (!await step.ExecuteAsync(tx, found))
            {
                tx.RollBack();
                return new BatchOutcome(step.Name, found);
            }
        return new BatchOutcome(null, found);
    }, ct, durable);

    /// <summary>A number that changes whenever somebody has written.</summary>
    public abstract Task<long> ChangeTokenAsync(CancellationToken ct);

    /// <summary>A consistent copy in a new file, taken while the database is in use.</summary>
    /// <exception cref="InvalidRequestException">The file exists, its directory does not, or the engine has backups of its own.</exception>
    public abstract Task BackupAsync(string file, CancellationToken ct);

    /// <summary>Rows of a query by hand; whatever would write is refused by the database itself.</summary>
    /// <exception cref="InvalidRequestException">The statement is wrong, or would write.</exception>
    public abstract Task<SqlResult> QueryAsync(string sql, CancellationToken ct);

    /// <summary>What an administrator would look at: the database is sound, set up well, and lets this user do what has to be done.</summary>
    public abstract Task<IReadOnlyList<DatabaseCheck>> CheckAsync(CancellationToken ct);

    /// <summary>The database's clock.</summary>
    public async Task<DateTime> NowAsync(CancellationToken ct) => await ReadFirstAsync<Utc>("SELECT {now}", null, ct);

    /// <summary>Turns an error of the engine that a person can act on (full disk, no permission) into one that says so; null for any other.</summary>
    public abstract AiWorkflowsException? Explain(Exception error);

    /// <summary>Whether the error says that this user may not do what was tried.</summary>
    public virtual bool LacksRights(Exception error) => false;

    /// <summary>What marks a literal as Unicode text.</summary>
    public virtual string TextPrefix => "";

    /// <summary>What stands between statements of a script.</summary>
    public virtual string BatchSeparator => ";\n";

    public abstract ValueTask DisposeAsync();

    /// <summary>Renders one placeholder; <paramref name="argument"/> is what follows the colon.</summary>
    protected abstract string Render(string name, string argument);

    [GeneratedRegex(@"\{([a-z_.0-9]+)(?::([^}]*))?\}")]
    private static partial Regex Placeholder();

    /// <summary>Lets one transaction at a time pass this point, until it ends; where only one writes at a time anyway, nothing.</summary>
    public virtual Task LockAsync(WriteTransaction tx, string name) => Task.CompletedTask;

    /// <summary>Reads in a connection of its own, and reads again where the engine's connections may break.</summary>
    protected virtual async Task<T> OnReaderAsync<T>(Func<DbConnection, Task<T>> read, CancellationToken ct)
    {
        await using var connection = await OpenReadAsync(ct);
        return await read(connection);
    }

    /// <summary>The rows of the first result, read to the end in this call's connection.</summary>
    public Task<IReadOnlyList<T>> ReadAsync<T>(string template, object? parameters, CancellationToken ct) => OnReaderAsync<IReadOnlyList<T>>(async connection =>
    {
        Activity.Executed();
        return (await connection.QueryAsync<T>(new CommandDefinition(Sql(template), parameters, cancellationToken: ct))).AsList();
    }, ct);

    /// <summary>The first row, or the default value where there is none.</summary>
    public Task<T?> ReadFirstAsync<T>(string template, object? parameters, CancellationToken ct) => OnReaderAsync(async connection =>
    {
        Activity.Executed();
        return await connection.QueryFirstOrDefaultAsync<T>(new CommandDefinition(Sql(template), parameters, cancellationToken: ct));
    }, ct);
}
