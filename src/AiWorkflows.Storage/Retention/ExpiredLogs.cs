namespace AiWorkflows.Storage.Retention;

/// <summary>Log lines of runs that have ended.</summary>
internal sealed class ExpiredLogs(StoreDatabase database)
{
    private const string Expired = """
        log_id > @After AND logged_at < @Before
        AND NOT EXISTS (SELECT 1 FROM {workflows.runs} r WHERE r.run_id = {workflows.stage_logs}.run_id AND r.state IN ('requested', 'running'))
        """;

    private const string Last = $$"""
        SELECT MAX(x.log_id) FROM (SELECT log_id FROM {workflows.stage_logs} WHERE {{Expired}} ORDER BY log_id {limit:@Count}) x
        """;

    private const string Measure = $$"""
        SELECT COUNT(*) AS rows, SUM({bytes:message} + {bytes:level} + 40) AS bytes FROM {workflows.stage_logs} WHERE log_id <= @Last AND {{Expired}}
        """;

    private const string Delete = $$"""DELETE FROM {workflows.stage_logs} WHERE log_id <= @Last AND {{Expired}}""";

    public Task<Removed> RunAsync(Utc before, bool apply, CancellationToken ct) =>
        apply ? KeyWalk.DeleteAsync(database, before, Last, Measure, [Delete], ct) : KeyWalk.MeasureAsync(database, before, Measure, ct);
}
