using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>Carries what people do to jobs in Hangfire's own pages over to the ledger: requeue means resume, delete means cancel.</summary>
internal sealed class PeoplesActionsFilter(LedgerActions ledger) : IJobFilter, IApplyStateFilter
{
    public bool AllowMultiple => false;

    public int Order => 0;

    public void OnStateApplied(ApplyStateContext context, IWriteOnlyTransaction transaction)
    {
        if (context.BackgroundJob.Job?.Type != typeof(StageJob) || context.BackgroundJob.Job.Args[0] is not long stageRunId)
            return;
        if (context.NewState is EnqueuedState && (context.OldStateName == FailedState.StateName || context.OldStateName == DeletedState.StateName))
            ledger.Resume(stageRunId, context.BackgroundJob.Id);
        else if (context.NewState is DeletedState deleted && deleted.Reason?.StartsWith(StepOutcomeFilter.LedgerReason, StringComparison.Ordinal) != true)
            ledger.Cancel(stageRunId, context.BackgroundJob.Id);
    }

    public void OnStateUnapplied(ApplyStateContext context, IWriteOnlyTransaction transaction) { }
}
