using AiWorkflows.Features;

namespace AiWorkflows.Workflows;

/// <summary>What somebody asks a workflow to do.</summary>
/// <param name="Window">Null: whatever is owed, as the catch-up policy says.</param>
/// <param name="By">Who asks.</param>
/// <param name="Trigger">schedule, manual, api, sql, backfill or data.</param>
/// <param name="Mode">One of <see cref="RunModes"/>.</param>
/// <param name="DedupKey">A second request of the workflow with the same key finds the first; only with a window.</param>
internal sealed record WorkflowRequest(
    string Workflow, Window? Window, string By, string Trigger, string Mode = RunModes.Stages, bool Hindsight = false, string? DedupKey = null);

internal enum RequestOutcome
{
    /// <summary>A new run was inserted.</summary>
    Requested,

    /// <summary>A run of the workflow is requested or running already; it comes first.</summary>
    AlreadyOpen,

    /// <summary>A failed run holds owed cells; it was resumed.</summary>
    Resumed,

    /// <summary>Nothing is owed; nothing was inserted.</summary>
    NothingOwed,
}

/// <summary>What a request came to.</summary>
/// <param name="RunId">The run to follow; null where nothing is owed.</param>
/// <param name="Message">The same as a sentence for people.</param>
internal sealed record RequestResult(RequestOutcome Outcome, long? RunId, Window? Window, string Message);

/// <summary>A run has ended in this host.</summary>
/// <param name="FailedStages">The steps that failed, with their errors.</param>
internal sealed record RunEndedEvent(RunRecord Run, IReadOnlyList<StageRunRecord> FailedStages);

/// <summary>This host has begun an attempt at a step.</summary>
/// <param name="JobId">The job that executes it.</param>
/// <param name="Progress">Changes while the attempt runs.</param>
internal sealed record AttemptStartedEvent(string? JobId, AttemptRef Attempt, StageProgress Progress);
