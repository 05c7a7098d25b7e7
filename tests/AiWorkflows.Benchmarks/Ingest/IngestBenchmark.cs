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
        var directory = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
        try
        {
            var file = Path.Combine(directory, "rows.db");
            var watch = Stopwatch.StartNew();
            if (args[0] == Ours)
            {
                await using var store = await BenchStore.OpenAsync(file, new BenchSource(rows, [], []), ct);
                watch.Restart();
                await store.RunAsync(data.Window, ct, typeof(BenchFlightsPipeline));
            }
            else if (PreparedInsert.Run(file, rows) != rows.Length)
                throw new InvalidOperationException("The bare insert did not write every row.");
            new Measurement(watch.Elapsed.TotalSeconds, Measurement.Peak(), rows.Length).Print();
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return true;
    }
}
