using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace AiWorkflows.Hosting;

/// <summary>Keeps a command's standard output to its result: logs go to standard error, and only if more is configured or asked for.</summary>
internal static class HostLogging
{
    /// <summary>Defaults below everything that is configured.</summary>
    public static void AddDefaults(WebApplicationBuilder builder)
    {
        InsertFirst(builder.Configuration, new()
        {
            ["Logging:LogLevel:Default"] = "Information",
            ["Logging:LogLevel:Microsoft"] = "Warning",
            ["Logging:LogLevel:System"] = "Warning",
            // It warns that the keys of cookies are not encrypted in the store, which docs/security.md says too, and how to change it.
            ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
            // Its warnings are about workers that were told to stop, which is how every host ends.
            ["Logging:LogLevel:Hangfire"] = "Error",
            ["Logging:Console:FormatterName"] = ConsoleFormatterNames.Simple,
            ["Logging:Console:FormatterOptions:SingleLine"] = "true",
            ["Logging:Console:FormatterOptions:UseUtcTimestamp"] = "true",
            ["Logging:Console:FormatterOptions:TimestampFormat"] = "HH:mm:ss ",
        });
    }

    /// <summary>
    /// For every command that ends by itself. What a person should know it says itself, and <c>runs logs</c> has the rest.
    /// A level given for the console (<c>Logging:Console:LogLevel:Default</c>) still wins.
    /// </summary>
    public static void QuietForCommand(WebApplication app, bool verbose)
    {
        var configuration = (IConfigurationBuilder)app.Configuration;
        InsertFirst(configuration, new() { ["Logging:Console:LogLevel:Default"] = verbose ? "Information" : "Critical", ["Logging:Console:LogLevel:Hangfire"] = verbose ? "Error" : "Critical" });
        configuration.Add(new MemoryConfigurationSource
        {
            InitialData = [new("Logging:Console:LogToStandardErrorThreshold", nameof(LogLevel.Trace))],
        });
    }

    private static void InsertFirst(IConfigurationBuilder configuration, Dictionary<string, string?> settings) =>
        configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = settings });
}
