using AiWorkflows.Inference;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Writes the predictions of one batch, numbered in the order in which they come.</summary>
internal sealed class SqlServerBatchWriter(SqlServerDatabase database, BatchRequest request, long batchId) : IBatchWriter
{
    /// <summary>What is copied; a static proof holds it against the table.</summary>
    public static readonly (string Name, Type Type)[] Columns =
    [
        ("batch_id", typeof(long)), ("ordinal", typeof(int)), ("entity_key", typeof(string)), ("event_time", typeof(DateTime)), ("score", typeof(double)),
        ("probability", typeof(double)), ("label", typeof(string)), ("output", typeof(string)), ("feature_hash", typeof(long)),
    ];

    private readonly SqlServerBulkWriter _bulk = new(database, database.Sql("{prediction_log.prediction_rows}"), Columns, Fence.BatchIsOpen, batchId, () => Fence.Lost(request.Attempt));
    private int _written;

    public long BatchId => batchId;

    public async Task WriteAsync(IReadOnlyList<PredictionRow> rows, CancellationToken ct)
    {
        await _bulk.WriteAsync(rows.Count, (i, values) =>
        {
            var row = rows[i];
            values[0] = batchId;
            values[1] = _written + i;
            values[2] = row.EntityKey;
            values[3] = row.EventTime;
            values[4] = Real(row.Score);
            values[5] = Real(row.Probability);
            values[6] = row.Label ?? (object)DBNull.Value;
            values[7] = row.Output;
            values[8] = row.FeatureHash;
        }, ct);
        _written += rows.Count;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static object Real(double? value) => value is { } number && !double.IsNaN(number) ? number : DBNull.Value;
}
