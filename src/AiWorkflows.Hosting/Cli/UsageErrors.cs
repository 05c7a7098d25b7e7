using System.CommandLine;

namespace AiWorkflows.Hosting.Cli;

/// <summary>What was wrong with a command line, in one line that names what was probably meant.</summary>
internal static class UsageErrors
{
    public static string Explain(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = Path(parsed);
        if (parsed.UnmatchedTokens is [var token, ..])
        {
            if (token.StartsWith('-'))
                return NearMatches.Unknown("option", token, OptionsOf(parsed)).Message;
            if (command.Subcommands.Count > 0)
                return NearMatches.Unknown(path.Length == 0 ? "command" : $"command of {path}", token, Visible(command.Subcommands).Select(c => c.Name)).Message;
            return $"`{path}` does not know what to do with '{token}'; `{path} --help` shows how to use it.";
        }
        var missing = command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(a) is not { Tokens.Count: > 0 });
        if (command.Subcommands.Count > 0 && command.Action is null)
            return $"`{path}` needs one of {string.Join(", ", Visible(command.Subcommands).Select(c => c.Name))}.";
        if (missing is not null)
            return $"`{path}` needs {missing.Name}; `{path} --help` shows how to use it.";
        return parsed.Errors[0].Message.ReplaceLineEndings(" ") + (path.Length == 0 ? "" : $" `{path} --help` shows how to use it.");
    }

    /// <summary>The command as it was typed, without the program: <c>runs show</c>.</summary>
    public static string Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (System.CommandLine.Parsing.SymbolResult? result = parsed.CommandResult; result is System.CommandLine.Parsing.CommandResult { Command: not RootCommand } c; result = c.Parent)
            names.Insert(0, c.Command.Name);
        return string.Join(' ', names);
    }

    private static IEnumerable<Command> Visible(IEnumerable<Command> commands) => commands.Where(c => !c.Hidden);

    private static IEnumerable<string> OptionsOf(ParseResult parsed)
    {
        var own = parsed.CommandResult.Command.Options.Select(o => o.Name);
        return own.Concat(parsed.RootCommandResult.Command.Options.Where(o => o.Recursive).Select(o => o.Name));
    }
}
