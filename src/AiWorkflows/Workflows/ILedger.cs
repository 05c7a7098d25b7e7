using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;

namespace AiWorkflows.Workflows;

/// <summary>States of runs and stage runs, as they are stored.</summary>
internal static class States
{
    public const string Requested = "requested";
    public const string Pending = "pending";
    public const string Running = "running";
    public const string Succeeded = "succeeded";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";
    public const string Skipped = "skipped";
}

/// <summary>How the stages of a run are executed, as it is stored.</summary>
internal static class RunModes
{
    public const string Stages = "stages";
    public const string MonolithTrain = "monolith_train";
    public const string MonolithInfer = "monolith_infer";
}

internal sealed record RunRequest(
    string Workflow, Window Window, string RequestedBy, string TriggeredBy, string Mode = RunModes.Stages, bool CatchUp = false, bool Hindsight = false, string? DedupKey = null);

/// <summary>A request that was written into the database, on SQL Server by <c>workflows.request_run</c>.</summary>
/// <param name="From">Null, as <paramref name="To"/>: whatever the workflow owes.</param>
internal sealed record WrittenRequest(long RequestId, string Workflow, DateTime? From, DateTime? To, string RequestedBy);

internal sealed record RunRecord(
    long RunId, string Workflow, Window Window, string State, string RequestedBy, string TriggeredBy, string Mode, bool CatchUp, bool Hindsight,
    DateTime RequestedAt, DateTime? StartedAt, DateTime? FinishedAt, string? CodeVersion, string? Error, string? Reason, long? BackfillId = null);

internal sealed record StageRunRecord(
    long StageRunId, long RunId, string Stage, string Step, string Kind, int Ordinal, int Partition, int Partitions, string Queue, string State,
    int Attempt, int Failures, int Lost, int MaxFailures, DateTime NotBefore, DateTime? DeadlineAt, string? Host, string? Engine, string? JobId,
    int DispatchNo, DateTime? DispatchedAt, long? AsOfSeq, DateTime? StartedAt, DateTime? FinishedAt, string? Reason, string? Error,
    long ProgressDone, long? ProgressTotal, string? ProgressText, long RowsRead, long RowsWritten, Window? Slice = null)
{
    /// <summary>Whether the row is a slice of a partitioned stage: it seals its result, and the stage's publish step makes it visible with those of its siblings.</summary>
    public bool IsSlice => Partitions > 1;
}

/// <summary>A step of a run as the planner decides it.</summary>
/// <param name="SkipReason">Not null: the step is written as skipped, with this reason.</param>
/// <param name="Slices">The windows of a partitioned step's partitions, or the one of a step that has not the run's; null for a step that is executed as a whole.</param>
internal sealed record PlannedStep(
    string Stage, string Step, string Kind, int Ordinal, string Queue, int MaxFailures, TimeSpan? TimeLimit, string? SkipReason, IReadOnlyList<Window>? Slices = null);

internal sealed record RunPlan(IReadOnlyList<PlannedStep> Steps, IReadOnlyList<(string Step, string After)> Edges);

internal enum AdmitResult { Planned, NotNow, Ended }

/// <summary>A step that has become ready and for which a job has to be created.</summary>
internal sealed record DispatchedStep(long StageRunId, int DispatchNo, string Queue, string Step, int Partition = 0, int Partitions = 1);

/// <param name="EndState">The state in which the run has ended by this call, or null.</param>
internal sealed record AdvanceResult(string? EndState, IReadOnlyList<DispatchedStep> Dispatched);

/// <summary>The outcome of a claim: a lease, a time after which to try again, or neither.</summary>
/// <param name="Opened">The commit that the claim was to open.</param>
internal sealed record ClaimResult(long RunId, StageRunRecord? Lease, TimeSpan? RetryIn, OpenedCommit? Opened = null);

/// <param name="MayExpire">Whether a lease on the step that has run out is taken away first.</param>
/// <param name="Opens">The commit that the attempt will write, opened with its claim in one transaction; null where it opens what it needs itself.</param>
internal sealed record ClaimRequest(Guid Claim, string Host, string? JobId, string CodeVersion, TimeSpan Ttl, bool MayExpire = true, CommitShape? Opens = null);

/// <summary>How the result of a step becomes visible.</summary>
internal enum PublicationKind
{
    /// <summary>With the step's own success.</summary>
    Whole,

    /// <summary>A slice's: it is sealed, and stays invisible until the publish step of its stage has succeeded.</summary>
    Slice,

    /// <summary>A publish step's: what all slices of its stage have sealed, under one sequence.</summary>
    AllSlices,
}

/// <summary>All that becomes visible when a step succeeds, in one transaction.</summary>
internal sealed record Publication(AttemptRef Attempt)
{
    public PublicationKind Kind { get; init; }

    public CommitSeal? Commit { get; init; }

    public DatasetRecord? Dataset { get; init; }

    public ModelVersionRecord? Model { get; init; }

    /// <summary>Version 0 stands for the version that <see cref="Model"/> gets.</summary>
    public AliasChange? Alias { get; init; }

