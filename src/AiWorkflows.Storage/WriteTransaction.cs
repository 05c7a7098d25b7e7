using System.Data.Common;
using Dapper;

namespace AiWorkflows.Storage;

/// <summary>A running write transaction: statements as templates, parameters by name.</summary>
internal sealed class WriteTransaction(StoreDatabase database, DbConnection connection, DbTransaction transaction, CancellationToken ct)
{
    public DbConnection Connection => connection;

    public DbTransaction Transaction => transaction;

    public bool IsRolledBack { get; private set; }

    /// <summary>Nothing of this transaction stays, but its result is still returned: the answer to an update that found its row taken.</summary>
    public void RollBack() => IsRolledBack = true;

    /// <summary>Executes and returns the number of rows.</summary>
    public Task<int> ExecuteAsync(string template, object? parameters = null) => connection.ExecuteAsync(Command(template, parameters));

    /// <summary>The first column of the first row; the default value where there is no row.</summary>
    public Task<T?> ScalarAsync<T>(string template, object? parameters = null) => connection.ExecuteScalarAsync<T>(Command(template, parameters));

    public Task<T?> FirstAsync<T>(string template, object? parameters = null) => connection.QueryFirstOrDefaultAsync<T>(Command(template, parameters));

    public async Task<IReadOnlyList<T>> ReadAsync<T>(string template, object? parameters = null) => (await connection.QueryAsync<T>(Command(template, parameters))).AsList();

    private CommandDefinition Command(string template, object? parameters)
    {
        database.Activity.Executed();
        return new(database.Sql(template), parameters, transaction, cancellationToken: ct);
    }
}
