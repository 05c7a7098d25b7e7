using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Storage;

/// <summary>The model registry over a store database.</summary>
internal sealed class ModelRegistry(StoreDatabase database) : IModelRegistry
{
    public async Task<ModelVersionRecord?> FindVersionAsync(string model, int version, CancellationToken ct) => (await database.ReadFirstAsync<ModelVersionRow>("""
        SELECT v.*, m.description FROM {model_registry.versions} v JOIN {model_registry.models} m ON m.model = v.model WHERE v.model = @Model AND v.version = @Version
        """, new { Model = model, Version = version }, ct))?.ToRecord();

    public async Task<AliasRecord?> FindAliasAsync(string model, string alias, CancellationToken ct) => await database.ReadFirstAsync<AliasRow>(
        "SELECT model, alias, version, changed_at, changed_by, reason FROM {model_registry.aliases} WHERE model = @Model AND alias = @Alias", new { Model = model, Alias = alias }, ct) is { } row
        ? new(row.Model, row.Alias, row.Version, row.ChangedAt, row.ChangedBy, row.Reason) : null;

    public async Task<IReadOnlyList<ModelPointer>> PointersAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<PointerRow>("""
            SELECT model, alias, version FROM {model_registry.aliases}
            UNION ALL SELECT model, NULL, MAX(version) FROM {model_registry.versions} GROUP BY model
            """, null, ct)).Select(row => new ModelPointer(row.Model, row.Alias, (int)row.Version))];

    public async Task<DatasetRecord?> FindDatasetAsync(long datasetId, CancellationToken ct)
    {
        var id = new { DatasetId = datasetId };
        if (await database.ReadFirstAsync<DatasetRow>("SELECT * FROM {feature_store.training_datasets} WHERE dataset_id = @DatasetId", id, ct) is not { } row)
            return null;
        var inputs = await database.ReadAsync<InputRow>("""
            SELECT feature_group, version, as_of_seq, window_from, window_to FROM {feature_store.dataset_inputs} WHERE dataset_id = @DatasetId ORDER BY feature_group, version, window_from, window_to
            """, id, ct);
        var commits = await database.ReadAsync<long>("SELECT commit_id FROM {feature_store.dataset_commits} WHERE dataset_id = @DatasetId ORDER BY commit_id", id, ct);
        return row.ToRecord([.. inputs.Select(i => new FeatureInput(i.FeatureGroup, i.Version, i.AsOfSeq, StoredWindow.Of(i.WindowFrom, i.WindowTo)))], commits);
    }

    /// <exception cref="InvalidRequestException">Retention has removed the saved model.</exception>
    public async Task SetAliasAsync(AliasChange change, CancellationToken ct)
    {
        var batch = new StatementBatch();
        // Retention waits for the clock too: what is found here is still there when the alias points at it.
        PublicationClock.Lock(batch);
        batch.Never("""
            SELECT COUNT(*) FROM {model_registry.versions} v WHERE v.model = @Model AND v.version = @Version
              AND NOT EXISTS (SELECT 1 FROM {model_registry.artifacts} a WHERE a.sha256 = v.artifact_sha256)
            """, new { change.Model, change.Version }, "removed");
        ModelPublishing.SetAlias(batch, change);
        if ((await database.RunAsync(batch, ct)).Stopped is not null)
            throw new InvalidRequestException($"The saved model of {change.Model} v{change.Version} has been removed by retention, so nothing can be predicted with it. Train again, or choose another version.");
    }

    public Task<int?> PreviousVersionAsync(string model, string alias, CancellationToken ct) => database.ReadFirstAsync<int?>("""
        SELECT previous_version FROM {model_registry.alias_history} WHERE history_id =
            (SELECT MAX(history_id) FROM {model_registry.alias_history} WHERE model = @Model AND alias = @Alias AND (previous_version IS NULL OR previous_version <> version))
        """, new { Model = model, Alias = alias }, ct);

    public async Task<byte[]> ReadArtifactAsync(string sha256, CancellationToken ct) =>
        await database.ReadFirstAsync<byte[]>("SELECT content FROM {model_registry.artifacts} WHERE sha256 = @Sha256", new { Sha256 = sha256 }, ct)
        ?? throw new InvalidRequestException($"The saved model {sha256} is not in {database.Location}. Retention removes those that no alias points at; restore a backup that has it, or train again.");

    public async Task<bool> ModelExistsAsync(string model, CancellationToken ct) =>
        await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {model_registry.models} WHERE model = @Model", new { Model = model }, ct) > 0;

    private sealed class PointerRow
    {
        public string Model { get; set; } = "";

        public string? Alias { get; set; }

        public long Version { get; set; }
    }

    private sealed class AliasRow
    {
        public string Model { get; set; } = "";

        public string Alias { get; set; } = "";

        public int Version { get; set; }

        public Utc ChangedAt { get; set; }

        public string ChangedBy { get; set; } = "";

        public string Reason { get; set; } = "";
    }

    private sealed class InputRow
    {
        public string FeatureGroup { get; set; } = "";

        public int Version { get; set; }

        public long AsOfSeq { get; set; }

        public Utc WindowFrom { get; set; }

        public Utc WindowTo { get; set; }
    }
}
