using System.Text;
using AiWorkflows.Hosting.Cli;
using Spectre.Console;

namespace AiWorkflows.Tests.Hosting;

/// <summary>Standard output and error as texts that can be read while a command is still writing.</summary>
internal sealed class RecordingConsole : ICliConsole
{
    public TextWriter Out { get; } = new Recorder();

    public TextWriter Error { get; } = new Recorder();

    public bool IsTerminal => false;

    public IAnsiConsole Ansi => AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(Out) });

    private sealed class Recorder : TextWriter
    {
        private readonly StringBuilder _text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (_text)
                _text.Append(value);
        }

        public override void Write(string? value)
        {
            lock (_text)
                _text.Append(value);
        }

        public override string ToString()
        {
            lock (_text)
                return _text.ToString();
        }
    }
}
