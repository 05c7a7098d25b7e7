namespace AiWorkflows.Storage.Queries;

/// <summary>What a list of predictions is narrowed to; null members do not narrow.</summary>
/// <param name="Online">Those that were answered one by one, instead of those that were made in batches.</param>
internal sealed record DashboardPredictionFilter(string Model, int? Version, DateTime? From, DateTime? To, bool Online);

internal sealed partial class DashboardQueries
{
    private const string BatchColumns =
        "b.batch_id, b.pipeline, b.model, b.version, b.window_from, b.window_to, b.rows, b.score_bins, b.positive_share, b.hindsight, b.predicted_at, b.run_id";

    private const string PredictionColumns =
        """
        r.batch_id * CAST(4294967296 AS bigint) + r.ordinal AS prediction_id, b.model, b.version, r.entity_key, r.event_time, r.score, r.probability, r.label, r.output,
        b.pipeline, b.role, b.hindsight, b.run_id, o.actual, o.actual_text, o.actual_at
        """;

    private const string PredictionOutcome =
        "LEFT JOIN {prediction_log.outcomes} o ON o.feature_view = b.feature_view AND o.entity_key = r.entity_key AND o.event_time = r.event_time";

    private const string NotTakenOver =
        """
        NOT EXISTS (SELECT 1 FROM {prediction_log.superseded} x WHERE x.batch_id = b.batch_id AND x.window_from <= r.event_time AND x.window_to > r.event_time)
        """;

    /// <summary>Current batches of a pipeline, the latest window first; those that later ones have replaced altogether are left out.</summary>
    /// <param name="until">Batch to begin with: the page before ended in it.</param>
    public Task<IReadOnlyList<DashboardBatch>> BatchesAsync(string pipeline, DashboardPredictionFilter filter, long? until, int limit, CancellationToken ct) => QueryAsync<DashboardBatch>(
        $$"""
        SELECT {{BatchColumns}} FROM {prediction_log.batches} b
        WHERE b.pipeline = @pipeline AND b.role = 'champion' AND b.state = 'published' AND b.model = @Model
        {{(filter.Version is null ? "" : "AND b.version = @Version")}}
        {{(filter.From is null ? "" : "AND b.window_to > @from")}}
        {{(filter.To is null ? "" : "AND b.window_from < @to")}}
        {{(until is null ? "" : "AND b.window_from <= (SELECT e.window_from FROM {prediction_log.batches} e WHERE e.batch_id = @until)")}}
        AND NOT EXISTS (SELECT 1 FROM {prediction_log.superseded} x WHERE x.batch_id = b.batch_id AND x.window_from <= b.window_from AND x.window_to >= b.window_to)
        ORDER BY b.window_from DESC, b.batch_id DESC {limit:@limit}
        """, new { pipeline, filter.Model, filter.Version, from = Utc.From(filter.From), to = Utc.From(filter.To), until = until ?? 0, limit }, ct);

    /// <summary>What hosts have opened to log online answers in, the newest first.</summary>
    public Task<IReadOnlyList<DashboardBatch>> OnlineBatchesAsync(DashboardPredictionFilter filter, long? until, int limit, CancellationToken ct) => QueryAsync<DashboardBatch>(
        $$"""
        SELECT {{BatchColumns}} FROM {prediction_log.batches} b
        WHERE b.state = 'online' AND b.role <> 'shadow' AND b.model = @Model AND b.batch_id <= @until {{(filter.Version is null ? "" : "AND b.version = @Version")}}
        ORDER BY b.batch_id DESC {limit:@limit}
        """, new { filter.Model, filter.Version, until = until ?? long.MaxValue, limit }, ct);

    /// <summary>Current predictions of a batch between two ordinals, the latest event first.</summary>
    public Task<IReadOnlyList<PredictionListRow>> PredictionsOfAsync(long batch, long low, long high, int limit, CancellationToken ct) => QueryAsync<PredictionListRow>(
        $$"""
        SELECT {{PredictionColumns}}, b.predicted_at
        FROM {prediction_log.batches} b {then:JOIN} {prediction_log.prediction_rows} r ON r.batch_id = b.batch_id {{PredictionOutcome}}
        WHERE b.batch_id = @batch AND r.ordinal >= @low AND r.ordinal < @high AND {{NotTakenOver}}
        ORDER BY r.ordinal DESC {limit:@limit}
        """, new { batch, low, high, limit }, ct);

