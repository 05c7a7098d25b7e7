using System.Runtime.CompilerServices;
using AiWorkflows.Inference;
using AiWorkflows.Training;
using Dapper;

namespace AiWorkflows.Storage;

/// <summary>What the prediction logs of both engines share; rows in bulk are the engine's affair.</summary>
internal abstract class PredictionLog(StoreDatabase database) : IPredictionLog
{
    /// <summary>Whether no other batch counts in place of batch b at the event time of row r.</summary>
    protected const string IsCurrent = """
        NOT EXISTS (SELECT 1 FROM {prediction_log.superseded} x WHERE x.batch_id = b.batch_id AND x.window_from <= r.event_time AND x.window_to > r.event_time)
        """;

    protected StoreDatabase Database => database;

    public async Task<IBatchWriter> OpenBatchAsync(BatchRequest request, CancellationToken ct)
    {
        var batchId = await database.WriteAsync(async tx => await tx.ScalarAsync<long?>("""
            INSERT INTO {prediction_log.batches} (pipeline, role, model, version, feature_view, view_version, window_from, window_to, as_of_seq, hindsight, predicted_at, state,
                run_id, stage_run_id, attempt, code_version)
            {inserted:batch_id}
            SELECT @Pipeline, @Role, @Model, @Version, @View, @ViewVersion, @From, @To, @AsOfSeq, @Hindsight, @PredictedAt, 'writing', s.run_id, s.stage_run_id, s.attempt, @CodeVersion
            FROM {workflows.stage_runs} s WHERE s.stage_run_id = @StageRunId AND s.attempt = @Attempt AND s.state = 'running'
            {returning:batch_id}
            """, new
        {
            request.Pipeline,
            request.Role,
            request.Model,
            request.Version,
            request.View,
            request.ViewVersion,
            From = (Utc)request.Window.From,
            To = (Utc)request.Window.To,
            request.AsOfSeq,
            Hindsight = request.Hindsight ? 1 : 0,
            PredictedAt = (Utc)request.PredictedAt,
            request.CodeVersion,
            request.Attempt.StageRunId,
            request.Attempt.Attempt,
        }), ct, durable: false) ?? throw Fence.Lost(request.Attempt);
        return OpenWriter(request, batchId);
    }

    public async Task<LoggedPrediction?> FindAsync(long predictionId, CancellationToken ct)
    {
        var id = new { BatchId = predictionId >> 32, Ordinal = predictionId & uint.MaxValue };
        var batch = await database.ReadFirstAsync<BatchRow>("""
            SELECT batch_id, pipeline, role, model, version, feature_view, view_version, window_from, window_to, as_of_seq, hindsight, predicted_at, run_id, rows, code_version
            FROM {prediction_log.batches} WHERE batch_id = @BatchId AND state = 'published'
            """, id, ct);
        var row = batch is null ? null : await database.ReadFirstAsync<StoredPrediction>("""
            SELECT entity_key, event_time, score, probability, label, output, feature_hash FROM {prediction_log.prediction_rows} WHERE batch_id = @BatchId AND ordinal = @Ordinal
            """, id, ct);
        return row is null ? null : new(batch!.ToRecord(), (int)id.Ordinal, row.ToRow());
    }

    public abstract Task<long> UpsertOutcomesAsync(string view, IReadOnlyList<OutcomeRow> rows, long knownSeq, CancellationToken ct);

    public async Task<Window?> PendingOutcomesAsync(string pipeline, string view, DateTime since, CancellationToken ct)
    {
        var span = await database.ReadFirstAsync<Span>($$"""
            SELECT MIN(r.event_time) AS earliest, MAX(r.event_time) AS latest
            FROM {prediction_log.batches} b JOIN {prediction_log.prediction_rows} r ON r.batch_id = b.batch_id
            WHERE b.pipeline = @Pipeline AND b.feature_view = @View AND b.role = 'champion' AND b.state = 'published' AND b.window_to > @Since AND r.event_time >= @Since AND {{IsCurrent}}
              AND NOT EXISTS (SELECT 1 FROM {prediction_log.outcomes} o WHERE o.feature_view = b.feature_view AND o.entity_key = r.entity_key AND o.event_time = r.event_time)
            """, new { Pipeline = pipeline, View = view, Since = (Utc)since }, ct);
        return span?.Earliest is { } earliest ? StoredWindow.Of(earliest, span.Latest!.Value.Value.AddMicroseconds(1)) : null;
    }

    public async Task<IReadOnlyList<AnsweredEvent>> PendingAnswersAsync(string pipeline, string view, DateTime since, AnsweredEvent? after, int limit, CancellationToken ct) =>
        [.. (await database.ReadAsync<StoredEvent>("""
            SELECT r.event_time, r.entity_key, MIN(r.inputs) AS inputs
            FROM {prediction_log.online_rows} r {then:JOIN} {prediction_log.batches} b ON b.batch_id = r.batch_id
            WHERE b.pipeline = @Pipeline AND b.feature_view = @View AND b.role <> 'shadow' AND r.event_time >= @From AND (r.event_time > @From OR r.entity_key > @Key)
              AND NOT EXISTS (SELECT 1 FROM {prediction_log.outcomes} o WHERE o.feature_view = b.feature_view AND o.entity_key = r.entity_key AND o.event_time = r.event_time)
            GROUP BY r.event_time, r.entity_key ORDER BY r.event_time, r.entity_key {limit:@Limit}
            """, new { Pipeline = pipeline, View = view, From = (Utc)(after?.EventTime ?? since), Key = after?.EntityKey ?? "", Limit = limit }, ct))
            .Select(r => new AnsweredEvent(r.EntityKey, r.EventTime, r.Inputs))];

