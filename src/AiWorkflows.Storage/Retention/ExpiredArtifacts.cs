namespace AiWorkflows.Storage.Retention;

/// <summary>Saved models that no alias points at, and that none would point at after a rollback. The version's record stays: it can be trained again.</summary>
internal sealed class ExpiredArtifacts(StoreDatabase database)
{
    private const string Unused = """
        NOT EXISTS (SELECT 1 FROM {model_registry.versions} v WHERE v.artifact_sha256 = {model_registry.artifacts}.sha256 AND (v.created_at >= @Before
            OR EXISTS (SELECT 1 FROM {model_registry.aliases} a WHERE a.model = v.model AND a.version = v.version)
            OR EXISTS (SELECT 1 FROM {model_registry.alias_history} h WHERE h.model = v.model AND (h.version = v.version OR h.previous_version = v.version) AND h.changed_at >= @Before)
            OR EXISTS (SELECT 1 FROM {model_registry.alias_history} h WHERE h.model = v.model AND h.previous_version = v.version AND h.history_id = (SELECT MAX(m.history_id)
                FROM {model_registry.alias_history} m WHERE m.model = h.model AND m.alias = h.alias AND (m.previous_version IS NULL OR m.previous_version <> m.version)))
            OR EXISTS (SELECT 1 FROM {workflows.run_pins} p JOIN {workflows.runs} r ON r.run_id = p.run_id
                WHERE p.model = v.model AND p.version = v.version AND r.state NOT IN ('succeeded', 'expired'))))
        """;

    private const string Candidates = $$"""SELECT sha256, bytes FROM {model_registry.artifacts} WHERE created_at < @Before AND {{Unused}} ORDER BY created_at, sha256""";

    public async Task<Removed> RunAsync(Utc before, bool apply, CancellationToken ct)
    {
        var total = default(Removed);
        foreach (var artifact in await database.ReadAsync<Artifact>(Candidates, new { Before = before }, ct))
            if (!apply || await DeleteAsync(artifact.Sha256, before, ct))
                total += new Removed(1, artifact.Bytes);
        var all = await database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {model_registry.artifacts} WHERE created_at < @Before", new { Before = before }, ct);
        return total with { Held = apply ? all : all - total.Rows };
    }

    /// <summary>Publications and changes of aliases wait for the clock, so none can begin to use the artifact after it was found unused.</summary>
    private async Task<bool> DeleteAsync(string sha256, Utc before, CancellationToken ct)
    {
        var batch = new StatementBatch();
        PublicationClock.Lock(batch);
        batch.Must($$"""DELETE FROM {model_registry.artifacts} WHERE sha256 = @Sha256 AND created_at < @Before AND {{Unused}}""", new { Sha256 = sha256, Before = before }, "in use");
        return (await database.RunAsync(batch, ct, durable: false)).Stopped is null;
    }

    private sealed class Artifact
    {
        public string Sha256 { get; set; } = "";

        public long Bytes { get; set; }
    }
}
