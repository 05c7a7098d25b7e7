namespace AiWorkflows.Storage.Queries;

/// <summary>A run, as lists show it.</summary>
internal sealed record RunRow
{
    public long RunId { get; init; }
    public required string Workflow { get; init; }
    public required string State { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public required string Mode { get; init; }
    public bool Hindsight { get; init; }
    public required string RequestedBy { get; init; }
    public required string TriggeredBy { get; init; }
    public Utc RequestedAt { get; init; }
    public Utc? StartedAt { get; init; }
    public Utc? FinishedAt { get; init; }
    public string? CodeVersion { get; init; }
    public string? Error { get; init; }
    public string? Reason { get; init; }

    /// <summary>Seconds from start to end; null while it has not ended.</summary>
    public double? Seconds => FinishedAt is { } end && StartedAt is { } start ? (end.Value - start.Value).TotalSeconds : null;
}

/// <summary>A step of a run.</summary>
internal sealed record StepRow
{
    public long StageRunId { get; init; }
    public required string Step { get; init; }
    public required string Stage { get; init; }
    public required string Kind { get; init; }
    public int Ordinal { get; init; }
    public int Partition { get; init; }
    public int Partitions { get; init; }
    public Utc? WindowFrom { get; init; }
    public Utc? WindowTo { get; init; }
    public required string State { get; init; }
    public int Attempt { get; init; }
    public int Failures { get; init; }
    public int Lost { get; init; }
    public Utc? StartedAt { get; init; }
    public Utc? FinishedAt { get; init; }
    public long RowsRead { get; init; }
    public long RowsWritten { get; init; }
    public long ProgressDone { get; init; }
    public long? ProgressTotal { get; init; }
    public string? ProgressText { get; init; }
    public long? AsOfSeq { get; init; }
    public string? Host { get; init; }
    public string? JobId { get; init; }
    public string? Reason { get; init; }
    public string? Error { get; init; }

    public double? Seconds => FinishedAt is { } end && StartedAt is { } start ? (end.Value - start.Value).TotalSeconds : null;
}

/// <summary>A published commit.</summary>
internal sealed record CommitRow
{
    public long CommitId { get; init; }
    public required string FeatureGroup { get; init; }
    public int Version { get; init; }
    public required string Kind { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public long PublishedSeq { get; init; }
    public Utc PublishedAt { get; init; }
    public long Rows { get; init; }
    public long Tombstones { get; init; }
    public long NewRows { get; init; }
    public long RowsComputed { get; init; }
    public long RowsQuarantined { get; init; }
    public Utc? MinEventTime { get; init; }
    public Utc? MaxEventTime { get; init; }
    public long? RunId { get; init; }
    public string? Stage { get; init; }
    public string? CodeVersion { get; init; }
}

/// <summary>A published batch of predictions.</summary>
internal sealed record BatchRow
{
    public long BatchId { get; init; }
    public required string Pipeline { get; init; }
    public required string Role { get; init; }
    public required string Model { get; init; }
    public int Version { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public bool Hindsight { get; init; }
    public Utc PredictedAt { get; init; }
    public long Rows { get; init; }
    public double? PositiveShare { get; init; }
    public long? RunId { get; init; }
}

/// <summary>Rows that a rule kept out of a feature group.</summary>
internal sealed record QuarantineCount
{
    public required string FeatureGroup { get; init; }
    public required string Rule { get; init; }
    public long Rows { get; init; }
    public long Replayed { get; init; }
    public required string Example { get; init; }
}

/// <summary>A line of a run's log.</summary>
internal sealed record LogRow
{
    public long LogId { get; init; }
    public Utc LoggedAt { get; init; }
    public string? Step { get; init; }
    public int? Attempt { get; init; }
    public required string Level { get; init; }
    public required string Message { get; init; }
}

/// <summary>How far a pipeline has come.</summary>
internal sealed record WatermarkRow
{
    public required string Pipeline { get; init; }
    public required string Input { get; init; }
    public Utc EventTime { get; init; }
}
