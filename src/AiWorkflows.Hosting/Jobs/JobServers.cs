using Hangfire;
using Hangfire.Common;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>The workers of this host: a Hangfire server per queue, so that a long training never keeps short steps waiting.</summary>
internal sealed class JobServers(HostSettings settings, JobStorage storage, IJobFilterProvider filters, JobActivator activator, IGlobalConfiguration configured)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);
    private readonly List<BackgroundJobServer> _servers = [];

    /// <summary>Queues with the number of their workers; 0 for those that are left to other hosts.</summary>
    public IReadOnlyDictionary<string, int> Queues { get; } = QueuesOf(settings.Options);

    private static Dictionary<string, int> QueuesOf(AiWorkflowsOptions options)
    {
        var queues = new Dictionary<string, int>
        {
            ["control"] = options.Workers.Control,
            ["features"] = options.Workers.Features,
            ["training"] = options.Workers.Training,
            ["inference"] = options.Workers.Inference,
        };
        if (options.Retention.Schedule is not null)
            queues.Add(RetentionSchedule.Queue, 1);
        return queues;
    }

    public void Start()
    {
        // Asking for it has set what is static in Hangfire.
        _ = configured;
        // One server looks for schedules and retries that are due; the others only work.
        var served = Queues.Where(q => q.Value > 0).ToArray();
        foreach (var (queue, workers) in served)
            _servers.Add(new(new BackgroundJobServerOptions
            {
                ServerName = $"{settings.HostName}:{queue}",
                Queues = [queue],
                WorkerCount = workers,
                FilterProvider = filters,
                Activator = activator,
                IsLightweightServer = queue != served[0].Key,
                SchedulePollingInterval = Poll,
                CancellationCheckInterval = Poll,
                HeartbeatInterval = Beat,
                StopTimeout = TimeSpan.Zero,
                ShutdownTimeout = Grace,
            }, storage));
    }

    /// <summary>Tells running code to stop, and waits until it has given its steps back.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        foreach (var server in _servers)
            server.SendStop();
        await Task.WhenAll(_servers.Select(server => server.WaitForShutdownAsync(ct)));
        foreach (var server in _servers)
            server.Dispose();
        _servers.Clear();
    }
}
