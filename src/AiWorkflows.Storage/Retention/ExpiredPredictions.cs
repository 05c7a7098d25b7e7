namespace AiWorkflows.Storage.Retention;

/// <summary>
/// Rows of batches that were published long ago. First the batch becomes <c>expired</c>, and with it invisible as a whole; then its rows go. What remains of it is
/// its record, with model, run, score bins and what it had read.
/// </summary>
internal sealed class ExpiredPredictions(StoreDatabase database)
{
    /// <summary>Those that an apply was killed over have expired already.</summary>
    private const string Batches = """
        SELECT batch_id FROM {prediction_log.batches}
        WHERE (state = 'published' AND published_at < @Before) OR state = 'expired'
        ORDER BY batch_id
        """;

    private const string Measure = """
        SELECT COUNT(*) AS rows, SUM({bytes:entity_key} + {bytes:output} + {bytes:label} + 48) AS bytes FROM {prediction_log.prediction_rows} WHERE batch_id = @BatchId AND ordinal < @End
        """;

    public async Task<Removed> RunAsync(Utc before, bool apply, CancellationToken ct)
    {
        var total = default(Removed);
        foreach (var batchId in await database.ReadAsync<long>(Batches, new { Before = before }, ct))
            if (apply)
                total += await DeleteAsync(batchId, ct);
            else
                total += (await database.ReadFirstAsync<RemovedRow>(Measure, new { BatchId = batchId, End = long.MaxValue }, ct))!.ToRemoved();
        return total;
    }

    private async Task<Removed> DeleteAsync(long batchId, CancellationToken ct)
    {
        await database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {prediction_log.batches} SET state = 'expired' WHERE batch_id = @BatchId AND state = 'published'", new { BatchId = batchId }), ct);
        var total = default(Removed);
        while (await database.ReadFirstAsync<long?>("SELECT MIN(ordinal) FROM {prediction_log.prediction_rows} WHERE batch_id = @BatchId", new { BatchId = batchId }, ct) is { } first)
        {
            ct.ThrowIfCancellationRequested();
            var stretch = new { BatchId = batchId, End = first + KeyWalk.RowsAtOnce };
            total += await database.WriteAsync(async tx =>
            {
                var removed = (await tx.FirstAsync<RemovedRow>(Measure, stretch))!.ToRemoved();
                await tx.ExecuteAsync("DELETE FROM {prediction_log.prediction_rows} WHERE batch_id = @BatchId AND ordinal < @End", stretch);
                return removed;
            }, ct, durable: false);
        }
        return total;
    }
}
