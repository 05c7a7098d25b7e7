using System.Diagnostics;
using System.Globalization;

namespace AiWorkflows.Benchmarks;

/// <summary>
/// The largest memory that the process has had while this is alive, in two counts: resident, and on Linux without the pages of mapped files, which are
/// the system's cache, grow with the database, and are given back at once. Elsewhere both are the resident size.
/// </summary>
internal sealed class PeakMemory : IDisposable
{
    private const string Status = "/proc/self/status";

    private readonly Timer _timer;
    private long _peak;

    public PeakMemory() => _timer = new Timer(_ => Look(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(10));

    public static long ResidentBytes
    {
        get
        {
            using var self = Process.GetCurrentProcess();
            return self.PeakWorkingSet64;
        }
    }

    public long OwnBytes
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
        return ResidentBytes;
    }
}
