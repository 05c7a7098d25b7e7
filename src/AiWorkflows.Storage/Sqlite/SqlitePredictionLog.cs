using AiWorkflows.Inference;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>The prediction log of the embedded engine: rows through SQLite's statement interface.</summary>
internal sealed class SqlitePredictionLog(SqliteDatabase database) : PredictionLog(database)
{
    private const string UpsertOutcome = """
        INSERT INTO {prediction_log.outcomes} (feature_view, entity_key, event_time, actual, actual_text, actual_at, known_seq) VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (feature_view, entity_key, event_time) DO UPDATE SET actual = excluded.actual, actual_text = excluded.actual_text, actual_at = excluded.actual_at, known_seq = excluded.known_seq
        WHERE excluded.known_seq >= known_seq AND (excluded.actual <> actual OR excluded.actual_text IS NOT actual_text OR excluded.actual_at <> actual_at)
        """;

    public override async Task<long> UpsertOutcomesAsync(string view, IReadOnlyList<OutcomeRow> rows, long knownSeq, CancellationToken ct)
    {
        await using var bulk = new SqliteBulkWriter(database, database.Sql(UpsertOutcome));
        await bulk.WriteAsync(rows.Count, (statement, i) =>
        {
            var row = rows[i];
            statement.BindText(1, view);
            statement.BindText(2, row.EntityKey);
            statement.Bind(3, Timestamps.ToMicros(row.EventTime));
            statement.Bind(4, row.Actual);
            statement.BindText(5, row.ActualText);
            statement.Bind(6, Timestamps.ToMicros(row.ActualAt));
            statement.Bind(7, knownSeq);
        }, ct);
        return bulk.Changes;
    }

    protected override IBatchWriter OpenWriter(BatchRequest request, long batchId) => new SqliteBatchWriter(database, request, batchId);
}