    /// <summary>Current predictions of several small batches.</summary>
    public Task<IReadOnlyList<PredictionListRow>> PredictionsOfAsync(IReadOnlyCollection<long> batches, CancellationToken ct) => QueryAsync<PredictionListRow>(
        $$"""
        SELECT {{PredictionColumns}}, b.predicted_at
        FROM {prediction_log.batches} b {then:JOIN} {prediction_log.prediction_rows} r ON r.batch_id = b.batch_id {{PredictionOutcome}}
        WHERE b.batch_id IN @batches AND {{NotTakenOver}}
        """, new { batches }, ct);

    /// <summary>Answers in these batches below an ordinal of the first of them, the newest first.</summary>
    public Task<IReadOnlyList<PredictionListRow>> OnlinePredictionsOfAsync(IReadOnlyCollection<long> batches, long low, long high, int limit, CancellationToken ct) => QueryAsync<PredictionListRow>(
        $$"""
        SELECT {{PredictionColumns}}, r.predicted_at
        FROM {prediction_log.batches} b {then:JOIN} {prediction_log.online_rows} r ON r.batch_id = b.batch_id {{PredictionOutcome}}
        WHERE b.batch_id IN @batches AND r.ordinal >= @low AND r.ordinal < @high
        ORDER BY b.batch_id DESC, r.ordinal DESC {limit:@limit}
        """, new { batches, low, high, limit }, ct);

    /// <summary>Current predictions about an entity, the newest batch first.</summary>
    public Task<IReadOnlyList<PredictionListRow>> PredictionsAboutAsync(string key, DashboardPredictionFilter filter, long? before, int limit, CancellationToken ct) => filter.Online
        ? QueryAsync<PredictionListRow>(About(PredictionQueries.OnlineAbout, "r.predicted_at", filter, "b.state = 'online' AND b.role <> 'shadow'"), AboutParameters(key, filter, before, limit), ct)
        : QueryAsync<PredictionListRow>(About("{prediction_log.prediction_rows} r", "b.predicted_at", filter, "r.entity_key = @key AND b.state = 'published' AND b.role = 'champion' AND " + NotTakenOver), AboutParameters(key, filter, before, limit), ct);

    private static string About(string rows, string predictedAt, DashboardPredictionFilter filter, string which) =>
        $$"""
        SELECT {{PredictionColumns}}, {{predictedAt}} AS predicted_at
        FROM {{rows}} {then:JOIN} {prediction_log.batches} b ON b.batch_id = r.batch_id {{PredictionOutcome}}
        WHERE r.batch_id <= @batch AND (r.batch_id < @batch OR r.ordinal < @ordinal) AND b.model = @Model AND {{which}}
        {{(filter.Version is null ? "" : "AND b.version = @Version")}}
        {{(filter.From is null ? "" : "AND r.event_time >= @from")}}
        {{(filter.To is null ? "" : "AND r.event_time < @to")}}
        ORDER BY r.batch_id DESC, r.ordinal DESC {limit:@limit}
        """;

    private static object AboutParameters(string key, DashboardPredictionFilter filter, long? before, int limit) => new
    {
        key, filter.Model, filter.Version, from = Utc.From(filter.From), to = Utc.From(filter.To), limit,
        batch = (before ?? long.MaxValue) >> 32, ordinal = (before ?? long.MaxValue) & 0xFFFFFFFF,
    };

    /// <summary>
    /// The first ordinal of a batch whose event is not before the time. Rows lie in order of event time and have no index on it: each step looks at
    /// so many of them at once that three steps are enough for any batch.
    /// </summary>
    public async Task<long> OrdinalAtAsync(long batch, long rows, DateTime time, CancellationToken ct)
    {
        var (low, high) = (0L, rows);
        while (low < high)
        {
            var step = Math.Max(1, (high - low + OrdinalsAStep - 1) / OrdinalsAStep);
            var ordinals = Enumerable.Range(0, OrdinalsAStep).Select(i => low + i * step).Where(o => o < high).ToArray();
            var before = await QueryAsync<long>(
                "SELECT r.ordinal FROM {prediction_log.prediction_rows} r WHERE r.batch_id = @batch AND r.ordinal IN @ordinals AND r.event_time < @time",
                new { batch, ordinals, time = new Utc(time) }, ct);
            if (before.Count == 0)
                return low;
            (low, high) = (before.Max() + 1, Math.Min(high, before.Max() + step));
        }
        return low;
    }

