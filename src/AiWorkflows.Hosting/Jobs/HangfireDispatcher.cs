using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>Creates the jobs of ready steps in Hangfire, chained to the job that made them ready so that the dashboard shows the real chain.</summary>
internal sealed class HangfireDispatcher(IBackgroundJobClientV2 client, HostSettings settings) : IJobDispatcher
{
    /// <summary>Several beats of a server.</summary>
    private static readonly TimeSpan Silent = TimeSpan.FromMinutes(1);

    public string EngineId => settings.EngineId;

    public string Enqueue(DispatchedStep step, string title, string? parentJobId)
    {
        var stageRunId = step.StageRunId;
        var job = Job.FromExpression<StageJob>(j => j.Run(stageRunId, title, null!, CancellationToken.None), step.Queue);
        IState enqueued = new EnqueuedState(step.Queue);
        return client.Create(job, parentJobId is null ? enqueued : new AwaitingState(parentJobId, enqueued, JobContinuationOptions.OnAnyFinishedState));
    }

    public bool IsAlive(string jobId)
    {
        using var connection = client.Storage.GetReadOnlyConnection();
        return IsAlive(connection, jobId);
    }

    private bool IsAlive(IStorageConnection connection, string jobId) => connection.GetStateData(jobId) switch
    {
        { Name: "Enqueued" or "Scheduled" } => true,
        { Name: "Processing" } processing => processing.Data.TryGetValue("ServerId", out var server) && Beats(server),
        // A child is started by its parent's success or deletion; a parent that failed starts it only if somebody requeues it.
        { Name: "Awaiting" } awaiting => awaiting.Data.TryGetValue("ParentId", out var parent) && (IsAlive(connection, parent) || IsFinal(connection, parent)),
        _ => false,
    };

    /// <summary>
    /// Whether the server still beats, by the beats of the others and nobody's clock. Hangfire takes its word for minutes: a job whose host died before it had claimed its step would wait for that.
    /// </summary>
    private bool Beats(string server)
    {
        var servers = client.Storage.GetMonitoringApi().Servers();
        return servers.FirstOrDefault(s => s.Name == server) is { } found && found.Heartbeat >= servers.Max(s => s.Heartbeat) - Silent;
    }

    /// <summary>For a moment the parent is final already while its continuations are still being started.</summary>
    private static bool IsFinal(IStorageConnection connection, string jobId) => connection.GetStateData(jobId) is { Name: "Succeeded" or "Deleted" };
}
