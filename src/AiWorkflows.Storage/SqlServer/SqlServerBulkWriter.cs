using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Copies rows into a table in transactions of a few thousand rows; each first asks whether its writer may still write, and keeps that answer true until it ends.</summary>
/// <param name="isOpen">A query with the parameter @Id that counts 1 while rows may be written.</param>
internal sealed class SqlServerBulkWriter(SqlServerDatabase database, string table, IReadOnlyList<(string Name, Type Type)> columns, string isOpen, long id, Func<Exception> fenced)
{
    /// <summary>Few enough that a deadlock's victim or a lost connection costs little.</summary>
    private const int RowsPerTransaction = 10_000;

    /// <summary>Writes rows 0 to <paramref name="count"/> - 1.</summary>
    /// <param name="bind">Puts the values of a row, given by its number, into the array; the same again when a transaction is repeated.</param>
    public async Task WriteAsync(int count, Action<int, object[]> bind, CancellationToken ct)
    {
        for (var from = 0; from < count; from += RowsPerTransaction)
            await WriteAsync(from, Math.Min(RowsPerTransaction, count - from), bind, ct);
    }

    private async Task WriteAsync(int from, int count, Action<int, object[]> bind, CancellationToken ct)
    {
        try
        {
            await CopyAsync(from, count, bind, ct);
        }
        catch (CommitUnknownException)
        {
            // Its rows carry the commit's id and are unique by key: what has been committed refuses to be copied again, as a whole.
            try
            {
                await CopyAsync(from, count, bind, ct);
            }
            catch (SqlException e) when (SqlServerFaults.IsDuplicateKey(e)) { }
        }
    }

    private Task<bool> CopyAsync(int from, int count, Action<int, object[]> bind, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        if (await tx.ScalarAsync<long>(isOpen, new { Id = id }) != 1)
            throw fenced();
        await CopyAsync(tx, table, columns, from, count, bind, ct);
        return true;
    }, retryDuplicates: false, ct);

    /// <summary>Copies rows <paramref name="from"/> to <paramref name="from"/> + <paramref name="count"/> - 1 as part of a transaction.</summary>
    public static async Task CopyAsync(
        WriteTransaction tx, string table, IReadOnlyList<(string Name, Type Type)> columns, int from, int count, Action<int, object[]> bind, CancellationToken ct)
    {
        using var copy = new SqlBulkCopy((SqlConnection)tx.Connection, SqlBulkCopyOptions.KeepNulls, (SqlTransaction)tx.Transaction)
        {
            DestinationTableName = table,
            BulkCopyTimeout = 0,
            EnableStreaming = true,
        };
        foreach (var (name, _) in columns)
            copy.ColumnMappings.Add(name, name);
        await using var rows = new RowBatchReader(columns, from, count, bind);
        await copy.WriteToServerAsync(rows, ct);
    }
}