    private const int OrdinalsAStep = 128;

    /// <summary>How far the features that a version was asked about lay from its training data, by day; the newest day first.</summary>
    public async Task<IReadOnlyList<DashboardDrift>> DriftAsync(IReadOnlyCollection<string> pipelines, string model, int version, int limit, CancellationToken ct) => pipelines.Count == 0 ? []
        : await QueryAsync<DashboardDrift>(
            """
            SELECT d.day, d.feature, d.psi, d.rows FROM {prediction_log.drift} d
            WHERE d.pipeline IN @pipelines AND d.model = @model AND d.version = @version AND d.psi IS NOT NULL
            ORDER BY d.day DESC, d.feature {limit:@limit}
            """, new { pipelines, model, version, limit }, ct);

    /// <summary>The groups that a batch, and the dataset of its model, were made from.</summary>
    public Task<IReadOnlyList<DashboardInput>> InputsOfAsync(long batchId, long datasetId, CancellationToken ct) => QueryAsync<DashboardInput>(
        """
        SELECT 'prediction' AS read_for, feature_group, version, as_of_seq, window_from, window_to FROM {prediction_log.batch_inputs} WHERE batch_id = @batchId
        UNION ALL
        SELECT 'training', feature_group, version, as_of_seq, window_from, window_to FROM {feature_store.dataset_inputs} WHERE dataset_id = @datasetId
        ORDER BY 1, 2, 3
        """, new { batchId, datasetId }, ct);

    /// <summary>The runs that wrote these commits.</summary>
    public Task<IReadOnlyList<DashboardCommitRun>> RunsOfCommitsAsync(IReadOnlyCollection<long> commits, CancellationToken ct) => commits.Count == 0
        ? Task.FromResult<IReadOnlyList<DashboardCommitRun>>([])
        : QueryAsync<DashboardCommitRun>("SELECT commit_id, run_id, published_seq, published_at, code_version FROM {feature_store.commits} WHERE commit_id IN @commits", new { commits }, ct);

    /// <summary>The distribution of each feature in a training dataset.</summary>
    public Task<JsonText> DatasetStatisticsAsync(long datasetId, CancellationToken ct) => _database.ReadFirstAsync<JsonText>(
        "SELECT statistics_json FROM {feature_store.training_datasets} WHERE dataset_id = @datasetId AND statistics_json IS NOT NULL", new { datasetId }, ct);
}

/// <summary>A batch of predictions, with the counts that were stored when it was written.</summary>
internal sealed record DashboardBatch
{
    public long BatchId { get; init; }
    public required string Pipeline { get; init; }
    public required string Model { get; init; }
    public int Version { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public long Rows { get; init; }
    public JsonText? ScoreBins { get; init; }
    public double? PositiveShare { get; init; }
    public bool Hindsight { get; init; }
    public Utc PredictedAt { get; init; }
    public long? RunId { get; init; }
}

/// <summary>A group that something was made from.</summary>
internal sealed record DashboardInput
{
    /// <summary><c>training</c> or <c>prediction</c>.</summary>
    public required string ReadFor { get; init; }
    public required string FeatureGroup { get; init; }
    public int Version { get; init; }
    public long AsOfSeq { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
}

/// <summary>How far a feature lay from its training data on a day.</summary>
internal sealed record DashboardDrift
{
    public Utc Day { get; init; }
    public required string Feature { get; init; }

    /// <summary>Population stability index over the bins of the training data.</summary>
    public double Psi { get; init; }
    public long Rows { get; init; }
}

/// <summary>Where a commit came from.</summary>
internal sealed record DashboardCommitRun
{
    public long CommitId { get; init; }
    public long? RunId { get; init; }
    public long? PublishedSeq { get; init; }
    public Utc? PublishedAt { get; init; }
    public string? CodeVersion { get; init; }
}
