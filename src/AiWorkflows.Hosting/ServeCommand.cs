using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.Hosting;

/// <summary>Serves until it is stopped.</summary>
internal static class ServeCommand
{
    public static async Task<int> RunAsync(WebApplication app, CancellationToken ct)
    {
        await app.StartAsync(ct).ConfigureAwait(false);
        await app.WaitForShutdownAsync(ct).ConfigureAwait(false);
        return 0;
    }
}
