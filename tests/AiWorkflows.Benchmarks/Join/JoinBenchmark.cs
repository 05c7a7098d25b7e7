using System.Diagnostics;
using System.Globalization;
using AiWorkflows.Benchmarks.Data;

namespace AiWorkflows.Benchmarks.Join;

/// <summary>Point-in-time join of two groups: from the store on disk to examples, beside DuckDB's ASOF JOIN on its own file with the result fetched.</summary>
internal static class JoinBenchmark
{
    private const string Prepare = "join-prepare";
    private const string Ours = "join-store";
    private const string Peer = "join-duckdb";
    private const string Peer2 = "join-duckdb-2";

    public static async Task<IReadOnlyList<Aim>> RunAsync(int rows, int rounds, CancellationToken ct)
    {
        var directory = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
        try
        {
            var small = Math.Max(rows / 10, 1000);
            foreach (var size in new[] { rows, small })
                await Measurement.InOwnProcessAsync(ct, Prepare, Folder(directory, size), size.ToString(CultureInfo.InvariantCulture));
            var (ours, peer, peer2) = (new List<Measurement>(), new List<Measurement>(), new List<Measurement>());
            for (var round = 0; round < rounds; round++)
            {
                ours.Add(await Measurement.InOwnProcessAsync(ct, Ours, Folder(directory, rows), rows.ToString(CultureInfo.InvariantCulture)));
                peer.Add(await Measurement.InOwnProcessAsync(ct, Peer, Folder(directory, rows), rows.ToString(CultureInfo.InvariantCulture)));
                peer2.Add(await Measurement.InOwnProcessAsync(ct, Peer2, Folder(directory, rows), rows.ToString(CultureInfo.InvariantCulture)));
            }
            var less = await Measurement.InOwnProcessAsync(ct, Ours, Folder(directory, small), small.ToString(CultureInfo.InvariantCulture));
            if (!Agree(ours[0], peer[0]))
                throw new InvalidOperationException($"The two sides disagree: {ours[0]} and {peer[0]}.");

            Report.Rounds($"Point-in-time join, {rows:N0} spine rows and 2 groups; {ours[0].Found:N0} rows found on both sides",
                [("store to examples", ours), ("DuckDB ASOF JOIN, 1 thread, result fetched", peer), ("DuckDB ASOF JOIN, 2 threads, result fetched", peer2), ($"store to examples, {small:N0} rows", [less])]);
            return
            [
                new("join: our time over DuckDB's on one thread", Median(ours) / Median(peer), "<=", 0.8),
                new("join: peak resident memory over that for a tenth of the rows", ours.Max(m => m.ResidentBytes) / (double)less.ResidentBytes, "<=", 1.2),
                new("join: the same without the mapped pages of the database", ours.Max(m => m.OwnBytes) / (double)less.OwnBytes, "<=", 1.2),
            ];
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>A round or the preparation, in the child process.</summary>
    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        if (args is not [Prepare or Ours or Peer or Peer2, var directory, var size])
            return false;
        var rows = int.Parse(size, CultureInfo.InvariantCulture);
        var (store, duck) = (Path.Combine(directory, "store.db"), Path.Combine(directory, "duck.db"));
        if (args[0] == Prepare)
        {
            Directory.CreateDirectory(directory);
            var data = await BenchData.LoadAsync(rows, ct);
            await StoreJoin.PrepareAsync(store, data, ct);
            DuckDbJoin.Prepare(duck, data);
            new Measurement(0, 0, 0, rows).Print();
            return true;
        }
        // A few days first: what is measured is the work, not the compilation of either side's code.
        var (whole, start) = (BenchData.WindowOf(rows), new Window(BenchData.WindowOf(rows).From, BenchData.WindowOf(rows).From.AddDays(3)));
        using var memory = new PeakMemory();
        var watch = new Stopwatch();
        JoinResult result;
        var threads = args[0] == Peer2 ? 2 : 1;
        if (args[0] == Ours)
        {
            await using var open = await BenchStore.OpenAsync(store, null, ct);
            await StoreJoin.RunAsync(open, start, ct);
            watch.Start();
            result = await StoreJoin.RunAsync(open, whole, ct);
        }
        else
        {
            DuckDbJoin.Run(duck, start.To, threads);
            watch.Start();
            result = DuckDbJoin.Run(duck, whole.To, threads);
        }
        new Measurement(watch.Elapsed.TotalSeconds, memory.OwnBytes, PeakMemory.ResidentBytes, result.Rows, result.Found, result.Sum).Print();
        return true;
    }

    private static string Folder(string directory, int rows) => Path.Combine(directory, rows.ToString(CultureInfo.InvariantCulture));

    private static double Median(IEnumerable<Measurement> rounds) => Measurement.Median(rounds.Select(r => r.Seconds));

    private static bool Agree(Measurement a, Measurement b) => a.Rows == b.Rows && a.Found == b.Found && Math.Abs(a.Sum - b.Sum) <= 1e-9 * Math.Abs(a.Sum);
}
