using System.CommandLine;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Puts commands together, so that every one of them has the same options under the same names.</summary>
internal static class Build
{
    /// <summary>The option that every reading command has.</summary>
    public const string JsonOption = "--json";

    /// <summary>A command that only reads.</summary>
    public static Command Reading(CliContext context, string name, string description, Func<Invocation, Task> run, params ReadOnlySpan<Symbol> symbols) =>
        WithResult(context, name, description, async i =>
        {
            await run(i);
            return 0;
        }, symbols);

    /// <summary>A command that has a result to print, and an exit code.</summary>
    public static Command WithResult(CliContext context, string name, string description, Func<Invocation, Task<int>> run, params ReadOnlySpan<Symbol> symbols)
    {
        var json = new Option<bool>(JsonOption) { Description = "Print JSON and nothing else." };
        var command = new Command(name, description);
        Add(command, symbols);
        command.Add(json);
        command.SetAction((parsed, ct) => run(new(context, parsed, new Output(context.Console, parsed.GetValue(json)), ct)));
        return command;
    }

    /// <summary>A command that changes something.</summary>
    public static Command Acting(CliContext context, string name, string description, Func<Invocation, Task<int>> run, params ReadOnlySpan<Symbol> symbols)
    {
        var command = new Command(name, description);
        Add(command, symbols);
        command.SetAction((parsed, ct) => run(new(context, parsed, new Output(context.Console, json: false), ct)));
        return command;
    }

    /// <summary>A command that only holds others.</summary>
    public static Command Group(string name, string description, params ReadOnlySpan<Command> commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands)
            group.Add(command);
        return group;
    }

    public static Argument<string> Name(string name, string description) => new(name) { Description = description };

    public static Option<string> Text(string name, string description, string value) => new(name) { Description = description, HelpName = value };

    public static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    public static Option<int> Rows(int count) => new("--limit") { Description = "How many rows to show.", HelpName = "N", DefaultValueFactory = _ => count };

    public static Option<long?> Before() => new("--before") { Description = "Show what comes after this id in the list: the next page.", HelpName = "ID" };

    private static void Add(Command command, ReadOnlySpan<Symbol> symbols)
    {
        foreach (var symbol in symbols)
            if (symbol is Argument argument)
                command.Add(argument);
            else if (symbol is Option option)
                command.Add(option);
    }
}
