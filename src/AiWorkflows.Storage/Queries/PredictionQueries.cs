namespace AiWorkflows.Storage.Queries;

/// <summary>What people ask about predictions: by id, by key, or the newest, always along an index.</summary>
internal sealed class PredictionQueries
{
    private const string Said = "r.batch_id * CAST(4294967296 AS bigint) + r.ordinal AS prediction_id, b.model, b.version, r.entity_key, r.event_time, r.score, r.probability, r.label, r.output";

    private const string Columns = $"{Said}, b.pipeline, b.role, b.hindsight, b.predicted_at, b.run_id, o.actual, o.actual_text, o.actual_at";

    private const string OnlineColumns = $"{Said}, b.pipeline, b.role, b.hindsight, r.predicted_at, b.run_id, o.actual, o.actual_text, o.actual_at";

    private const string Outcome =
        "LEFT JOIN {prediction_log.outcomes} o ON o.feature_view = b.feature_view AND o.entity_key = r.entity_key AND o.event_time = r.event_time";

    /// <summary>The condition of the view <c>predictions</c>: no later batch has taken the event time over.</summary>
    private const string Current =
        """
        b.state = 'published' AND b.role = 'champion' AND NOT EXISTS (
          SELECT 1 FROM {prediction_log.superseded} x WHERE x.batch_id = b.batch_id AND x.window_from <= r.event_time AND x.window_to > r.event_time)
        """;

    /// <summary>What was answered; a shadow answers nothing.</summary>
    private const string Answered = "b.state = 'online' AND b.role <> 'shadow'";

    /// <summary>Answers about an entity: found in the index alone, which may hold an eighth of all answers, then read.</summary>
    internal const string OnlineAbout =
        "(SELECT k.batch_id, k.ordinal FROM {prediction_log.online_rows} k WHERE {entity:k.entity_key, @key}) f {then:JOIN} {prediction_log.online_rows} r ON r.batch_id = f.batch_id AND r.ordinal = f.ordinal";

    private readonly StoreDatabase _database;

    public PredictionQueries(StoreDatabase database)
    {
        QueryMapping.Ensure();
        _database = database;
    }

    /// <summary>Current predictions, newest batch first and within it the latest event first; the next page starts below the last id of this one.</summary>
    public async Task<IReadOnlyList<PredictionListRow>> ListAsync(string? model, long? before, int limit, CancellationToken ct)
    {
        var (batch, ordinal) = ((before ?? long.MaxValue) >> 32, (before ?? long.MaxValue) & 0xFFFFFFFF);
        var parameters = new { model, batch, ordinal, limit };
        var scored = await _database.ReadAsync<PredictionListRow>(
            $$"""
            SELECT {{Columns}}
            FROM {prediction_log.batches} b {then:JOIN} {prediction_log.prediction_rows} r ON r.batch_id = b.batch_id {{Outcome}}
            WHERE (@model IS NULL OR b.model = @model) AND b.batch_id <= @batch AND (b.batch_id < @batch OR r.ordinal < @ordinal) AND {{Current}}
            ORDER BY b.batch_id DESC, r.ordinal DESC {limit:@limit}
            """, parameters, ct);
        var answered = await _database.ReadAsync<PredictionListRow>(
            $$"""
            SELECT {{OnlineColumns}}
            FROM {prediction_log.batches} b {then:JOIN} {prediction_log.online_rows} r ON r.batch_id = b.batch_id {{Outcome}}
            WHERE (@model IS NULL OR b.model = @model) AND b.batch_id <= @batch AND (b.batch_id < @batch OR r.ordinal < @ordinal) AND {{Answered}}
            ORDER BY b.batch_id DESC, r.ordinal DESC {limit:@limit}
            """, parameters, ct);
        return [.. scored.Concat(answered).OrderByDescending(r => r.PredictionId).Take(limit)];
    }

    /// <summary>Current predictions about one entity, newest event first.</summary>
    /// <param name="entityKey">JSON array of the keys.</param>
    public async Task<IReadOnlyList<PredictionListRow>> OfEntityAsync(string entityKey, string? model, int limit, CancellationToken ct)
    {
        var parameters = new { entityKey, key = entityKey, model, limit };
        var scored = await _database.ReadAsync<PredictionListRow>(
            $$"""
            SELECT {{Columns}}
            FROM {prediction_log.prediction_rows} r JOIN {prediction_log.batches} b ON b.batch_id = r.batch_id {{Outcome}}
            WHERE r.entity_key = @entityKey AND (@model IS NULL OR b.model = @model) AND {{Current}}
            ORDER BY r.event_time DESC, r.batch_id DESC {limit:@limit}
            """, parameters, ct);
        var answered = await _database.ReadAsync<PredictionListRow>(
            $$"""
            SELECT {{OnlineColumns}}
            FROM {{OnlineAbout}} JOIN {prediction_log.batches} b ON b.batch_id = r.batch_id {{Outcome}}
            WHERE (@model IS NULL OR b.model = @model) AND {{Answered}}
            ORDER BY r.event_time DESC, r.batch_id DESC {limit:@limit}
            """, parameters, ct);
        return [.. scored.Concat(answered).OrderByDescending(r => r.EventTime.Value).ThenByDescending(r => r.PredictionId).Take(limit)];
    }

