using AiWorkflows.Features;
using AiWorkflows.Hosting.Api;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting;

/// <summary>Registers what answers single requests for predictions.</summary>
internal static class OnlineInference
{
    public static IServiceCollection AddOnlineInference(this IServiceCollection services)
    {
        services.AddSingleton(s =>
        {
            var settings = s.GetRequiredService<HostSettings>();
            var online = settings.Options.Online;
            return new OnlineOptions(online.MaxInstances, online.MaxWaiting, settings.CodeVersion,
                online.Challengers.ToDictionary(c => c.Key, c => new ChallengerTraffic(c.Value.Shadow, c.Value.Share), StringComparer.Ordinal),
                [.. online.RequiredModels]);
        });
        services.AddSingleton<OnlineFeatures>();
        services.AddSingleton(s => new OnlineModels(s.GetRequiredService<Catalog>().Inferences, s.GetRequiredService<OnlineOptions>(), s.GetRequiredService<IModelRegistry>(), s, s.GetRequiredService<ILogger<OnlineModels>>()));
        services.AddSingleton(s => new OnlineBatches(s.GetRequiredService<IOnlineLog>(), s.GetRequiredService<OnlineOptions>().CodeVersion));
        services.AddSingleton(s => new GroupCommit(s.GetRequiredService<IOnlineLog>(), s.GetRequiredService<OnlineOptions>().MostWaiting, s.GetRequiredService<ILogger<GroupCommit>>()));
        services.AddSingleton<OnlinePredictor>();
        services.AddSingleton(s => new ModelExample(new PredictionQueries(s.GetRequiredService<StoreDatabase>())));
        services.AddSingleton<OwnExamples>();
        return services;
    }
}
