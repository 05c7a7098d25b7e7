namespace AiWorkflows.Storage.Retention;

/// <summary>
/// Rows of batches that were published long ago. First the batch becomes <c>expired</c>, and with it invisible as a whole; then its rows go. What remains of it is
/// its record, with model, run, score bins and what it had read. Predictions that were answered one by one go by their own time.
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

    private const string LastOnline = """
        SELECT MAX(x.predicted_at) AS latest FROM (SELECT predicted_at FROM {prediction_log.online_rows} WHERE predicted_at < @Before ORDER BY predicted_at {limit:@Count}) x
        """;

    private const string MeasureOnline = """
        SELECT COUNT(*) AS rows, SUM({bytes:entity_key} + {bytes:output} + {bytes:label} + {bytes:inputs} + {bytes:features} + {bytes:missing} + {bytes:request_id} + 80) AS bytes
        FROM {prediction_log.online_rows} WHERE predicted_at <= @Last AND predicted_at < @Before
        """;

    public async Task<Removed> RunAsync(Utc before, bool apply, CancellationToken ct)
    {
        var total = default(Removed);
        foreach (var batchId in await database.ReadAsync<long>(Batches, new { Before = before }, ct))
            if (apply)
                total += await DeleteAsync(batchId, ct);
            else
                total += (await database.ReadFirstAsync<RemovedRow>(Measure, new { BatchId = batchId, End = long.MaxValue }, ct))!.ToRemoved();
        return total + await OnlineAsync(before, apply, ct);
    }

    private async Task<Removed> OnlineAsync(Utc before, bool apply, CancellationToken ct)
    {
        if (!apply)
            return (await database.ReadFirstAsync<RemovedRow>(MeasureOnline, new { Before = before, Last = before }, ct))!.ToRemoved();
        var total = default(Removed);
        while (await database.ReadFirstAsync<LastRow>(LastOnline, new { Before = before, Count = KeyWalk.RowsAtOnce }, ct) is { Latest: { } last })
        {
            ct.ThrowIfCancellationRequested();
            var stretch = new { Before = before, Last = last };
            total += await database.WriteAsync(async tx =>
            {
                var removed = (await tx.FirstAsync<RemovedRow>(MeasureOnline, stretch))!.ToRemoved();
                await tx.ExecuteAsync("DELETE FROM {prediction_log.online_rows} WHERE predicted_at <= @Last AND predicted_at < @Before", stretch);
                return removed;
            }, ct, durable: false);
        }
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

    private sealed class LastRow
    {
        public Utc? Latest { get; set; }
    }
}
