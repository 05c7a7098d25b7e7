using Hangfire;
using Hangfire.Logging;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Hosting.Jobs;

/// <summary>What Hangfire keeps per process, set once however many hosts live in it.</summary>
internal static class HangfireStatics
{
    private static readonly LatestHostLog Log = new();
    private static int _configured;

    public static IGlobalConfiguration Configure(ILoggerFactory loggers)
    {
        Log.Loggers = loggers;
        if (Interlocked.Exchange(ref _configured, 1) == 0)
            GlobalConfiguration.Configuration
                .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
                .UseSimpleAssemblyNameTypeSerializer()
                .UseRecommendedSerializerSettings()
                .UseLogProvider(Log);
        return GlobalConfiguration.Configuration;
    }

    /// <summary>Hangfire has one log for the process: it goes to the host that was configured last, and to nobody once that is disposed.</summary>
    private sealed class LatestHostLog : ILogProvider
    {
        private volatile ILoggerFactory? _loggers;

        public ILoggerFactory? Loggers
        {
            set => _loggers = value;
        }

        public ILog GetLogger(string name) => new Logger(this, name);

        private ILogger? Find(string name)
        {
            try
            {
                return _loggers?.CreateLogger(name);
            }
            catch (ObjectDisposedException)
            {
                return null;
            }
        }

        private sealed class Logger(LatestHostLog owner, string name) : ILog
        {
            public bool Log(Hangfire.Logging.LogLevel logLevel, Func<string>? messageFunc, Exception? exception = null)
            {
                var level = (Microsoft.Extensions.Logging.LogLevel)(int)logLevel;
                if (owner.Find(name) is not { } logger || !logger.IsEnabled(level))
                    return false;
                if (messageFunc is not null)
                    logger.Log(level, exception, "{Message}", messageFunc());
                return true;
            }
        }
    }
}
