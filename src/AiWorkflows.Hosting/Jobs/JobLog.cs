using Hangfire.Common;
using Hangfire.Server;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>Opens a job's log before its code runs, and writes its last state when it has ended.</summary>
internal sealed class JobLogFilter : IJobFilter, IServerFilter
{
    private const string Item = "aiworkflows-progress";

    public bool AllowMultiple => false;

    public int Order => 0;

    public void OnPerforming(PerformingContext context) =>
        context.Items[Item] = JobProgress.Current = new JobProgress(context.Storage, context.BackgroundJob);

    public void OnPerformed(PerformedContext context)
    {
        JobProgress.Current = null;
        if (context.Items.TryGetValue(Item, out var item) && item is JobProgress progress)
        {
            // Items are kept with the job as data of its next state.
            context.Items.Remove(Item);
            progress.Dispose();
        }
    }
}

/// <summary>Copies whatever is logged inside a job into the job's log.</summary>
internal sealed class JobLoggerProvider : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) =>
        categoryName.StartsWith("Hangfire", StringComparison.Ordinal) ? NullLogger.Instance : JobLogger.Instance;

    public void Dispose() { }

    private sealed class JobLogger : ILogger
    {
        public static readonly JobLogger Instance = new();

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and not LogLevel.None && JobProgress.Current is not null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel) || JobProgress.Current is not { } job)
                return;
            var level = logLevel switch { LogLevel.Information => "", LogLevel.Warning => "warning: ", _ => "error: " };
            job.Add(level + formatter(state, exception) + (exception is null ? "" : ": " + exception.Message));
        }
    }
}
