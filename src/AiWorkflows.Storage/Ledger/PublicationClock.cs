namespace AiWorkflows.Storage;

/// <summary>The clock row that orders publications. A transaction that makes several things visible gives all of them one sequence, and takes none if it shows nothing.</summary>
internal static class PublicationClock
{
    /// <summary>The sequence of the transaction, or of the last publication where this one shows nothing.</summary>
    public const string Seq = "Seq";

    /// <summary>When that was published, as the clock says.</summary>
    public const string PublishedAt = "PublishedAt";

    /// <summary>Nobody else can publish from here on, so what is then read about published things stays true.</summary>
    public static void Lock(StatementBatch batch) => batch.Do("UPDATE {feature_store.publication_clock} SET seq = seq WHERE clock_id = 1", new { });

    /// <summary>
    /// Follows UPDATE: the next sequence. Its time is never equal to the one before, however coarse the database's clock is, and never before it, should that clock be set back.
    /// </summary>
    public const string Next = """
        {feature_store.publication_clock} SET seq = seq + 1, published_at = CASE WHEN {now} > published_at THEN {now} ELSE {after:published_at, 1} END WHERE clock_id = 1
        """;

    /// <summary>Takes the next sequence where the commit or the batch is still to be shown, or in any case.</summary>
    public static void Take(StatementBatch batch, long? commitId, long? batchId, bool always) => batch.Do($$"""
        UPDATE {{Next}} AND (@Always = 1
            OR EXISTS (SELECT 1 FROM {feature_store.commits} WHERE commit_id = @CommitId AND state = 'writing')
            OR EXISTS (SELECT 1 FROM {prediction_log.batches} WHERE batch_id = @BatchId AND state = 'writing'))
        """, new { Always = always ? 1 : 0, CommitId = commitId, BatchId = batchId });

    public static void Read(StatementBatch batch)
    {
        batch.Find<long>(Seq, "SELECT seq FROM {feature_store.publication_clock} WHERE clock_id = 1");
        batch.Find<Utc>(PublishedAt, "SELECT published_at FROM {feature_store.publication_clock} WHERE clock_id = 1");
    }
}
