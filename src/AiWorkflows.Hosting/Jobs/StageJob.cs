using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Server;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>The one entry point of Hangfire into runs. A job carries the id of a step and nothing else; delivered twice it finds nothing to claim.</summary>
internal sealed class StageJob(RunEngine engine)
{
    /// <param name="title">What every list of the dashboard calls the job.</param>
    [JobDisplayName("{1}")]
    public async Task Run(long stageRunId, string title, PerformContext context, CancellationToken ct)
    {
        var outcome = await engine.ExecuteStepAsync(stageRunId, context.BackgroundJob.Id, ct);
        switch (outcome.Kind)
        {
            case StepOutcomeKind.Retry:
                throw new StepRetryException(outcome.RetryIn ?? throw new InvalidOperationException("A retry names its time."), outcome.Message);
            case StepOutcomeKind.Failed:
                throw new StageFailedException(outcome.Message ?? "The step failed.");
            case StepOutcomeKind.Cancelled:
                throw new StepCancelledException(outcome.Message ?? "The step was cancelled.");
            case StepOutcomeKind.Released:
                // Hangfire puts a job back into its queue only when it ends with the cancellation of its own token.
                throw new OperationCanceledException("The host is stopping; the step was given back.", ct);
        }
    }
}

/// <summary>The ledger wants the step to be tried again after a while.</summary>
internal sealed class StepRetryException(TimeSpan after, string? message) : Exception(message ?? "The job came too early.")
{
    public TimeSpan After => after;

    /// <summary>False where the job only came too early.</summary>
    public bool AttemptFailed { get; } = message is not null;
}

/// <summary>The step was cancelled, or belongs to another attempt by now.</summary>
internal sealed class StepCancelledException(string message) : Exception(message);
