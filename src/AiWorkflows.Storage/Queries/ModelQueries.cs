namespace AiWorkflows.Storage.Queries;

/// <summary>What people ask about models.</summary>
internal sealed class ModelQueries
{
    private const string Aliases =
        "(SELECT STRING_AGG(a.alias, ', ') FROM {model_registry.aliases} a WHERE a.model = v.model AND a.version = v.version) AS aliases";

    private readonly StoreDatabase _database;

    public ModelQueries(StoreDatabase database)
    {
        QueryMapping.Ensure();
        _database = database;
    }

    public Task<IReadOnlyList<ModelRow>> ListAsync(CancellationToken ct) => _database.ReadAsync<ModelRow>(
        """
        SELECT m.model, m.task, m.description,
               (SELECT COUNT(*) FROM {model_registry.versions} n WHERE n.model = m.model) AS versions,
               a.version AS champion, v.primary_metric AS metric, v.primary_value AS metric_value, v.baseline_value, a.changed_at AS champion_since
        FROM {model_registry.models} m
        LEFT JOIN {model_registry.aliases} a ON a.model = m.model AND a.alias = 'champion'
        LEFT JOIN {model_registry.versions} v ON v.model = a.model AND v.version = a.version
        ORDER BY m.model
        """, null, ct);

    /// <summary>Versions of a model, newest first.</summary>
    public Task<IReadOnlyList<VersionRow>> VersionsAsync(string model, int? before, int limit, CancellationToken ct) => _database.ReadAsync<VersionRow>(
        $$"""
        SELECT v.model, v.version, {{Aliases}}, v.primary_metric, v.primary_value, v.baseline_value, v.cut_off, v.training_rows, v.holdout_rows, v.created_at, v.promotion, v.run_id
        FROM {model_registry.versions} v WHERE v.model = @model AND v.version < @before ORDER BY v.version DESC {limit:@limit}
        """, new { model, before = before ?? int.MaxValue, limit }, ct);

    public async Task<VersionDetail?> FindAsync(string model, int version, CancellationToken ct) => (await DetailsAsync(
        "v.model = @model AND v.version = @version", new { model, version }, ct)).SingleOrDefault();

    /// <summary>The versions that a run has registered.</summary>
    public Task<IReadOnlyList<VersionDetail>> OfRunAsync(long runId, CancellationToken ct) => DetailsAsync("v.run_id = @runId", new { runId }, ct);

    private Task<IReadOnlyList<VersionDetail>> DetailsAsync(string where, object parameters, CancellationToken ct) => _database.ReadAsync<VersionDetail>(
        $$"""
        SELECT v.model, v.version, {{Aliases}}, v.pipeline, v.task, v.trainer, v.parameters, v.seed, v.feature_view AS "view", v.view_version, v.view_fingerprint,
               v.cut_off, v.training_from, v.training_to, v.holdout_from, v.holdout_to, v.training_rows, v.holdout_rows, v.refit,
               v.primary_metric, v.primary_value, v.baseline_value, v.metrics, v.baseline_metrics, v.champion_metrics, v.feature_importance, v.signature,
               v.promotion, v.reproducible, v.reason, v.content_sha256, v.artifact_sha256, v.run_id, v.code_version, v.created_at,
               v.dataset_id, d.rows AS dataset_rows, d.unlabelled_rows AS dataset_unlabelled_rows, d.as_of_seq AS dataset_as_of_seq,
               d.content_hash AS dataset_content_hash, d.file_name AS dataset_file
        FROM {model_registry.versions} v LEFT JOIN {feature_store.training_datasets} d ON d.dataset_id = v.dataset_id
        WHERE {{where}} ORDER BY v.model, v.version
        """, parameters, ct);

    /// <summary>How the aliases of a model moved, newest first.</summary>
    public Task<IReadOnlyList<AliasHistoryRow>> HistoryAsync(string model, int limit, CancellationToken ct) => _database.ReadAsync<AliasHistoryRow>(
        """
        SELECT model, alias, version, previous_version, changed_at, changed_by, reason
        FROM {model_registry.alias_history} WHERE model = @model ORDER BY history_id DESC {limit:@limit}
        """, new { model, limit }, ct);
}
