using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Streaming;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting;

/// <summary>Registers what takes events in and works on streams.</summary>
internal static class StreamServices
{
    public static IServiceCollection AddStreams(this IServiceCollection services)
    {
        services.AddSingleton(s =>
        {
            var settings = s.GetRequiredService<HostSettings>();
            var streams = settings.Options.Streams;
            return new StreamOptions
            {
                Host = settings.HostName,
                CodeVersion = settings.CodeVersion,
                OnlyHost = !settings.IsShared,
                MostEvents = streams.MaxBatch,
                MostBehind = streams.MaxBehind,
                Keep = streams.KeepEvents,
            };
        });
        services.AddSingleton<StreamSignals>();
        services.AddSingleton<StreamWorkers>();
        services.AddSingleton<StreamIntake>();
        services.AddSingleton<StreamReplays>();
        return services;
    }
}
