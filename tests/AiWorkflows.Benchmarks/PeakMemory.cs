using System.Diagnostics;
using System.Globalization;

namespace AiWorkflows.Benchmarks;

/// <summary>
/// The largest memory that the process has had while this is alive. On Linux that of its own: pages of a mapped database file are the system's cache,
/// grow with the file, and are given back at once. Elsewhere the resident size.
/// </summary>
internal sealed class PeakMemory : IDisposable
{
    private const string Status = "/proc/self/status";

    private readonly Timer _timer;
    private long _peak;

    public PeakMemory() => _timer = new Timer(_ => Look(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));

    public long Bytes
    {
        get
        {
            Look();
            return Volatile.Read(ref _peak);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var now = Now();
        for (var seen = Volatile.Read(ref _peak); now > seen; seen = Volatile.Read(ref _peak))
            Interlocked.CompareExchange(ref _peak, now, seen);
    }

    private static long Now()
    {
        if (File.Exists(Status))
            foreach (var line in File.ReadLines(Status))
                if (line.StartsWith("RssAnon:", StringComparison.Ordinal))
                    return long.Parse(line.AsSpan(8).Trim()[..^3], NumberStyles.Integer, CultureInfo.InvariantCulture) << 10;
        using var self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }
}
