using AiWorkflows.Hosting;
using AiWorkflows.Hosting.Dashboard;
using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>The dashboard of a host whose ledger was filled by hand: no job runs, so that what pages show stays as it is.</summary>
internal sealed class DashboardHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _directory;

    private DashboardHost(WebApplication app, string directory)
    {
        (_app, _directory) = (app, directory);
        Url = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    }

    /// <summary>Without a slash at its end.</summary>
    public string Url { get; }

    public IServiceProvider Services => _app.Services;

    public StoreDatabase Database => _app.Services.GetRequiredService<StoreDatabase>();

    public string EngineId => _app.Services.GetRequiredService<HostSettings>().EngineId;

    public static async Task<DashboardHost> StartAsync(Catalog catalog, DateTime? clock = null, bool readOnly = false, bool migrate = true, string? contentSecurityPolicy = null)
    {
        var directory = Directory.CreateTempSubdirectory("aiworkflows-dashboard").FullName;
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var settings = HostSettings.Resolve(new() { DataDirectory = directory }, [], directory, "4c1e9aa0b7d2");
        builder.Services.AddSingleton(settings);
        builder.Services.AddSqliteStorage(settings.DatabasePath);
        builder.Services.AddSingleton(catalog);
        builder.Services.AddSingleton(new BusinessClock(clock, TimeProvider.System));
        builder.Services.AddSingleton(new RunEngineOptions { Host = settings.HostName, CodeVersion = settings.CodeVersion, DatasetDirectory = directory, DispatchCap = 1 });
        builder.Services.AddRunEngine(new AiWorkflowsBuilder(builder.Services));
        builder.Services.AddJobEngine();
        builder.Services.AddDashboardPages();
        var app = builder.Build();
        if (migrate)
            await app.Services.GetRequiredService<Migrator>().MigrateAsync(CancellationToken.None);
        if (contentSecurityPolicy is not null)
            app.Use((http, next) =>
            {
                http.Response.Headers.ContentSecurityPolicy = contentSecurityPolicy;
                return next();
            });
        DashboardSetup.Register(app.Services.GetRequiredService<IGlobalConfiguration>());
        app.UseHangfireDashboard("/hangfire", new DashboardOptions { DashboardTitle = "AiWorkflows", Authorization = [], IsReadOnlyFunc = _ => readOnly });
        await app.StartAsync();
        return new(app, directory);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