    public BatchSeal? Batch { get; init; }

    /// <summary>The window that the pipeline has now covered, with the start from which contiguous coverage counts; null where the step adds none.</summary>
    public (Window Window, DateTime Origin)? Coverage { get; init; }

    /// <summary>Not null: the step ends as skipped, with this reason, and publishes nothing.</summary>
    public string? SkipReason { get; init; }

    public long RowsRead { get; init; }

    public long RowsWritten { get; init; }

    public string? ProgressText { get; init; }

    /// <summary>Log lines of the attempt that are not in the ledger yet; written only if it is published.</summary>
    public IReadOnlyList<StageLogLine> Log { get; init; } = [];
}

internal enum PublishOutcome
{
    Published,

    /// <summary>The attempt had lost its lease or its run had ended; nothing was written.</summary>
    Fenced,

    /// <summary>
    /// A commit later than the base sequence touched the window; the attempt's commit was discarded, the difference has to be taken again. Of a publish step: the
    /// slices concerned are pending again, and so is the step.
    /// </summary>
    Conflict,
}

internal sealed record PublishResult(PublishOutcome Outcome, long Seq = 0, int? ModelVersion = null, long? DatasetId = null, bool BatchUnchanged = false);

/// <param name="Reopened">It was covered, but has to be computed once more because its input has changed.</param>
internal sealed record CoverageInterval(string Pipeline, Window Window, bool Reopened = false);

internal sealed record WorkflowState(string Workflow, DateTime? LastTick, DateTime? PausedAt, string? PausedBy);

internal sealed record StageLogLine(long LogId, long RunId, long? StageRunId, int? Attempt, DateTime LoggedAt, string Level, string Message);

/// <param name="QueuesJson">Queue to number of workers.</param>
/// <param name="StagesJson">Names of the stages that its code defines, as <c>workflow/stage</c>; null where an older version has not said so.</param>
internal sealed record HostRecord(
    string Host, string Engine, int ProcessId, string Kind, string? Url, string QueuesJson, string CodeVersion, DateTime StartedAt, DateTime LastSeen, string? StagesJson = null);

/// <summary>What waits in a queue.</summary>
/// <param name="Waiting">Steps that could start.</param>
/// <param name="Oldest">For how long the first of them could have.</param>
internal sealed record QueueState(string Queue, long Waiting, TimeSpan Oldest);

/// <summary>The run ledger: the truth about what was requested, is running and has become visible. Each call is one transaction; time is the database's.</summary>
internal partial interface ILedger
{
    /// <summary>Makes sure that each workflow has its admission row with the declared limits.</summary>
    Task RegisterWorkflowsAsync(IReadOnlyList<(string Workflow, int MaxRunning, OverlapPolicy Overlap)> workflows, CancellationToken ct);

    Task<IReadOnlyList<WorkflowState>> WorkflowStatesAsync(CancellationToken ct);

    /// <summary>Pauses (by whom) or resumes (null) the schedule of a workflow.</summary>
    Task SetPausedAsync(string workflow, string? pausedBy, CancellationToken ct);

    /// <summary>Inserts a run, or finds the one with the same dedup key.</summary>
    Task<(long RunId, bool Created)> RequestAsync(RunRequest request, CancellationToken ct);

    /// <summary>A schedule's tick: moves <c>last_tick</c> and inserts the requests, in one transaction; nothing if the tick was already taken or the workflow is paused.</summary>
    Task<IReadOnlyList<long>> TickAsync(string workflow, DateTime tick, IReadOnlyList<RunRequest> requests, CancellationToken ct);

    /// <summary>Requests that somebody wrote into the database and no host has answered yet, oldest first.</summary>
    Task<IReadOnlyList<WrittenRequest>> WrittenRequestsAsync(CancellationToken ct);

    /// <summary>Writes down what became of such a request; the first answer stays.</summary>
    Task AnswerRequestAsync(long requestId, string outcome, long? runId, string message, CancellationToken ct);

    Task<RunRecord?> FindRunAsync(long runId, CancellationToken ct);

    /// <summary>Runs that are running, or requested and not behind another window of their backfill, oldest first.</summary>
    Task<IReadOnlyList<RunRecord>> OpenRunsAsync(CancellationToken ct);

    /// <summary>Runs of a workflow that are requested, running or failed, oldest first: their cells belong to them. Those of backfills are not among them.</summary>
    Task<IReadOnlyList<RunRecord>> UnfinishedRunsAsync(string workflow, CancellationToken ct);

    /// <summary>The highest run id of a workflow apart from backfills, 0 if it has none; part of a catch-up's dedup key.</summary>
    Task<long> LatestRunIdAsync(string workflow, CancellationToken ct);

    Task<IReadOnlyList<StageRunRecord>> StageRunsAsync(long runId, CancellationToken ct);

    Task<StageRunRecord?> FindStageRunAsync(long stageRunId, CancellationToken ct);

    /// <summary>Admit and plan, in one transaction; a resumed run keeps its steps and has the unsuccessful ones reset.</summary>
    Task<AdmitResult> AdmitAsync(long runId, RunPlan plan, string codeVersion, CancellationToken ct);

