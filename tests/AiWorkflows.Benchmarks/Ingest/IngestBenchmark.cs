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

    public static async Task<IReadOnlyList<Aim>> RunAsync(int rows, int rounds, CancellationToken ct)
    {
        var (ours, peer) = (new List<Measurement>(), new List<Measurement>());
        for (var round = 0; round < rounds; round++)
        {
            ours.Add(await Measurement.InOwnProcessAsync(ct, Ours, rows.ToString(CultureInfo.InvariantCulture)));
            peer.Add(await Measurement.InOwnProcessAsync(ct, Peer, rows.ToString(CultureInfo.InvariantCulture)));
        }
        Report.Rounds($"Writing {rows:N0} rows of 8 columns (the rows stand in memory on both sides)",
            [("feature pipeline to published commit", ours), ("bare prepared insert, one transaction", peer)]);
        return [new("ingest: our rows per second over the bare insert's", Measurement.Median(peer.Select(m => m.Seconds)) / Measurement.Median(ours.Select(m => m.Seconds)), ">=", 1.0)];
    }

    /// <summary>A round, in the child process.</summary>
    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        if (args is not [Ours or Peer, var size])
            return false;
        var data = await BenchData.LoadAsync(int.Parse(size, CultureInfo.InvariantCulture), ct);
        var rows = data.Flights().ToArray();
        using var memory = new PeakMemory();
        var directory = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
        try
        {
            // A few rows first: what is measured is the work, not the compilation of either side's code.
            await WriteAsync(args[0] == Ours, Path.Combine(directory, "first.db"), rows[..Math.Min(rows.Length, 5000)], data.Window, ct);
            var seconds = await WriteAsync(args[0] == Ours, Path.Combine(directory, "rows.db"), rows, data.Window, ct);
            new Measurement(seconds, memory.OwnBytes, PeakMemory.ResidentBytes, rows.Length).Print();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return true;
    }

    /// <summary>Seconds, without the creation of the database.</summary>
    private static async Task<double> WriteAsync(bool ours, string file, BenchFlight[] rows, Window window, CancellationToken ct)
    {
        if (!ours)
            return PreparedInsert.Run(file, rows);
        await using var store = await BenchStore.OpenAsync(file, new BenchSource(rows, [], []), ct);
        var watch = Stopwatch.StartNew();
        await store.RunAsync(window, ct, typeof(BenchFlightsPipeline));
        return watch.Elapsed.TotalSeconds;
    }
}
