namespace AiWorkflows.Storage.Retention;

/// <summary>Rows that expectations kept out, whether somebody has published them since or not.</summary>
internal sealed class ExpiredQuarantine(StoreDatabase database)
{
    /// <summary>A commit that is still open is not known to have been kept out of anything.</summary>
    private const string Expired = """
        quarantine_id > @After AND quarantined_at < @Before
        AND NOT EXISTS (SELECT 1 FROM {feature_store.commits} c WHERE c.commit_id = {feature_store.quarantine}.commit_id AND c.state IN ('writing', 'sealed'))
        """;

    private const string Last = $$"""
        SELECT MAX(x.quarantine_id) FROM (SELECT quarantine_id FROM {feature_store.quarantine} WHERE {{Expired}} ORDER BY quarantine_id {limit:@Count}) x
        """;

    private const string Measure = $$"""
        SELECT COUNT(*) AS rows, SUM({bytes:row_json} + {bytes:rule_name} + {bytes:reason} + 32) AS bytes FROM {feature_store.quarantine} WHERE quarantine_id <= @Last AND {{Expired}}
        """;

    private const string Delete = $$"""DELETE FROM {feature_store.quarantine} WHERE quarantine_id <= @Last AND {{Expired}}""";

    public Task<Removed> RunAsync(Utc before, bool apply, CancellationToken ct) =>
        apply ? KeyWalk.DeleteAsync(database, before, Last, Measure, [Delete], ct) : KeyWalk.MeasureAsync(database, before, Measure, ct);
}
