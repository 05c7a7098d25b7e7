using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Jobs;

/// <summary>What the job page shows of a step's job: what the job itself keeps, and (where the store answers) what the ledger says.</summary>
/// <param name="HangfireState">Name of the job's current state in Hangfire.</param>
internal sealed record JobModel(string JobId, string? HangfireState, JobProgressState Progress, DashboardStep? Step, DashboardRun? Run)
{
    /// <summary>States from which a job goes on by itself.</summary>
    public bool IsOpen => HangfireState is "Processing" or "Enqueued" or "Scheduled" or "Awaiting";

    /// <summary>Whether the job is the step's current one; an old attempt's job must not show the progress of a newer one.</summary>
    public bool IsCurrent => Step is { } step && step.JobId == JobId;
}
