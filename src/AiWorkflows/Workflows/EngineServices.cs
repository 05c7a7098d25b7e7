using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

internal static class EngineServices
{
    /// <summary>
    /// Registers <see cref="Catalog"/> (built when it is first asked for) and <see cref="RunEngine"/>. The host adds the stores,
    /// <see cref="RunEngineOptions"/>, <see cref="IJobDispatcher"/> and the <see cref="BusinessClock"/>.
    /// </summary>
    public static IServiceCollection AddRunEngine(this IServiceCollection services, AiWorkflowsBuilder builder)
    {
        services.TryAddSingleton(provider => Catalog.Build(builder, provider));
        services.TryAddSingleton<EngineStores>();
        services.TryAddSingleton<RunEngine>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoggerProvider, StageLogProvider>());
        return services;
    }
}
