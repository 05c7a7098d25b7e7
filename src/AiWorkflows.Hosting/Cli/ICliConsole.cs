using Spectre.Console;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Where a command writes to; tests put texts in the place of the terminal.</summary>
internal interface ICliConsole
{
    TextWriter Out { get; }

    TextWriter Error { get; }

    /// <summary>Whether a person sees standard output: tables and live progress instead of plain lines.</summary>
    bool IsTerminal { get; }

    /// <summary>For tables and live progress on a terminal.</summary>
    IAnsiConsole Ansi { get; }
}

/// <summary>The process's own console.</summary>
internal sealed class SystemConsole : ICliConsole
{
    private readonly Lazy<IAnsiConsole> _ansi = new(() => AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) }));

    public TextWriter Out => Console.Out;

    public TextWriter Error => Console.Error;

    public bool IsTerminal => !Console.IsOutputRedirected;

    public IAnsiConsole Ansi => _ansi.Value;
}
