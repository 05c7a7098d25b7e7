using System.Diagnostics;
using System.Globalization;

namespace AiWorkflows.Benchmarks.Application;

/// <summary>What <c>run flight-delays</c> leaves, in a directory.</summary>
internal sealed class ReferenceRun(string directory)
{
    /// <summary>The reference application as it was built beside this program.</summary>
    public static string Program => Path.Combine(AppContext.BaseDirectory, "FlightDelays.dll");

    public string Data => Path.Combine(directory, "data");

    public string Database => Path.Combine(Data, "aiworkflows.db");

    public Dictionary<string, string> Environment => new() { ["AiWorkflows__DataDirectory"] = Data, ["Logging__LogLevel__Default"] = "Error" };

    public Task<ServerProcess> ServeAsync(CancellationToken ct) => ServerProcess.StartAsync(Program, Environment, ct, "serve", "--urls", "http://127.0.0.1:0");

    /// <summary>Runs it where it has not been run.</summary>
    public async Task EnsureAsync(CancellationToken ct)
    {
        if (!File.Exists(Database))
            await RunAsync(ct);
    }

    /// <summary>Runs it, as a process of its own.</summary>
    /// <returns>How long it took, and its largest resident memory, where the system tells.</returns>
    public async Task<(double Seconds, long PeakBytes)> RunAsync(CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (var argument in new[] { Program, "run", "flight-delays" })
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var (output, peak) = (process.StandardOutput.ReadToEndAsync(ct), 0L);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!process.HasExited && await timer.WaitForNextTickAsync(ct))
            peak = Math.Max(peak, PeakOf(process.Id));
        await process.WaitForExitAsync(ct);
        var seconds = watch.Elapsed.TotalSeconds;
        return process.ExitCode == 0 ? (seconds, peak) : throw new InvalidOperationException($"The run of the reference application ended with {process.ExitCode}: {await output}");
    }

    /// <summary>Copies the database; nobody may be using it.</summary>
    public void CopyTo(string database)
    {
        foreach (var suffix in new[] { "", "-wal" })
            if (File.Exists(Database + suffix))
                File.Copy(Database + suffix, database + suffix, overwrite: true);
    }

    public static void Delete(string database)
    {
        foreach (var suffix in new[] { "", "-wal", "-shm", ".lock", ".host" })
            File.Delete(database + suffix);
    }

    private static long PeakOf(int id)
    {
        try
        {
            foreach (var line in File.ReadLines($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/status"))
                if (line.StartsWith("VmHWM:", StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(6).Trim()[..^3], NumberStyles.Integer, CultureInfo.InvariantCulture) << 10;
        }
        catch (IOException)
        {
            // It has just ended, or this is no Linux.
        }
        return 0;
    }
}
