using AiWorkflows.Inference;

namespace AiWorkflows.Storage.Sqlite;

/// <summary>Writes the predictions of one batch, numbered in the order in which they come.</summary>
internal sealed class SqliteBatchWriter(SqliteDatabase database, BatchRequest request, long batchId) : IBatchWriter
{
    private const string Insert = """
        INSERT INTO {prediction_log.prediction_rows} (batch_id, ordinal, entity_key, event_time, score, probability, label, output, feature_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """;

    private readonly SqliteBulkWriter _bulk = new(database, database.Sql(Insert), database.Sql(Fence.BatchIsOpen), batchId, () => Fence.Lost(request.Attempt));
    private int _written;

    public long BatchId => batchId;

    public async Task WriteAsync(IReadOnlyList<PredictionRow> rows, CancellationToken ct)
    {
        await _bulk.WriteAsync(rows.Count, (statement, i) =>
        {
            var row = rows[i];
            statement.Bind(1, batchId);
            statement.Bind(2, _written + i);
            statement.BindText(3, row.EntityKey);
            statement.Bind(4, Timestamps.ToMicros(row.EventTime));
            Bind(statement, 5, row.Score);
            Bind(statement, 6, row.Probability);
            statement.BindText(7, row.Label);
            statement.BindText(8, row.Output);
            statement.Bind(9, row.FeatureHash);
        }, ct);
        _written += rows.Count;
    }

    public ValueTask DisposeAsync() => _bulk.DisposeAsync();

    private static void Bind(RawStatement statement, int parameter, double? value) => statement.Bind(parameter, value ?? double.NaN);
}
