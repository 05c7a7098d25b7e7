using AiWorkflows.Inference;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>The prediction log of SQL Server.</summary>
internal sealed class SqlServerPredictionLog(SqlServerDatabase database) : PredictionLog(database)
{
    private const int RowsPerTransaction = 5000;

    private const string CreateGiven = """
        CREATE TABLE #given (
            entity_key   nvarchar(700) COLLATE Latin1_General_100_BIN2 NOT NULL,
            event_time   datetime2(6)                                  NOT NULL,
            actual       float                                         NOT NULL,
            actual_text  nvarchar(256) COLLATE Latin1_General_100_BIN2 NULL,
            actual_at    datetime2(6)                                  NOT NULL
        )
        """;

    // Behind a last character, spaces at the end of a text count too.
    private const string Update = """
        UPDATE o SET actual = g.actual, actual_text = g.actual_text, actual_at = g.actual_at, known_seq = @KnownSeq
        FROM {prediction_log.outcomes} o JOIN #given g ON o.entity_key = g.entity_key AND o.event_time = g.event_time
        WHERE o.feature_view = @View AND o.known_seq <= @KnownSeq
          AND (o.actual <> g.actual OR o.actual_at <> g.actual_at OR COALESCE(o.actual_text + N'.', N'') <> COALESCE(g.actual_text + N'.', N''))
        """;

    private const string Insert = """
        INSERT INTO {prediction_log.outcomes} (feature_view, entity_key, event_time, actual, actual_text, actual_at, known_seq)
        SELECT @View, g.entity_key, g.event_time, g.actual, g.actual_text, g.actual_at, @KnownSeq FROM #given g
        WHERE NOT EXISTS (SELECT 1 FROM {prediction_log.outcomes} o WHERE o.feature_view = @View AND o.entity_key = g.entity_key AND o.event_time = g.event_time)
        """;

    /// <summary>What is copied; a static proof holds it against the table.</summary>
    public static readonly (string Name, Type Type)[] Columns =
        [("entity_key", typeof(string)), ("event_time", typeof(DateTime)), ("actual", typeof(double)), ("actual_text", typeof(string)), ("actual_at", typeof(DateTime))];

    public override async Task<long> UpsertOutcomesAsync(string view, IReadOnlyList<OutcomeRow> rows, long knownSeq, CancellationToken ct)
    {
        var changed = 0L;
        // Of two rows about one example the later one counts.
        foreach (var chunk in rows.Reverse().DistinctBy(r => (r.EntityKey, r.EventTime)).Chunk(RowsPerTransaction))
            changed += await Database.WriteAsync(async tx =>
            {
                await tx.ExecuteAsync(CreateGiven);
                await CopyAsync(tx, chunk, ct);
                var given = new { View = view, KnownSeq = knownSeq };
                var count = await tx.ExecuteAsync(Update, given) + await tx.ExecuteAsync(Insert, given);
                await tx.ExecuteAsync("DROP TABLE #given");
                return count;
            }, ct, durable: false);
        return changed;
    }

    protected override IBatchWriter OpenWriter(BatchRequest request, long batchId) => new SqlServerBatchWriter(database, request, batchId);

    private static Task CopyAsync(WriteTransaction tx, OutcomeRow[] rows, CancellationToken ct) => SqlServerBulkWriter.CopyAsync(tx, "#given", Columns, 0, rows.Length, (i, values) =>
    {
        var row = rows[i];
        values[0] = row.EntityKey;
        values[1] = row.EventTime;
        values[2] = row.Actual;
        values[3] = row.ActualText ?? (object)DBNull.Value;
        values[4] = row.ActualAt;
    }, ct);
}
