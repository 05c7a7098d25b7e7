using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Cli;

/// <summary>The command line of any host. Exit code 0: success, 1: the work failed, 2: wrong usage or configuration.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(WebApplication app, string[] args, CancellationToken ct)
    {
        try
        {
            var root = new RootCommand("Feature, training and inference pipelines.");
            root.SetAction((_, token) => ServeCommand.RunAsync(app, token));
            var serve = new Command("serve", "Serves the dashboard and the API, and runs what is scheduled or requested, until it is stopped.");
            serve.SetAction((_, token) => ServeCommand.RunAsync(app, token));
            root.Add(serve);

            var parsed = root.Parse(args);
            if (parsed.CommandResult.Command is not RootCommand && parsed.CommandResult.Command != serve)
                HostLogging.QuietForCommand(app);
            if (parsed.Errors.Count > 0)
            {
                foreach (var error in parsed.Errors)
                    await Console.Error.WriteLineAsync(error.Message).ConfigureAwait(false);
                return 2;
            }
            app.Services.GetRequiredService<HostSettings>().ThrowIfWrong();
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidRequestException or InvalidDefinitionsException)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return 2;
        }
        catch (AiWorkflowsException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return 1;
        }
    }
}
