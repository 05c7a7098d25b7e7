using System.Collections.Concurrent;
using AiWorkflows.Features;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

/// <summary>The log of one attempt: what is written to it goes to the ordinary log at once and, in batches, to the ledger.</summary>
internal sealed class StageLog(AttemptRef attempt, ILogger ordinary) : ILogger
{
    private static readonly AsyncLocal<StageLog?> Ambient = new();
    private readonly ConcurrentQueue<StageLogLine> _lines = new();

    /// <summary>The log of the attempt on whose behalf the calling code runs.</summary>
    public static StageLog? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => ordinary.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (ordinary.IsEnabled(logLevel))
            ordinary.Log(logLevel, eventId, $"{attempt.Stage} (run {attempt.RunId}): {formatter(state, exception)}", exception, static (text, _) => text);
        Keep(logLevel, formatter(state, exception));
    }

    /// <summary>Keeps a line for the ledger only; nothing below information.</summary>
    public void Keep(LogLevel level, string message)
    {
        if (level is < LogLevel.Information or LogLevel.None)
            return;
        var name = level switch { LogLevel.Information => "info", LogLevel.Warning => "warning", _ => "error" };
        _lines.Enqueue(Line(name, message));
    }

    /// <summary>A line of this attempt, logged nowhere yet.</summary>
    public StageLogLine Line(string level, string message) => new(0, attempt.RunId, attempt.StageRunId, attempt.Attempt, TimeProvider.System.GetUtcNow().UtcDateTime, level, message);

    public async Task FlushAsync(ILedger ledger, CancellationToken ct)
    {
        if (Take() is { Count: > 0 } lines)
            await ledger.LogAsync(lines, ct);
    }

    /// <summary>The lines that the ledger does not have yet, to be written by whoever takes them.</summary>
    public List<StageLogLine> Take(int most = 1000)
    {
        var lines = new List<StageLogLine>();
        while (lines.Count < most && _lines.TryDequeue(out var line))
            lines.Add(line);
        return lines;
    }

    /// <summary>Gives back lines that were taken and not written.</summary>
    public void Return(IReadOnlyList<StageLogLine> lines)
    {
        foreach (var line in lines)
            _lines.Enqueue(line);
    }
}

/// <summary>Copies what a pipeline writes to its own injected loggers into the log of the attempt that it runs in.</summary>
internal sealed class StageLogProvider : ILoggerProvider
{
    private static readonly string[] Infrastructure = ["AiWorkflows.Engine", "AiWorkflows.Stage", "AiWorkflows.Hosting.", "AiWorkflows.Storage.", "Microsoft.", "System.", "Hangfire."];

    public ILogger CreateLogger(string categoryName) =>
        Infrastructure.Any(i => categoryName.StartsWith(i, StringComparison.Ordinal)) ? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance : new Copy();

    public void Dispose() { }

    private sealed class Copy : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => StageLog.Current is not null && logLevel is >= LogLevel.Information and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            StageLog.Current?.Keep(logLevel, exception is null ? formatter(state, exception) : $"{formatter(state, exception)}: {exception.Message}");
    }
}
