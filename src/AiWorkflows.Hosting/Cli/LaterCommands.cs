using System.CommandLine;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Commands of the contract that this version does not have yet: they say so, and are left out of the help.</summary>
internal static class LaterCommands
{
    /// <summary>A command that answers, whatever follows it.</summary>
    public static Command Create(CliContext context, string name)
    {
        var command = new Command(name, "Not available in this version.") { Hidden = true, TreatUnmatchedTokensAsErrors = false };
        command.SetAction((parsed, _) => Task.FromResult(Refuse(context, UsageErrors.Path(parsed))));
        return command;
    }

    /// <summary>An option that a later version has.</summary>
    public static Option<string> Option(string name) => new(name) { Hidden = true, Arity = ArgumentArity.ZeroOrOne };

    public static int Refuse(CliContext context, string what)
    {
        context.Console.Error.WriteLine($"`{what}` is not available in this version.");
        return 2;
    }
}
