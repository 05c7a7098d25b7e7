namespace AiWorkflows.Storage.Retention;

/// <summary>Records of commits and batches that were never published and whose rows have been collected.</summary>
internal sealed class ExpiredCommits(StoreDatabase database)
{
    private const string Commit = "commit_id > @After AND state = 'collected' AND created_at < @Before";

    private const string LastCommit = $$"""
        SELECT MAX(x.commit_id) FROM (SELECT commit_id FROM {feature_store.commits} WHERE {{Commit}} ORDER BY commit_id {limit:@Count}) x
        """;

    private const string MeasureCommits = $$"""
        SELECT COUNT(*) AS rows, SUM({bytes:statistics_json} + {bytes:expectations} + 200) AS bytes FROM {feature_store.commits} WHERE commit_id <= @Last AND {{Commit}}
        """;

    private const string DeleteCommits = $$"""DELETE FROM {feature_store.commits} WHERE commit_id <= @Last AND {{Commit}}""";

    /// <summary>A batch has no time of its own by the database's clock; its attempt has.</summary>
    private const string Batch = """
        batch_id > @After AND state = 'collected' AND NOT EXISTS (SELECT 1 FROM {workflows.attempts} a
            WHERE a.stage_run_id = {prediction_log.batches}.stage_run_id AND a.attempt = {prediction_log.batches}.attempt AND (a.ended_at IS NULL OR a.ended_at >= @Before))
        """;

    private const string LastBatch = $$"""
        SELECT MAX(x.batch_id) FROM (SELECT batch_id FROM {prediction_log.batches} WHERE {{Batch}} ORDER BY batch_id {limit:@Count}) x
        """;

    private const string MeasureBatches = $$"""
        SELECT COUNT(*) AS rows, SUM({bytes:score_bins} + 200) AS bytes FROM {prediction_log.batches} WHERE batch_id <= @Last AND {{Batch}}
        """;

    private const string DeleteBatches = $$"""DELETE FROM {prediction_log.batches} WHERE batch_id <= @Last AND {{Batch}}""";

    public async Task<Removed> RunAsync(Utc before, bool apply, CancellationToken ct) => apply
        ? await KeyWalk.DeleteAsync(database, before, LastCommit, MeasureCommits, [DeleteCommits], ct) + await KeyWalk.DeleteAsync(database, before, LastBatch, MeasureBatches, [DeleteBatches], ct)
        : await KeyWalk.MeasureAsync(database, before, MeasureCommits, ct) + await KeyWalk.MeasureAsync(database, before, MeasureBatches, ct);
}
