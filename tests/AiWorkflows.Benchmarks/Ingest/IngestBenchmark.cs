using System.Diagnostics;
using System.Globalization;
using AiWorkflows.Benchmarks.Data;

namespace AiWorkflows.Benchmarks.Ingest;

/// <summary>
/// Writing rows of eight columns: a feature pipeline whose rows are validated, sorted, compared, counted, committed and published, beside a bare prepared insert.
/// </summary>
internal static class IngestBenchmark
{
    private const string Ours = "ingest-store";
    private const string Peer = "ingest-prepared";
    private const string Appender = "ingest-duckdb";

    public static async Task<IReadOnlyList<Aim>> RunAsync(int rows, int rounds, CancellationToken ct)
    {
        var (ours, peer, appender) = (new List<Measurement>(), new List<Measurement>(), new List<Measurement>());
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(await Measurement.InOwnProcessAsync(ct, Ours, rows.ToString(CultureInfo.InvariantCulture)));
            peer.Add(await Measurement.InOwnProcessAsync(ct, Peer, rows.ToString(CultureInfo.InvariantCulture)));
            appender.Add(await Measurement.InOwnProcessAsync(ct, Appender, rows.ToString(CultureInfo.InvariantCulture)));
        }
        Report.Rounds($"Writing {rows:N0} rows of 8 columns (the rows stand in memory on both sides)",
            [("feature pipeline to published commit", ours), ("bare prepared insert, one transaction", peer), ("DuckDB appender, its own file", appender)]);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  the same window again, nothing has changed: {Measurement.Median(ours.Select(m => m.Sum)):F2} s"));
        return
        [
            new("ingest: our rows per second over the bare insert's", Median(peer) / Median(ours), ">=", 1.0),
            new("ingest: a window without changes over its first run", Measurement.Median(ours.Select(m => m.Sum / m.Seconds)), "<=", 0.3),
        ];
    }

    /// <summary>A round, in the child process.</summary>
    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        if (args is not [Ours or Peer or Appender, var size])
            return false;
        var data = await BenchData.LoadAsync(int.Parse(size, CultureInfo.InvariantCulture), ct);
        var rows = data.Flights().ToArray();
        using var memory = new PeakMemory();
        var directory = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
        try
        {
            // A few rows first: what is measured is the work, not the compilation of either side's code.
            await WriteAsync(args[0], Path.Combine(directory, "first.db"), rows[..Math.Min(rows.Length, 5000)], data.Window, ct);
            var (seconds, again) = await WriteAsync(args[0], Path.Combine(directory, "rows.db"), rows, data.Window, ct);
            new Measurement(seconds, memory.OwnBytes, PeakMemory.ResidentBytes, rows.Length, Sum: again).Print();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return true;
    }

    /// <summary>Seconds, without the creation of the database; and, on our side, of the same window again.</summary>
    private static async Task<(double Seconds, double Again)> WriteAsync(string side, string file, BenchFlight[] rows, Window window, CancellationToken ct)
    {
        if (side != Ours)
            return (side == Peer ? PreparedInsert.Run(file, rows) : DuckDbAppender.Run(file, rows), 0);
        await using var store = await BenchStore.OpenAsync(file, new BenchSource(rows, [], []), ct);
        var watch = Stopwatch.StartNew();
        await store.RunAsync(window, ct, typeof(BenchFlightsPipeline));
        var first = watch.Elapsed.TotalSeconds;
        await store.RunAsync(window, ct, typeof(BenchFlightsPipeline));
        return (first, watch.Elapsed.TotalSeconds - first);
    }

    private static double Median(IEnumerable<Measurement> rounds) => Measurement.Median(rounds.Select(r => r.Seconds));
}
