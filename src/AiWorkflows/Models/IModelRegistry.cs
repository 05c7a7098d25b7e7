namespace AiWorkflows.Models;

/// <summary>A trained model as the registry keeps it; JSON members are described in the first migration.</summary>
internal sealed record ModelVersionRecord
{
    public required string Model { get; init; }

    /// <summary>0 until it is published: the version is max + 1 in the publishing transaction.</summary>
    public int Version { get; init; }

    public required string Pipeline { get; init; }

    public required string Task { get; init; }

    public string? Description { get; init; }

    public required string Trainer { get; init; }

    public required string ParametersJson { get; init; }

    public int? Seed { get; init; }

    /// <summary>0 until the dataset is published in the same transaction.</summary>
    public long DatasetId { get; init; }

    public required string View { get; init; }

    public required int ViewVersion { get; init; }

    public required string ViewFingerprint { get; init; }

    public required DateTime CutOff { get; init; }

    public required Window Training { get; init; }

    public required Window Holdout { get; init; }

    public required long TrainingRows { get; init; }

    public required long HoldoutRows { get; init; }

    public bool Refit { get; init; }

    public required string MetricsJson { get; init; }

    public required string BaselineMetricsJson { get; init; }

    public string? ChampionMetricsJson { get; init; }

    public required string PrimaryMetric { get; init; }

    public required double PrimaryValue { get; init; }

    public required double BaselineValue { get; init; }

    public required string SignatureJson { get; init; }

    public string? FeatureImportanceJson { get; init; }

    public required string ArtifactSha256 { get; init; }

    /// <summary>The saved model; set when the version is published, null when it is read (see <see cref="IModelRegistry.ReadArtifactAsync"/>).</summary>
    public byte[]? Artifact { get; init; }

    public required string ContentSha256 { get; init; }

    public bool Reproducible { get; init; } = true;

    public string? Reason { get; init; }

    /// <summary>What the promotion rule decided, and why, as a sentence.</summary>
    public required string Promotion { get; init; }

    public long? RunId { get; init; }

    public required string CodeVersion { get; init; }

    public DateTime CreatedAt { get; init; }
}

/// <summary>A training dataset as the store records it.</summary>
internal sealed record DatasetRecord
{
    public long DatasetId { get; init; }

    public required string View { get; init; }

    public required int ViewVersion { get; init; }

    public required string ViewFingerprint { get; init; }

    public required Window Window { get; init; }

    public required DateTime CutOff { get; init; }

    public required TimeSpan Within { get; init; }

    public required long AsOfSeq { get; init; }

    public required long Rows { get; init; }

    public required long UnlabelledRows { get; init; }

    public required string ContentHash { get; init; }

    public required string FileName { get; init; }

    public required long FileBytes { get; init; }

    public string? StatisticsJson { get; init; }

    public required string CodeVersion { get; init; }

    public required IReadOnlyList<Features.FeatureInput> Inputs { get; init; }

    /// <summary>The commits that were visible to the read and overlapped its windows.</summary>
    public required IReadOnlyList<long> Commits { get; init; }
}

/// <summary>An alias moves to a version.</summary>
internal sealed record AliasChange(string Model, string Alias, int Version, string By, string Reason);

internal sealed record AliasRecord(string Model, string Alias, int Version, DateTime ChangedAt, string ChangedBy, string Reason);

/// <summary>What points to a version.</summary>
/// <param name="Alias">Null for the newest version of the model.</param>
internal sealed record ModelPointer(string Model, string? Alias, int Version);

/// <summary>The model registry. Versions are published by the ledger's <c>win</c>; aliases also by people.</summary>
internal interface IModelRegistry
{
    Task<ModelVersionRecord?> FindVersionAsync(string model, int version, CancellationToken ct);

    Task<AliasRecord?> FindAliasAsync(string model, string alias, CancellationToken ct);

    /// <summary>All aliases of all models, and the newest version of each.</summary>
    Task<IReadOnlyList<ModelPointer>> PointersAsync(CancellationToken ct);

    Task<DatasetRecord?> FindDatasetAsync(long datasetId, CancellationToken ct);

    /// <summary>Moves an alias and writes its history, in one transaction. The caller has checked that the version exists.</summary>
    Task SetAliasAsync(AliasChange change, CancellationToken ct);

    /// <summary>The version that the alias pointed to before its current one, or null.</summary>
    Task<int?> PreviousVersionAsync(string model, string alias, CancellationToken ct);

    /// <summary>The saved model with this hash.</summary>
    Task<byte[]> ReadArtifactAsync(string sha256, CancellationToken ct);

    Task<bool> ModelExistsAsync(string model, CancellationToken ct);
}