    /// <summary>One published or answered prediction, current or not.</summary>
    public async Task<PredictionListRow?> FindAsync(long predictionId, CancellationToken ct)
    {
        var id = new { batch = predictionId >> 32, ordinal = predictionId & 0xFFFFFFFF };
        return (await _database.ReadAsync<PredictionListRow>(
            $$"""
            SELECT {{Columns}}
            FROM {prediction_log.batches} b JOIN {prediction_log.prediction_rows} r ON r.batch_id = b.batch_id {{Outcome}}
            WHERE b.batch_id = @batch AND r.ordinal = @ordinal AND b.state = 'published'
            """, id, ct)).SingleOrDefault()
            ?? (await _database.ReadAsync<PredictionListRow>(
            $$"""
            SELECT {{OnlineColumns}}
            FROM {prediction_log.batches} b JOIN {prediction_log.online_rows} r ON r.batch_id = b.batch_id {{Outcome}}
            WHERE b.batch_id = @batch AND r.ordinal = @ordinal AND b.state = 'online'
            """, id, ct)).SingleOrDefault();
    }

    /// <summary>What a batch has read of each group, and as of which sequence.</summary>
    public Task<IReadOnlyList<InputRow>> InputsOfBatchAsync(long batchId, CancellationToken ct) => _database.ReadAsync<InputRow>(
        "SELECT feature_group, version, as_of_seq, window_from, window_to FROM {prediction_log.batch_inputs} WHERE batch_id = @batchId", new { batchId }, ct);

    /// <summary>What an online prediction was made from; null for one that was made in a batch.</summary>
    public Task<OnlineInputs?> InputsAsync(long predictionId, CancellationToken ct) => _database.ReadFirstAsync<OnlineInputs>(
        "SELECT as_of_seq, inputs, features, missing, request_id, answers FROM {prediction_log.online_rows} WHERE batch_id = @batch AND ordinal = @ordinal",
        new { batch = predictionId >> 32, ordinal = predictionId & 0xFFFFFFFF }, ct);

    public async Task<PredictionOrigin?> OriginAsync(long batchId, CancellationToken ct) => (await _database.ReadAsync<PredictionOrigin>(
        """
        SELECT batch_id, pipeline, role, feature_view AS "view", view_version, window_from, window_to, as_of_seq, hindsight, predicted_at, run_id, code_version
        FROM {prediction_log.batches} WHERE batch_id = @batchId
        """, new { batchId }, ct)).SingleOrDefault();

    /// <summary>Every commit that a batch or the dataset of its model could read from, with the run and the code that wrote it.</summary>
    public Task<IReadOnlyList<LineageCommit>> CommitsAsync(long batchId, long datasetId, CancellationToken ct) => _database.ReadAsync<LineageCommit>(
        """
        SELECT 'prediction' AS read_for, c.feature_group, c.version, c.commit_id, c.published_seq, c.published_at, c.window_from, c.window_to, c.rows, c.stage, c.run_id, c.code_version
        FROM {prediction_log.batch_commits} x JOIN {feature_store.commits} c ON c.commit_id = x.commit_id WHERE x.batch_id = @batchId
        UNION ALL
        SELECT 'training', c.feature_group, c.version, c.commit_id, c.published_seq, c.published_at, c.window_from, c.window_to, c.rows, c.stage, c.run_id, c.code_version
        FROM {feature_store.dataset_commits} x JOIN {feature_store.commits} c ON c.commit_id = x.commit_id WHERE x.dataset_id = @datasetId
        ORDER BY 1, 2, 3, 5
        """, new { batchId, datasetId }, ct);

    /// <summary>Whether the batch was published once, and retention has removed its rows.</summary>
    public async Task<bool> HasExpiredAsync(long batchId, CancellationToken ct) =>
        await _database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {prediction_log.batches} WHERE batch_id = @batchId AND state = 'expired'", new { batchId }, ct) > 0;
}
