namespace AiWorkflows.Storage.Queries;

/// <summary>A feature group, as lists show it.</summary>
internal sealed record GroupRow
{
    public required string FeatureGroup { get; init; }
    public int Version { get; init; }
    public string? Description { get; init; }
    public string? WrittenBy { get; init; }
    public bool Online { get; init; }
    public bool Deprecated { get; init; }

    /// <summary>Rows that are current now.</summary>
    public long Rows { get; init; }
    public long Commits { get; init; }
    public long RowsQuarantined { get; init; }
    public Utc? LastEventTime { get; init; }
    public Utc? LastPublishedAt { get; init; }
    public Utc? Watermark { get; init; }
    public JsonText Columns { get; init; }
}

/// <summary>A group that a commit, dataset or batch has read.</summary>
internal sealed record InputRow
{
    public required string FeatureGroup { get; init; }
    public int Version { get; init; }
    public long AsOfSeq { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
}

/// <summary>A feature that a view makes from a column of a group.</summary>
internal sealed record LineageRow
{
    public required string View { get; init; }
    public int ViewVersion { get; init; }
    public required string Feature { get; init; }
    public required string JoinAlias { get; init; }
    public required string FeatureGroup { get; init; }
    public int GroupVersion { get; init; }
    public required string GroupColumn { get; init; }
}

/// <summary>The statistics that a commit recorded when it was written.</summary>
internal sealed record CommitStatistics
{
    public long CommitId { get; init; }
    public Utc PublishedAt { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public long Rows { get; init; }
    public JsonText? Statistics { get; init; }
    public JsonText? Expectations { get; init; }
}

/// <summary>A row in quarantine.</summary>
internal sealed record QuarantineRow
{
    public long QuarantineId { get; init; }
    public required string FeatureGroup { get; init; }
    public int Version { get; init; }
    public long CommitId { get; init; }
    public long? RunId { get; init; }
    public required string Rule { get; init; }
    public required string Reason { get; init; }
    public Utc QuarantinedAt { get; init; }
    public long? ReplayedBy { get; init; }
    public JsonText Row { get; init; }
}
