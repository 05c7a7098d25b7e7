using AiWorkflows.Storage;
using AiWorkflows.Storage.SqlServer;

namespace AiWorkflows.FaultHost;

/// <summary>SQL Server, and points inside of transactions, after a batch was sent whose answer has not come, and around chunks.</summary>
internal sealed class FaultServerDatabase(string connectionString, Faults faults) : SqlServerDatabase(connectionString)
{
    public override string Sql(string template)
    {
        FaultStatements.Reach(faults, template);
        return base.Sql(template);
    }

    public override async Task<BatchOutcome> RunAsync(StatementBatch batch, CancellationToken ct, bool durable = true)
    {
        var answer = base.RunAsync(batch, ct, durable);
        faults.Reach("a batch is under way");
        return await answer;
    }

    public override async Task<T> WriteAsync<T>(Func<WriteTransaction, Task<T>> work, bool retryDuplicates, CancellationToken ct)
    {
        // Only chunks are told to leave duplicates alone.
        if (retryDuplicates)
            return await base.WriteAsync(work, retryDuplicates, ct);
        faults.Reach("before a chunk");
        var result = await base.WriteAsync(async tx =>
        {
            var written = await work(tx);
            faults.Reach("a chunk is under way");
            return written;
        }, retryDuplicates, ct);
        faults.Reach("after a chunk");
        return result;
    }
}
