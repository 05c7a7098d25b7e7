using System.Diagnostics;
using System.Text.Json;

namespace AiWorkflows.Benchmarks;

/// <summary>What one round of one side took, in a process of its own: no side inherits the other's heap or caches.</summary>
/// <param name="Seconds">Wall clock of the measured part alone.</param>
/// <param name="OwnBytes">Largest memory of the process without mapped files: see <see cref="PeakMemory"/>.</param>
/// <param name="ResidentBytes">Largest resident size, mapped pages of the database file included.</param>
internal sealed record Measurement(double Seconds, long OwnBytes, long ResidentBytes, long Rows, long Found = 0, double Sum = 0)
{
    /// <summary>Marks the one line of a child's output that is its result.</summary>
    private const string Marker = "measured ";

    public void Print() => Print(this);

    /// <summary>Prints what a child process has measured.</summary>
    public static void Print<T>(T measured) => Console.WriteLine(Marker + JsonSerializer.Serialize(measured));

    /// <summary>Starts this program again for one round.</summary>
    public static Task<Measurement> InOwnProcessAsync(CancellationToken ct, params string[] arguments) => InOwnProcessAsync<Measurement>(ct, arguments);

    /// <inheritdoc cref="InOwnProcessAsync(CancellationToken, string[])"/>
    public static Task<T> InOwnProcessAsync<T>(CancellationToken ct, params string[] arguments) => InOwnProcessAsync<T>(new Dictionary<string, string>(), ct, arguments);

    /// <inheritdoc cref="InOwnProcessAsync(CancellationToken, string[])"/>
    /// <param name="settings">Of the child's environment.</param>
    public static async Task<T> InOwnProcessAsync<T>(IReadOnlyDictionary<string, string> settings, CancellationToken ct, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet")
            start.ArgumentList.Add(typeof(Measurement).Assembly.Location);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        var line = output.Split('\n').LastOrDefault(l => l.StartsWith(Marker, StringComparison.Ordinal));
        return process.ExitCode == 0 && line is not null
            ? JsonSerializer.Deserialize<T>(line[Marker.Length..])!
            : throw new InvalidOperationException($"'{string.Join(' ', arguments)}' ended with {process.ExitCode}: {output}");
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
