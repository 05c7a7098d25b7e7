using System.Diagnostics;

namespace AiWorkflows.Tests.Flights;

/// <summary>What a command of the reference application came to.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error, long PeakBytes, TimeSpan Duration);

/// <summary>The built reference application as a process of its own, on a data directory of its own.</summary>
internal static class FlightDelaysProcess
{
    public static Process Start(string folder, params string[] arguments) => Start(folder, new Dictionary<string, string>(), arguments);

    /// <param name="settings">Options of the section AiWorkflows, beside the data directory.</param>
    public static Process Start(string folder, IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        start.ArgumentList.Add(Built());
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["AiWorkflows__DataDirectory"] = Path.Combine(folder, "data");
        foreach (var (name, value) in settings)
            start.Environment[$"AiWorkflows__{name}"] = value;
        start.Environment["NO_COLOR"] = "1";
        return Process.Start(start)!;
    }

    public static Task<CommandResult> RunAsync(string folder, params string[] arguments) => RunAsync(folder, new Dictionary<string, string>(), arguments);

    public static async Task<CommandResult> RunAsync(string folder, IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        var watch = Stopwatch.StartNew();
        using var process = Start(folder, settings, arguments);
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        var ended = process.WaitForExitAsync();
        var peak = 0L;
        while (!ended.IsCompleted)
        {
            peak = Math.Max(peak, PeakOf(process));
            await Task.WhenAny(ended, Task.Delay(50));
        }
        return new(process.ExitCode, await output, await error, peak, watch.Elapsed);
    }

    private static long PeakOf(Process process)
    {
        try
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
        catch (InvalidOperationException)
        {
            return 0;
        }
    }

    /// <summary>The application's own output folder: the one of the tests has the packages of both.</summary>
    private static string Built()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        var (framework, configuration) = (folder.Name, folder.Parent!.Name);
        for (var above = folder.Parent; above is not null; above = above.Parent)
            if (File.Exists(Path.Combine(above.FullName, "AiWorkflows.sln")))
                return Path.Combine(above.FullName, "src", "FlightDelays", "bin", configuration, framework, "FlightDelays.dll");
        throw new InvalidOperationException($"No AiWorkflows.sln above {AppContext.BaseDirectory}; the tests start the application that was built beside them.");
    }
}
