using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Common;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>One recurring job per scheduled workflow, called by the workflow's name, in UTC.</summary>
internal sealed class WorkflowSchedules(Catalog catalog, IRecurringJobManagerV2 recurring)
{
    public const string Queue = "control";

    /// <summary>The workflows that have a schedule.</summary>
    public IReadOnlyList<WorkflowDefinition> Scheduled { get; } = [.. catalog.Workflows.Where(w => w.Cron is not null)];

    public void Register()
    {
        foreach (var workflow in Scheduled)
        {
            var name = workflow.Name;
            var job = Job.FromExpression<TickJob>(j => j.Run(name, null!, CancellationToken.None), Queue);
            recurring.AddOrUpdate(name, job, workflow.Cron, new RecurringJobOptions { TimeZone = TimeZoneInfo.Utc });
        }
    }
}
