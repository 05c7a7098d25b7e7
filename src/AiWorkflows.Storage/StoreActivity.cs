namespace AiWorkflows.Storage;

/// <summary>What a database was asked for since it was opened: what orchestration costs is counted, not estimated.</summary>
internal sealed class StoreActivity
{
    private long _durable;
    private long _other;
    private long _statements;

    /// <summary>Committed transactions on whose being on disk somebody relies.</summary>
    public long DurableTransactions => Volatile.Read(ref _durable);

    /// <summary>All committed transactions. On SQL Server each of them is durable.</summary>
    public long Transactions => DurableTransactions + Volatile.Read(ref _other);

    /// <summary>Statements, without those of bulk writers and cursors.</summary>
    public long Statements => Volatile.Read(ref _statements);

    public void Committed(bool durable)
    {
        if (durable)
            Interlocked.Increment(ref _durable);
        else
            Interlocked.Increment(ref _other);
    }

    public void Executed() => Interlocked.Increment(ref _statements);
}
