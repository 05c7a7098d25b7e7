using AiWorkflows.Hosting;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Common;
using Hangfire.States;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting;

/// <summary>The job engine of a host without its workflows: Hangfire in memory, our filters, jobs that do what a test says.</summary>
internal sealed class JobHarness : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public JobHarness(Action<IServiceCollection>? more = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(HostSettings.Resolve(new(), [], Path.GetTempPath(), "1"));
        services.AddJobEngine();
        services.AddSingleton(new ScriptedJob.Script());
        services.AddTransient<ScriptedJob>();
        more?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    public JobStorage Storage => _services.GetRequiredService<JobStorage>();

    public IBackgroundJobClientV2 Client => _services.GetRequiredService<IBackgroundJobClientV2>();

    public IJobDispatcher Dispatcher => _services.GetRequiredService<IJobDispatcher>();

    public ScriptedJob.Script Script => _services.GetRequiredService<ScriptedJob.Script>();

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public void Start() => _services.GetRequiredService<JobServers>().Start();

    public Task StopAsync() => _services.GetRequiredService<JobServers>().StopAsync(CancellationToken.None);

    /// <summary>Enqueues a job that executes the script's next part.</summary>
    public string Enqueue(string queue = "features") =>
        Client.Create(Job.FromExpression<ScriptedJob>(j => j.Run(null!, CancellationToken.None), queue), new EnqueuedState(queue));

    public string? StateOf(string job)
    {
        using var connection = Storage.GetConnection();
        return connection.GetStateData(job)?.Name;
    }

    public string? ParameterOf(string job, string name)
    {
        using var connection = Storage.GetConnection();
        return connection.GetJobParameter(job, name);
    }

    /// <summary>The states of a job, oldest first, each with its reason.</summary>
    public IReadOnlyList<(string State, string? Reason)> HistoryOf(string job) =>
        [.. Storage.GetMonitoringApi().JobDetails(job).History.Reverse().Select(h => (h.StateName, h.Reason))];

    /// <summary>Waits until the job has the state; Hangfire has no event for it.</summary>
    public async Task<string> ReachesAsync(string job, string state)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (StateOf(job) != state)
        {
            if (patience.IsCancellationRequested)
                throw new TimeoutException($"Job {job} is {StateOf(job)}, not {state}.");
            await Task.Delay(10);
        }
        return job;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _services.DisposeAsync();
    }
}
