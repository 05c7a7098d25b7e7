using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using AiWorkflows.Hosting;
using AiWorkflows.Hosting.Api;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Hosting.Dashboard;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Hosting.Security;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Hangfire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AiWorkflows;

/// <summary>Turns an ASP.NET Core application into a host of AiWorkflows: engine, dashboard, API and command line.</summary>
public static class AiWorkflowsHost
{
    /// <summary>Adds the engine, and the pipelines, views and workflows that <paramref name="define"/> names.</summary>
    /// <param name="builder">The application; its configuration must be complete, for the section <c>AiWorkflows</c> is read here.</param>
    /// <param name="define">Defines pipelines, views and workflows, and the services they are constructed from.</param>
    public static WebApplicationBuilder AddAiWorkflows(this WebApplicationBuilder builder, Action<AiWorkflowsBuilder> define)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(define);

        // What is printed, parsed and stored is the same on every machine.
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        ContentRoot.ReadOnce(builder);
        var contentRoot = ContentRoot.Find(builder.Environment.ContentRootPath, AppContext.BaseDirectory);
        if (contentRoot != builder.Environment.ContentRootPath)
            ContentRoot.AddSettings(builder.Configuration, contentRoot, builder.Environment.EnvironmentName);
        builder.Configuration.AddCommandLine(HostArguments.Settings(Environment.GetCommandLineArgs()));
        HostLogging.AddDefaults(builder);

        var errors = new List<string>();
        var options = OptionsReader.Read(builder.Configuration, errors);
        var program = Assembly.GetEntryAssembly() ?? typeof(AiWorkflowsHost).Assembly;
        var settings = HostSettings.Resolve(options, errors, contentRoot, CodeVersion.Of(program));

        var definitions = new AiWorkflowsBuilder(builder.Services);
        define(definitions);

        if (settings.IsShared)
            builder.Services.AddSqlServerStorage(options.ConnectionString!);
        else
            builder.Services.AddSqliteStorage(() => settings.DatabasePath);
        builder.Services.AddEngine(settings, definitions);
        builder.Services.AddOnlineInference();
        builder.Services.AddStreams();
        builder.Services.AddJobEngine();
        builder.Services.AddDashboardPages();
        TelemetryExport.Add(builder, settings);
        builder.AddSecurity(settings);
        builder.Services.AddApiDocument();
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(definitions);
        builder.Services.AddSingleton(Microsoft.Extensions.Options.Options.Create(options));
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.TryAddSingleton(services => new BusinessClock(options.Clock?.UtcDateTime, services.GetRequiredService<TimeProvider>()));
        return builder;
    }

    private static void AddEngine(this IServiceCollection services, HostSettings settings, AiWorkflowsBuilder definitions)
    {
        var workers = settings.Options.Workers;
        services.AddSingleton(new RunEngineOptions
        {
            Host = settings.HostName,
            OnlyHost = !settings.IsShared,
            CodeVersion = settings.CodeVersion,
            DatasetDirectory = Path.Combine(settings.DataDirectory, "datasets"),
            Workers = workers.Features + workers.Training + workers.Inference + workers.Control,
            DispatchCap = 2 * (workers.Features + workers.Training + workers.Inference + workers.Control),
        });
        services.AddRunEngine(definitions);
        services.AddSingleton<FailureWebhook>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<RetentionWork>();
        services.AddSingleton<EmbeddedHost>();
    }

    /// <summary>Maps the dashboard (<c>/hangfire</c>), the API (<c>/api</c>) and the health checks (<c>/health/live</c>, <c>/health/ready</c>).</summary>
    public static WebApplication MapAiWorkflows(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseSecurity();
        app.MapHealth();
        app.MapApi();
        app.MapGet("/", () => Results.Redirect(OurPaths.Dashboard)).RequireAuthorization(AiWorkflowsPolicies.Viewer).ExcludeFromDescription();
        DashboardSetup.Register(app.Services.GetRequiredService<IGlobalConfiguration>());
        app.MapHangfireDashboard(OurPaths.Dashboard, new DashboardOptions
        {
            DashboardTitle = "AiWorkflows",
            AppPath = null,
            Authorization = [],
            AsyncAuthorization = [new DashboardAccess()],
            IsReadOnlyFunc = DashboardAccess.IsReadOnly,
            DisplayStorageConnectionString = false,
        }).RequireAuthorization(AiWorkflowsPolicies.Viewer);
        return app;
    }

    /// <summary>Runs the command that <paramref name="args"/> name; without any the host serves until it is stopped.</summary>
    /// <returns>The exit code: 0 success, 1 the work failed, 2 wrong usage or configuration.</returns>
    public static async Task<int> RunAiWorkflowsAsync(this WebApplication app, string[] args)
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(args);

        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        TelemetryExport.Start(app.Services);
        await using (app)
            return await CommandLine.RunAsync(app, HostArguments.WithoutSettings(args), stop.Token);

        // The first signal stops gracefully; a second one, when the token is cancelled already, ends the process as usual.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }
}
