namespace AiWorkflows.Storage.Queries;

internal sealed partial class DashboardQueries
{
    /// <summary>Steps that hold a lease, the oldest first.</summary>
    public Task<IReadOnlyList<DashboardStep>> RunningStepsAsync(int limit, CancellationToken ct) =>
        QueryAsync<DashboardStep>($$"""SELECT {{StepColumns}} FROM {workflows.stage_runs} WHERE state = 'running' ORDER BY lease_until {limit:@limit}""", new { limit }, ct);

    /// <summary>The group and sequence of a published commit.</summary>
    public Task<DashboardHit?> FindCommitAsync(long commitId, CancellationToken ct) => _database.ReadFirstAsync<DashboardHit>(
        "SELECT 'commit' AS kind, feature_group AS name, published_seq AS id FROM {feature_store.commits} WHERE commit_id = @commitId AND published_seq IS NOT NULL", new { commitId }, ct);

    /// <summary>Models and feature groups whose name contains the text.</summary>
    public Task<IReadOnlyList<DashboardHit>> NamesLikeAsync(string text, int limit, CancellationToken ct) => QueryAsync<DashboardHit>(
        """
        SELECT 'model' AS kind, m.model AS name, 0 AS id, m.task AS what FROM {model_registry.models} m WHERE LOWER(m.model) LIKE @pattern ESCAPE '!'
        UNION ALL
        SELECT DISTINCT 'group', g.feature_group, 0, g.description FROM {feature_store.feature_groups} g WHERE g.feature_group LIKE @pattern ESCAPE '!'
        ORDER BY 1 DESC, 2 {limit:@limit}
        """, new { pattern = $"%{text.ToLowerInvariant().Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal).Replace("[", "![", StringComparison.Ordinal)}%", limit }, ct);

    /// <summary>The models that some predictions about an entity are by.</summary>
    public Task<IReadOnlyList<DashboardHit>> ModelsAboutAsync(string entityKey, CancellationToken ct) => QueryAsync<DashboardHit>(
        """
        SELECT DISTINCT 'in batches' AS kind, b.model AS name, 0 AS id
        FROM (SELECT {top:10}r.batch_id FROM {prediction_log.prediction_rows} r WHERE r.entity_key = @entityKey{top_end:10}) f
        JOIN {prediction_log.batches} b ON b.batch_id = f.batch_id WHERE b.state = 'published' AND b.role = 'champion'
        UNION ALL
        SELECT DISTINCT 'online', b.model, 0
        FROM (SELECT {top:10}r.batch_id FROM {prediction_log.online_rows} r WHERE {entity:r.entity_key, @entityKey}{top_end:10}) f
        JOIN {prediction_log.batches} b ON b.batch_id = f.batch_id WHERE b.state = 'online' AND b.role <> 'shadow'
        """, new { entityKey }, ct);
}

/// <summary>Something that a search has found.</summary>
internal sealed record DashboardHit
{
    public required string Kind { get; init; }
    public required string Name { get; init; }
    public long Id { get; init; }
    public string? What { get; init; }
}
