using AiWorkflows.Hosting.Cli;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Inference;
using AiWorkflows.Storage;
using AiWorkflows.Streaming;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.Hosting;

/// <summary>Serves dashboard and API, and runs what is scheduled or requested, until it is stopped.</summary>
internal static class ServeCommand
{
    /// <param name="replay">Not null: history instead of the present.</param>
    public static async Task<int> RunAsync(WebApplication app, Replay? replay, CancellationToken ct)
    {
        var services = app.Services;
        var settings = services.GetRequiredService<HostSettings>();
        settings.ThrowIfWrong();
        ListenAddresses.Apply(app, settings.Options);
        var access = services.GetRequiredService<AccessState>();
        var exposed = ListenAddresses.Exposed(app);
        // Asked before the store is made, so that a host that may not start leaves nothing behind.
        if (exposed is not null && !StoreExists(settings))
            await access.RequireForAsync(exposed, storeExists: false, ct);
        services.GetRequiredService<OnlineModels>().CheckSettings();

        await using var host = services.GetRequiredService<EmbeddedHost>();
        if (!host.TryAcquire(EmbeddedHost.Serve))
            throw new InvalidRequestException(
                $"Another host works on {settings.DatabasePath}: {host.Holder()?.ToString() ?? "an unknown process"}. Use that one, or stop it first; an embedded database has one host.");
        if (replay is not null)
            Replay.ForgetTheLast(settings);
        await services.GetRequiredService<Migrator>().MigrateAsync(ct);
        await services.GetRequiredService<StreamWorkers>().RegisterAsync(ct);
        if (exposed is not null)
            await access.RequireForAsync(exposed, storeExists: true, ct);
        await access.RefreshAsync(ct);

        // Pages are there before the engine has taken over what an earlier host left, which may take a while.
        var url = await ListenAsync(app, ct);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var (answering, streaming) = (Task.CompletedTask, Task.CompletedTask);
        try
        {
            await host.StartAsync(url, ct);
            answering = services.GetRequiredService<OnlineModels>().WatchAsync(stopping.Token);
            streaming = services.GetRequiredService<StreamWorkers>().RunAsync(stopping.Token);
            services.GetRequiredService<Readiness>().Started();
            if (replay is not null)
                await replay.StartAsync(url);
            else
                await TickAsync(services, url, ct);
            await StoppingAsync(app, ct);
        }
        finally
        {
            services.GetRequiredService<Readiness>().Stopping();
            if (replay is not null)
                await replay.DisposeAsync();
            await stopping.CancelAsync();
            await streaming;
            await host.StopAsync();
            await app.StopAsync(CancellationToken.None);
            await answering;
        }
        return host.IsExhausted ? 1 : 0;
    }

    /// <summary>
    /// Waits until somebody wants the process to end. Addresses go on answering after that until steps have been given back, so that whoever distributes
    /// requests can see that this host is not ready any more.
    /// </summary>
    private static async Task StoppingAsync(WebApplication app, CancellationToken ct)
    {
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var cancelled = ct.Register(() => stopping.TrySetResult());
        await using var stopped = app.Lifetime.ApplicationStopping.Register(() => stopping.TrySetResult());
        await stopping.Task;
    }

    private static async Task TickAsync(IServiceProvider services, string url, CancellationToken ct)
    {
        var schedules = services.GetRequiredService<WorkflowSchedules>();
        foreach (var workflow in schedules.Scheduled)
            await services.GetRequiredService<RunEngine>().TickAsync(workflow.Name, ct);
        var console = services.GetService<ICliConsole>() ?? new SystemConsole();
        await console.Out.WriteLineAsync($"Dashboard: {url}/hangfire  (Ctrl+C stops)");
        await console.Out.WriteLineAsync(Announce(schedules.Scheduled, services.GetRequiredService<BusinessClock>()));
    }

    /// <summary>Whether there may be keys already.</summary>
    private static bool StoreExists(HostSettings settings) => settings.IsShared || File.Exists(settings.DatabasePath);

    private static async Task<string> ListenAsync(WebApplication app, CancellationToken ct)
    {
        try
        {
            await app.StartAsync(ct);
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new InvalidRequestException($"{e.Message.TrimEnd('.')}. Choose another address with --urls, for example --urls http://localhost:5080.", e);
        }
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        // What code has configured shows only here.
        if (addresses.FirstOrDefault(address => !ListenAddresses.IsLoopback(address)) is { } exposed)
            await app.Services.GetRequiredService<AccessState>().RequireForAsync(exposed, storeExists: true, ct);
        return (addresses.FirstOrDefault() ?? app.Urls.First()).TrimEnd('/');
    }

    private static string Announce(IReadOnlyList<WorkflowDefinition> scheduled, BusinessClock clock)
    {
        var now = clock.Stands ? $"  (the business clock stands at {Timestamps.Display(clock.GetUtcNow().UtcDateTime)} UTC)" : "";
        return scheduled.Count == 0
            ? $"Scheduled: nothing; request runs with 'run WORKFLOW' or in the dashboard{now}"
            : $"Scheduled: {string.Join(", ", scheduled.Select(w => $"{w.Name} ({w.Cron} UTC)"))}{now}";
    }
}
