using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.AspNetCore;
using Hangfire.Client;
using Hangfire.Common;
using Hangfire.Dashboard;
using Hangfire.InMemory;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>
/// Registers Hangfire for one host. Storage, client, filters and activator are this host's own instead of Hangfire's statics, so that several
/// hosts can live in one process; what remains static is set in <see cref="HangfireStatics"/>.
/// </summary>
internal static class JobEngineServices
{
    private static readonly TimeSpan KeepFinishedJobs = TimeSpan.FromDays(7);

    public static IServiceCollection AddJobEngine(this IServiceCollection services)
    {
        services.AddSingleton<JobStorage>(s => s.GetRequiredService<HostSettings>() is { IsShared: true } shared
            ? SqlServerJobs.Create(shared.Options.ConnectionString!, KeepFinishedJobs)
            : InMemory());
        services.AddSingleton<JobActivator>(s => new AspNetCoreJobActivator(s.GetRequiredService<IServiceScopeFactory>()));
        services.AddSingleton<LedgerActions>();
        services.AddSingleton<IJobFilterProvider>(JobFilters.Create);
        services.AddSingleton(s => new BackgroundJobClient(s.GetRequiredService<JobStorage>(), s.GetRequiredService<IJobFilterProvider>()));
        services.AddSingleton<IBackgroundJobClient>(s => s.GetRequiredService<BackgroundJobClient>());
        services.AddSingleton<IBackgroundJobClientV2>(s => s.GetRequiredService<BackgroundJobClient>());
        services.AddSingleton(s => new RecurringJobManager(s.GetRequiredService<JobStorage>(), s.GetRequiredService<IJobFilterProvider>()));
        services.AddSingleton<IRecurringJobManager>(s => s.GetRequiredService<RecurringJobManager>());
        services.AddSingleton<IRecurringJobManagerV2>(s => s.GetRequiredService<RecurringJobManager>());
        services.AddSingleton<IJobDispatcher, HangfireDispatcher>();
        services.AddSingleton<WorkflowSchedules>();
        services.AddSingleton<RetentionSchedule>();
        services.AddSingleton<JobServers>();
        services.AddSingleton<ILoggerProvider, JobLoggerProvider>();
        services.AddTransient<StageJob>();
        services.AddTransient<TickJob>();
        services.AddTransient<RetentionTick>();

        // What the dashboard asks for: without the factories it would make clients with Hangfire's static filters, which know nothing of the ledger.
        services.AddSingleton<HostJobClients>();
        services.AddSingleton<IBackgroundJobClientFactory>(s => s.GetRequiredService<HostJobClients>());
        services.AddSingleton<IRecurringJobManagerFactory>(s => s.GetRequiredService<HostJobClients>());
        services.AddSingleton(DashboardRoutes.Routes);
        services.AddSingleton<ITimeZoneResolver>(new DefaultTimeZoneResolver());
        services.AddSingleton<IGlobalConfiguration>(s => HangfireStatics.Configure(s.GetRequiredService<ILoggerFactory>()));
        return services;
    }

    private static InMemoryStorage InMemory() => new(new InMemoryStorageOptions
    {
        IdType = InMemoryStorageIdType.Long,
        // The default of three hours would overrule how long finished jobs are kept.
        MaxExpirationTime = null,
        MaxStateHistoryLength = 50,
    })
    {
        JobExpirationTimeout = KeepFinishedJobs,
    };

    /// <summary>Gives Hangfire's dashboard the clients of its host.</summary>
    private sealed class HostJobClients(BackgroundJobClient client, RecurringJobManager manager) : IBackgroundJobClientFactory, IRecurringJobManagerFactory
    {
        public IBackgroundJobClient GetClient(JobStorage storage) => client;

        public IRecurringJobManager GetManager(JobStorage storage) => manager;
    }
}

/// <summary>The filters of one host's jobs. Hangfire's own automatic retries are not among them: retries belong to the ledger.</summary>
internal static class JobFilters
{
    private static readonly HashSet<string> FinalStates = [SucceededState.StateName, DeletedState.StateName];

    public static IJobFilterProvider Create(IServiceProvider services)
    {
        var own = new JobFilterCollection();
        var all = new JobFilterProviderCollection(own, new JobFilterAttributeFilterProvider());
        own.Add(new StatisticsHistoryAttribute());
        own.Add(new ContinuationsSupportAttribute(FinalStates, new BackgroundJobStateChanger(all)));
        own.Add(new StepOutcomeFilter());
        own.Add(new PeoplesActionsFilter(services.GetRequiredService<LedgerActions>()));
        own.Add(new ManualTriggerFilter());
        own.Add(new JobLogFilter());
        return all;
    }
}
