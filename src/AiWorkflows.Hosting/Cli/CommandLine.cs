using System.CommandLine;
using System.CommandLine.Help;
using AiWorkflows.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Cli;

/// <summary>The command line of any host. Exit code 0: success, 1: the work failed, 2: wrong usage or configuration.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(WebApplication app, string[] args, CancellationToken ct)
    {
        var console = app.Services.GetService<ICliConsole>() ?? new SystemConsole();
        var context = new CliContext(app.Services, console);
        var verbose = new Option<bool>("--verbose") { Description = "Log to standard error, and show the details of an error.", Recursive = true };
        var root = CommandTree.Create(app, context);
        root.Add(verbose);
        var parsed = root.Parse(args);
        try
        {
            if (parsed.CommandResult.Command is not RootCommand and not { Name: "serve" })
                HostLogging.QuietForCommand(app, parsed.GetValue(verbose));
            var invocation = new InvocationConfiguration { Output = console.Out, Error = console.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            if (parsed.Action is HelpAction || parsed.CommandResult.Children.Any(c => c is System.CommandLine.Parsing.OptionResult { Option: VersionOption, Implicit: false }))
                return await parsed.InvokeAsync(invocation, ct).ConfigureAwait(false);
            if (parsed.Errors.Count > 0)
                throw new InvalidRequestException(UsageErrors.Explain(parsed));
            await PrepareAsync(context, parsed.CommandResult.Command, ct).ConfigureAwait(false);
            return await parsed.InvokeAsync(invocation, ct).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            return Report(context, e, parsed.GetValue(verbose), ct);
        }
    }

    /// <summary>What stands before every command; those whose business it is to find out what is wrong look for themselves.</summary>
    private static async Task PrepareAsync(CliContext context, Command command, CancellationToken ct)
    {
        if (command.Name is "doctor" || command.Hidden)
            return;
        context.Get<HostSettings>().ThrowIfWrong();
        if (command is not RootCommand && command.Name is not ("serve" or "migrate"))
            await StoreCommands.MigrateAsync(context, ct).ConfigureAwait(false);
    }

    private static int Report(CliContext context, Exception error, bool verbose, CancellationToken ct)
    {
        if (error is OperationCanceledException && ct.IsCancellationRequested)
        {
            context.Console.Error.WriteLine("Interrupted.");
            return 1;
        }
        var known = error as AiWorkflowsException ?? context.Services.GetService<StoreDatabase>()?.Explain(error);
        context.Console.Error.WriteLine(verbose ? error.ToString() : known?.Message ?? $"Unexpected error: {Format.OneLine(error.Message, 300)} Run it again with --verbose for the details.");
        return known is InvalidRequestException or InvalidDefinitionsException ? 2 : 1;
    }
}