    /// <summary>Cancels dependants of what failed, ends the run where nothing is left, dispatches what is ready up to the cap; with the cap almost reached, nothing.</summary>
    Task<AdvanceResult> AdvanceAsync(long runId, string engine, int cap, CancellationToken ct) => AdvanceAsync(runId, engine, cap, look: true, ct);

    /// <inheritdoc cref="AdvanceAsync(long, string, int, CancellationToken)"/>
    /// <param name="look">Whether to look first, without a lock, if there is anything to do: mostly there is not after one of many partitions, and mostly there is after a step of one.</param>
    Task<AdvanceResult> AdvanceAsync(long runId, string engine, int cap, bool look, CancellationToken ct);

    Task SetJobsAsync(IReadOnlyList<(DispatchedStep Step, string JobId)> jobs, CancellationToken ct);

    /// <summary>Claims a dispatched step. An expired lease on it is expired first.</summary>
    Task<ClaimResult> ClaimAsync(long stageRunId, ClaimRequest request, CancellationToken ct);

    /// <summary>Prolongs the lease and stores progress; false when the attempt has lost it.</summary>
    Task<bool> BeatAsync(AttemptRef attempt, TimeSpan ttl, StageProgress progress, CancellationToken ct);

    Task<PublishResult> WinAsync(Publication publication, CancellationToken ct);

    /// <summary>Counts a failure; pending again after <paramref name="backoff"/>, or failed at the limit or when <paramref name="final"/>. Null when the attempt was fenced.</summary>
    Task<StageRunRecord?> FailAsync(AttemptRef attempt, string error, TimeSpan backoff, bool final, CancellationToken ct);

    /// <summary>Gives the step back (shutdown, conflict) without counting a failure; the job is kept.</summary>
    Task ReleaseAsync(AttemptRef attempt, string outcome, CancellationToken ct);

    /// <summary>
    /// Expires leases that have run out; all running ones when <paramref name="everything"/> (the embedded engine's only host, at its start). If the store let this call
    /// wait so long that the holders of leases may have waited too, it does nothing and says that the store was away.
    /// </summary>
    Task<int> ExpireAsync(bool everything, int maxLost, CancellationToken ct);

    /// <summary>Pending steps that were dispatched more than <paramref name="age"/> ago: their jobs may be gone.</summary>
    Task<IReadOnlyList<StageRunRecord>> StaleDispatchesAsync(TimeSpan age, CancellationToken ct);

    /// <summary>The queues in which steps wait that could start.</summary>
    Task<IReadOnlyList<QueueState>> QueuesAsync(CancellationToken ct);

    /// <summary>Fails a step that has not begun and that no host can execute; false if it has begun or ended.</summary>
    Task<bool> FailUnknownAsync(long stageRunId, string error, CancellationToken ct);

    Task UndispatchAsync(long stageRunId, int dispatchNo, CancellationToken ct);

    /// <summary>Cancels a requested or running run with all its open steps; false if it had ended.</summary>
    Task<bool> CancelAsync(long runId, string by, string reason, CancellationToken ct);

    /// <summary>Puts a failed or cancelled run back to requested; false if it is in another state.</summary>
    Task<bool> ResumeAsync(long runId, string by, CancellationToken ct);

    /// <summary>Discards commits and batches that can never be published and deletes their rows in small batches; returns how many rows.</summary>
    Task<long> CollectAsync(CancellationToken ct);

    Task<IReadOnlyList<CoverageInterval>> CoverageAsync(IReadOnlyList<string> pipelines, CancellationToken ct);

    Task LogAsync(IReadOnlyList<StageLogLine> lines, CancellationToken ct);

    /// <summary>Log lines of a run with an id above <paramref name="after"/>, oldest first, at most <paramref name="limit"/>.</summary>
    Task<IReadOnlyList<StageLogLine>> LogsAsync(long runId, long after, int limit, CancellationToken ct);

    Task HostSeenAsync(HostRecord host, CancellationToken ct);

    Task HostGoneAsync(string host, CancellationToken ct);

    Task<IReadOnlyList<HostRecord>> HostsAsync(CancellationToken ct);

    /// <summary>Lets what is held under the former name of a stage pass to its present one: steps of all runs, coverage, watermarks, predictions.</summary>
    Task RenameStagesAsync(IReadOnlyList<(string Former, string Present)> renames, CancellationToken ct);

    /// <summary>The database's clock, UTC: the only one that hosts compare anything with.</summary>
    Task<DateTime> NowAsync(CancellationToken ct);

    /// <summary>A number that changes whenever another connection or process has written to the ledger.</summary>
    Task<long> ChangeTokenAsync(CancellationToken ct);

    Task AuditAsync(string by, string action, string subject, string? details, CancellationToken ct);

    /// <summary>The model version that a run uses: pinned with its first use, so that all steps and attempts agree. Null when the alias is not set.</summary>
    Task<int?> PinModelAsync(long runId, string model, string alias, CancellationToken ct);
}
