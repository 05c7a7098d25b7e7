namespace AiWorkflows.Storage.Queries;

/// <summary>A run as the pages show it.</summary>
internal sealed record DashboardRun
{
    public long RunId { get; init; }
    public required string Workflow { get; init; }
    public required string State { get; init; }
    public Utc WindowFrom { get; init; }
    public Utc WindowTo { get; init; }
    public required string Mode { get; init; }
    public bool CatchUp { get; init; }
    public bool Hindsight { get; init; }
    public required string RequestedBy { get; init; }
    public required string TriggeredBy { get; init; }
    public Utc RequestedAt { get; init; }
    public Utc? StartedAt { get; init; }
    public Utc? FinishedAt { get; init; }
    public string? CodeVersion { get; init; }
    public string? Error { get; init; }
    public string? Reason { get; init; }
    public long? BackfillId { get; init; }

    public bool IsOpen => State is Workflows.States.Requested or Workflows.States.Running;
}

/// <summary>The steps of a run, added up.</summary>
internal sealed record DashboardRunSteps
{
    public long RunId { get; init; }
    public long Steps { get; init; }
    public long Done { get; init; }
    public long Running { get; init; }

    /// <summary>Failed attempts and lost leases.</summary>
    public long Setbacks { get; init; }
    public long RowsRead { get; init; }
    public long RowsWritten { get; init; }

    /// <summary>Thousandths of a step, over all steps.</summary>
    public long Progress { get; init; }

    /// <summary>A running step, in alphabetical order the first.</summary>
    public string? RunningStep { get; init; }

    public double Share => Steps == 0 ? 0 : Progress / 1000d / Steps;
}

/// <summary>A step, or a partition of it.</summary>
internal sealed record DashboardStep
{
    public long StageRunId { get; init; }
    public long RunId { get; init; }
    public required string Step { get; init; }
    public required string Stage { get; init; }
    public required string Kind { get; init; }
    public int Ordinal { get; init; }
    public int Partition { get; init; }
    public int Partitions { get; init; }
    public required string Queue { get; init; }
    public required string State { get; init; }
    public int Attempt { get; init; }
    public int Failures { get; init; }
    public int Lost { get; init; }
    public int MaxFailures { get; init; }
    public Utc NotBefore { get; init; }
    public Utc? LeaseUntil { get; init; }
    public Utc? StartedAt { get; init; }
    public Utc? FinishedAt { get; init; }
    public long RowsRead { get; init; }
    public long RowsWritten { get; init; }
    public long ProgressDone { get; init; }
    public long? ProgressTotal { get; init; }
    public string? ProgressText { get; init; }
    public long? AsOfSeq { get; init; }
    public string? Host { get; init; }
    public string? Engine { get; init; }
    public string? JobId { get; init; }
    public string? Reason { get; init; }
    public string? Error { get; init; }

    /// <summary>0 to 1 while it runs and its total is known.</summary>
    public double? Share => State == Workflows.States.Running && ProgressTotal is > 0 and { } total ? Math.Clamp(ProgressDone / (double)total, 0, 1) : null;
}

/// <summary>One try of a step.</summary>
internal sealed record DashboardAttempt
{
    public long StageRunId { get; init; }
    public int Attempt { get; init; }
    public required string Host { get; init; }
    public Utc StartedAt { get; init; }
    public Utc? EndedAt { get; init; }
    public string? Outcome { get; init; }
    public string? Error { get; init; }
}

/// <summary>An edge of a run's graph.</summary>
internal sealed record DashboardEdge
{
    public required string Step { get; init; }
    public required string AfterStep { get; init; }
}

/// <summary>What a run has made: a commit, a batch of predictions or a model version.</summary>
internal sealed record DashboardOutput
{
    /// <summary>commit | batch | version</summary>
    public required string Type { get; init; }
    public required string Name { get; init; }
    public long Id { get; init; }
    public required string Kind { get; init; }
    public required string State { get; init; }
    public long Rows { get; init; }
    public long Quarantined { get; init; }
    public long? PublishedSeq { get; init; }
}

/// <summary>A line of a run's log.</summary>
internal sealed record DashboardLogLine
{
    public long LogId { get; init; }
    public Utc LoggedAt { get; init; }
    public string? Step { get; init; }
    public int Partition { get; init; }
    public int Partitions { get; init; }
    public int? Attempt { get; init; }
    public required string Level { get; init; }
    public required string Message { get; init; }
}

/// <summary>Admission and schedule of a workflow, as the ledger knows them.</summary>
internal sealed record DashboardWorkflow
{
    public required string Workflow { get; init; }
    public Utc? LastTick { get; init; }
    public Utc? PausedAt { get; init; }
    public string? PausedBy { get; init; }
}

/// <summary>How far a pipeline's own output reaches without a gap.</summary>
internal sealed record DashboardWatermark
{
    public required string Pipeline { get; init; }
    public Utc EventTime { get; init; }
}

/// <summary>A model version over its baseline.</summary>
internal sealed record DashboardVersion
{
    public required string Model { get; init; }
    public int Version { get; init; }
    public required string PrimaryMetric { get; init; }
    public double PrimaryValue { get; init; }
    public double BaselineValue { get; init; }
    public Utc CutOff { get; init; }
    public Utc CreatedAt { get; init; }
    public required string Promotion { get; init; }
    public bool IsChampion { get; init; }
}

/// <summary>Sums over the last day, and the store's clock.</summary>
internal sealed record DashboardTotals
{
    public Utc Now { get; init; }
    public long Commits { get; init; }
    public long RowsPublished { get; init; }
    public long RowsComputed { get; init; }
    public long RowsQuarantined { get; init; }
    public long Predictions { get; init; }
    public long Runs { get; init; }
    public long RunsFailed { get; init; }
    public long Hosts { get; init; }
}

/// <summary>A live metric of one day.</summary>
internal sealed record DashboardDailyMetric
{
    public required string Pipeline { get; init; }
    public required string Model { get; init; }
    public int Version { get; init; }
    public Utc Day { get; init; }
    public required string Metric { get; init; }
    public double? MetricValue { get; init; }
    public long Predictions { get; init; }
    public long Outcomes { get; init; }
}
