namespace AiWorkflows.Storage.Queries;

/// <summary>A model, as lists show it.</summary>
internal sealed record ModelRow
{
    public required string Model { get; init; }
    public required string Task { get; init; }
    public string? Description { get; init; }
    public int Versions { get; init; }
    public int? Champion { get; init; }
    public string? Metric { get; init; }
    public double? MetricValue { get; init; }
    public double? BaselineValue { get; init; }
    public Utc? ChampionSince { get; init; }
}

/// <summary>A model version, as lists show it.</summary>
internal sealed record VersionRow
{
    public required string Model { get; init; }
    public int Version { get; init; }
    public string? Aliases { get; init; }
    public required string PrimaryMetric { get; init; }
    public double PrimaryValue { get; init; }
    public double BaselineValue { get; init; }
    public Utc CutOff { get; init; }
    public long TrainingRows { get; init; }
    public long HoldoutRows { get; init; }
    public Utc CreatedAt { get; init; }
    public required string Promotion { get; init; }
    public long? RunId { get; init; }
}

/// <summary>All that the registry knows about a version, with its dataset.</summary>
internal sealed record VersionDetail
{
    public required string Model { get; init; }
    public int Version { get; init; }
    public string? Aliases { get; init; }
    public required string Pipeline { get; init; }
    public required string Task { get; init; }
    public required string Trainer { get; init; }
    public JsonText Parameters { get; init; }
    public int? Seed { get; init; }
    public required string View { get; init; }
    public int ViewVersion { get; init; }
    public required string ViewFingerprint { get; init; }
    public Utc CutOff { get; init; }
    public Utc TrainingFrom { get; init; }
    public Utc TrainingTo { get; init; }
    public Utc HoldoutFrom { get; init; }
    public Utc HoldoutTo { get; init; }
    public long TrainingRows { get; init; }
    public long HoldoutRows { get; init; }
    public bool Refit { get; init; }
    public required string PrimaryMetric { get; init; }
    public double PrimaryValue { get; init; }
    public double BaselineValue { get; init; }
    public JsonText Metrics { get; init; }
    public JsonText BaselineMetrics { get; init; }
    public JsonText? ChampionMetrics { get; init; }
    public JsonText? FeatureImportance { get; init; }
    public JsonText Signature { get; init; }
    public required string Promotion { get; init; }
    public bool Reproducible { get; init; }
    public string? Reason { get; init; }
    public required string ContentSha256 { get; init; }
    public required string ArtifactSha256 { get; init; }
    public long? RunId { get; init; }
    public required string CodeVersion { get; init; }
    public Utc CreatedAt { get; init; }
    public long DatasetId { get; init; }
    public long? DatasetRows { get; init; }
    public long? DatasetUnlabelledRows { get; init; }
    public long? DatasetAsOfSeq { get; init; }
    public string? DatasetContentHash { get; init; }
    public string? DatasetFile { get; init; }
}

/// <summary>An alias moved.</summary>
internal sealed record AliasHistoryRow
{
    public required string Model { get; init; }
    public required string Alias { get; init; }
    public int Version { get; init; }
    public int? PreviousVersion { get; init; }
    public Utc ChangedAt { get; init; }
    public required string ChangedBy { get; init; }
    public required string Reason { get; init; }
}
