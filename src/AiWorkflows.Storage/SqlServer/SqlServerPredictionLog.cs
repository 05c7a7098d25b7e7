using System.Globalization;
using System.Text.Json;
using AiWorkflows.Inference;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>The prediction log of SQL Server.</summary>
internal sealed class SqlServerPredictionLog(SqlServerDatabase database) : PredictionLog(database)
{
    private const int RowsPerTransaction = 2000;

    private const string Given = """
        OPENJSON(@Rows) WITH (entity_key nvarchar(700) '$.k', event_time datetime2(6) '$.t', actual float '$.v', actual_text nvarchar(256) '$.c', actual_at datetime2(6) '$.a')
        """;

    private const string Update = $$"""
        UPDATE o SET actual = g.actual, actual_text = g.actual_text, actual_at = g.actual_at, known_seq = @KnownSeq
        FROM {prediction_log.outcomes} o JOIN {{Given}} g ON o.entity_key = g.entity_key COLLATE Latin1_General_100_BIN2 AND o.event_time = g.event_time
        WHERE o.feature_view = @View AND o.known_seq <= @KnownSeq
          AND (o.actual <> g.actual OR o.actual_at <> g.actual_at OR COALESCE(o.actual_text, N'') <> COALESCE(g.actual_text, N'') COLLATE Latin1_General_100_BIN2)
        """;

    private const string Insert = $$"""
        INSERT INTO {prediction_log.outcomes} (feature_view, entity_key, event_time, actual, actual_text, actual_at, known_seq)
        SELECT @View, g.entity_key, g.event_time, g.actual, g.actual_text, g.actual_at, @KnownSeq FROM {{Given}} g
        WHERE NOT EXISTS (SELECT 1 FROM {prediction_log.outcomes} o WHERE o.feature_view = @View AND o.entity_key = g.entity_key COLLATE Latin1_General_100_BIN2 AND o.event_time = g.event_time)
        """;

    public override async Task<long> UpsertOutcomesAsync(string view, IReadOnlyList<OutcomeRow> rows, long knownSeq, CancellationToken ct)
    {
        var changed = 0L;
        // Of two rows about one example the later one counts.
        foreach (var chunk in rows.Reverse().DistinctBy(r => (r.EntityKey, r.EventTime)).Chunk(RowsPerTransaction))
        {
            var given = new { View = view, KnownSeq = knownSeq, Rows = JsonSerializer.Serialize(chunk.Select(r => new { k = r.EntityKey, t = Text(r.EventTime), v = r.Actual, c = r.ActualText, a = Text(r.ActualAt) })) };
            changed += await database.WriteAsync(async tx => await tx.ExecuteAsync(Update, given) + await tx.ExecuteAsync(Insert, given), ct, durable: false);
        }
        return changed;
    }

    protected override IBatchWriter OpenWriter(BatchRequest request, long batchId) => new SqlServerBatchWriter(database, request, batchId);

    private static string Text(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
}
