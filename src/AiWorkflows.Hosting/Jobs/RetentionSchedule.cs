using Hangfire;
using Hangfire.Common;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>The recurring job that applies the retention policies, where a schedule is set. It has a worker of its own, so that no step waits for it.</summary>
internal sealed class RetentionSchedule(HostSettings settings, IRecurringJobManagerV2 recurring)
{
    public const string Queue = "maintenance";

    /// <summary>No workflow can be called so.</summary>
    private const string Id = "retention:apply";

    public void Register()
    {
        if (settings.Options.Retention.Schedule is { } cron)
            recurring.AddOrUpdate(Id, Job.FromExpression<RetentionTick>(j => j.Run(CancellationToken.None), Queue), cron, new RecurringJobOptions { TimeZone = TimeZoneInfo.Utc });
        else
            recurring.RemoveIfExists(Id);
    }
}

/// <summary>What the schedule does. Cut short by the end of its host it has removed a part, and the next one goes on.</summary>
internal sealed class RetentionTick(RetentionWork work)
{
    [JobDisplayName("retention apply")]
    public Task Run(CancellationToken ct) => work.ApplyAsync("schedule", ct);
}
