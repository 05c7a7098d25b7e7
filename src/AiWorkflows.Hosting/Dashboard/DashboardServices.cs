using AiWorkflows.Storage.Queries;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AiWorkflows.Hosting.Dashboard;

/// <summary>What the pages need of a host. Everything process-wide is in <see cref="DashboardSetup"/>.</summary>
internal static class DashboardServices
{
    public static IServiceCollection AddDashboardPages(this IServiceCollection services)
    {
        // Hangfire checks the anti-forgery token of a POST only where ASP.NET Core's service is there.
        services.AddAntiforgery();
        services.TryAddSingleton<DashboardQueries>();
        services.TryAddSingleton<ModelQueries>();
        services.TryAddSingleton<FeatureQueries>();
        services.TryAddSingleton<GroupRowQueries>();
        services.TryAddSingleton<BackfillQueries>();
        services.TryAddSingleton<PredictionQueries>();
        services.TryAddSingleton<PredictionExplainer>();
        services.TryAddSingleton(_ => new PageCache(TimeProvider.System));
        services.TryAddSingleton<StreamReports>();
        services.TryAddSingleton<DashboardReader>();
        return services;
    }
}
