namespace AiWorkflows.Storage;

/// <summary>The clock row that orders publications. A transaction that makes several things visible gives all of them one sequence, and takes none if it shows nothing.</summary>
internal sealed class PublicationClock(WriteTransaction tx)
{
    /// <summary>The sequence of this transaction; null for as long as nothing has become visible.</summary>
    public long? Seq { get; private set; }

    public Utc PublishedAt { get; private set; }

    /// <summary>Nobody else can publish from here on, so what is now read about published things stays true.</summary>
    public Task LockAsync() => tx.ExecuteAsync("UPDATE {feature_store.publication_clock} SET seq = seq WHERE clock_id = 1");

    public async Task<(long Seq, Utc PublishedAt)> TakeAsync()
    {
        if (Seq is null)
        {
            // Never equal to the one before, however coarse the database's clock is, and never before it, should that clock be set back.
            await tx.ExecuteAsync("""
                UPDATE {feature_store.publication_clock} SET seq = seq + 1, published_at = CASE WHEN {now} > published_at THEN {now} ELSE {after:published_at, 1} END WHERE clock_id = 1
                """);
            var row = await tx.FirstAsync<Row>("SELECT seq, published_at FROM {feature_store.publication_clock} WHERE clock_id = 1");
            (Seq, PublishedAt) = (row!.Seq, row.PublishedAt);
        }
        return (Seq.Value, PublishedAt);
    }

    private sealed class Row
    {
        public long Seq { get; set; }

        public Utc PublishedAt { get; set; }
    }
}
