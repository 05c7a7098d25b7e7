using Hangfire.Common;
using Hangfire.States;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>Retries belong to the ledger: its wish to try again becomes Scheduled instead of Failed, a cancelled step becomes Deleted.</summary>
internal sealed class StepOutcomeFilter : IJobFilter, IElectStateFilter
{
    /// <summary>Begins the reason of a state that the ledger asked for, which is therefore nobody's order to cancel.</summary>
    public const string LedgerReason = "Ledger: ";

    public bool AllowMultiple => false;

    /// <summary>Before the continuations of Hangfire (1000), which must see the state that the job really gets.</summary>
    public int Order => 500;

    public void OnStateElection(ElectStateContext context)
    {
        if (context.CandidateState is not FailedState failed)
            return;
        if (failed.Exception is StepRetryException retry)
            context.CandidateState = new ScheduledState(retry.After) { Reason = LedgerReason + (retry.AttemptFailed ? $"the attempt failed: {retry.Message}" : "too early") };
        else if (failed.Exception is StepCancelledException cancelled)
            context.CandidateState = new DeletedState { Reason = LedgerReason + cancelled.Message };
    }
}