    public async IAsyncEnumerable<ScoredRow> ScoredAsync(string pipeline, Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await database.OpenReadAsync(ct);
        await using var reader = await connection.ExecuteReaderAsync(new CommandDefinition(database.Sql($$"""
            SELECT b.model, b.version, r.event_time, r.score, r.probability, r.label, o.actual, o.actual_text
            FROM {prediction_log.batches} b
            JOIN {prediction_log.prediction_rows} r ON r.batch_id = b.batch_id
            LEFT JOIN {prediction_log.outcomes} o ON o.feature_view = b.feature_view AND o.entity_key = r.entity_key AND o.event_time = r.event_time
            WHERE b.pipeline = @Pipeline AND b.role = 'champion' AND b.state = 'published' AND b.hindsight = 0 AND b.window_from < @To AND b.window_to > @From
              AND r.event_time >= @From AND r.event_time < @To AND {{IsCurrent}}
            ORDER BY r.event_time, r.batch_id, r.ordinal
            """), new { Pipeline = pipeline, From = (Utc)window.From, To = (Utc)window.To }, cancellationToken: ct));
        while (await reader.ReadAsync(ct))
            yield return new(
                reader.GetString(0), reader.GetInt32(1), Utc.Read(reader, 2), Real(3), Real(4), Text(5), Real(6), Text(7));

        double? Real(int i) => reader.IsDBNull(i) ? null : reader.GetDouble(i);
        string? Text(int i) => reader.IsDBNull(i) ? null : reader.GetString(i);
    }

    public async IAsyncEnumerable<BacktestedRow> BacktestedAsync(long runId, string pipeline, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var connection = await database.OpenReadAsync(ct);
        await using var reader = await connection.ExecuteReaderAsync(new CommandDefinition(database.Sql("""
            SELECT b.model, b.version, r.entity_key, r.event_time, r.score, r.probability, r.label
            FROM {prediction_log.batches} b {then:JOIN} {prediction_log.prediction_rows} r ON r.batch_id = b.batch_id
            WHERE b.run_id = @RunId AND b.pipeline = @Pipeline AND b.role = 'backtest' AND b.state = 'published'
            ORDER BY b.window_from, b.batch_id, r.ordinal
            """), new { RunId = runId, Pipeline = pipeline }, cancellationToken: ct));
        while (await reader.ReadAsync(ct))
            yield return new(reader.GetString(0), reader.GetInt32(1), reader.GetString(2), Utc.Read(reader, 3), Real(4), Real(5), reader.IsDBNull(6) ? null : reader.GetString(6));

        double? Real(int i) => reader.IsDBNull(i) ? null : reader.GetDouble(i);
    }

    public Task ReplaceMetricsAsync(IReadOnlyList<DailyMetric> metrics, CancellationToken ct) => metrics.Count == 0 ? Task.CompletedTask : database.WriteAsync(async tx =>
    {
        var rows = metrics.Select(m => new
        {
            m.Pipeline,
            m.Model,
            m.Version,
            Day = (Utc)m.Day,
            m.Metric,
            Value = m.Value is { } value && double.IsFinite(value) ? value : (double?)null,
            m.Predictions,
            m.Outcomes,
        }).ToArray();
        await tx.ExecuteAsync("DELETE FROM {prediction_log.metrics} WHERE pipeline = @Pipeline AND model = @Model AND version = @Version AND day = @Day AND metric = @Metric", rows);
        await tx.ExecuteAsync("""
            INSERT INTO {prediction_log.metrics} (pipeline, model, version, day, metric, metric_value, predictions, outcomes, computed_at)
            VALUES (@Pipeline, @Model, @Version, @Day, @Metric, @Value, @Predictions, @Outcomes, {now})
            """, rows);
    }, ct, durable: false);

    protected abstract IBatchWriter OpenWriter(BatchRequest request, long batchId);

    private sealed class BatchRow
    {
        public long BatchId { get; set; }

        public string Pipeline { get; set; } = "";

        public string Role { get; set; } = "";

        public string Model { get; set; } = "";

        public int Version { get; set; }

        public string FeatureView { get; set; } = "";

        public int ViewVersion { get; set; }

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }

        public long AsOfSeq { get; set; }

        public long Hindsight { get; set; }

        public Utc PredictedAt { get; set; }

        public long? RunId { get; set; }

        public long Rows { get; set; }

        public string CodeVersion { get; set; } = "";

        public BatchRecord ToRecord() => new(
            BatchId, Pipeline, Role, Model, Version, FeatureView, ViewVersion, StoredWindow.Of(WindowFrom, WindowTo), AsOfSeq, Hindsight != 0, PredictedAt, RunId, Rows, CodeVersion);
    }

    private sealed class StoredPrediction
    {
        public string EntityKey { get; set; } = "";

        public Utc EventTime { get; set; }

        public double? Score { get; set; }

        public double? Probability { get; set; }

        public string? Label { get; set; }

        public string Output { get; set; } = "";

        public long FeatureHash { get; set; }

        public PredictionRow ToRow() => new(EntityKey, EventTime, Score, Probability, Label, Output, FeatureHash);
    }

    private sealed class StoredEvent
    {
        public string EntityKey { get; set; } = "";

        public Utc EventTime { get; set; }

        public string Inputs { get; set; } = "";
    }

    private sealed class Span
    {
        public Utc? Earliest { get; set; }

        public Utc? Latest { get; set; }
    }
}
