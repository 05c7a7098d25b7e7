using System.Globalization;
using AiWorkflows.Benchmarks;
using AiWorkflows.Benchmarks.Application;
using AiWorkflows.Benchmarks.Dashboard;
using AiWorkflows.Benchmarks.Ingest;
using AiWorkflows.Benchmarks.Join;
using AiWorkflows.Benchmarks.Models;
using AiWorkflows.Benchmarks.Online;
using AiWorkflows.Benchmarks.Orchestration;
using AiWorkflows.Benchmarks.Streaming;

var ct = CancellationToken.None;
if (await JoinBenchmark.TryRunChildAsync(args, ct) || await IngestBenchmark.TryRunChildAsync(args, ct) || await ModelBenchmark.TryRunChildAsync(args, ct)
    || await OrchestrationBenchmark.TryRunChildAsync(args, ct) || await OnlineBenchmark.TryRunChildAsync(args, ct) || await LookUpBenchmark.TryRunChildAsync(args, ct)
    || await StreamingBenchmark.TryRunChildAsync(args, ct))
    return 0;

var rounds = Option("--rounds", 3);
var store = Text("--store") is { } kept ? Directory.CreateDirectory(kept).FullName : Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
var benchmarks = new (string Name, Func<Task<IReadOnlyList<Aim>>> Run)[]
{
    ("join", () => JoinBenchmark.RunAsync(Option("--rows", 1_000_000), rounds, ct)),
    ("ingest", () => IngestBenchmark.RunAsync(Option("--rows", 1_000_000), rounds, ct)),
    ("models", () => ModelBenchmark.RunAsync(rounds, store, ct)),
    ("orchestration", () => OrchestrationBenchmark.RunAsync(rounds, ct)),
    ("online", () => OnlineBenchmark.RunAsync(rounds, store, ct)),
    ("streaming", () => StreamingBenchmark.RunAsync(Option("--rows", 400_000), rounds, store, ct)),
    ("dashboard", () => DashboardBenchmark.RunAsync(rounds, Path.Combine(store, "dashboard"), ct)),
    ("application", () => ApplicationBenchmark.RunAsync(rounds, store, ct)),
};
var what = args.FirstOrDefault() ?? "all";
var wanted = benchmarks.Where(b => what == "all" || b.Name == what).ToArray();
if (wanted.Length == 0 || Option("--rows", 1) < 1 || rounds < 1)
{
    Console.Error.WriteLine($"Usage: AiWorkflows.Benchmarks [{string.Join('|', benchmarks.Select(b => b.Name))}|all] [--rows N] [--rounds N] [--store DIRECTORY] [--out DIRECTORY]");
    Console.Error.WriteLine("  rows: 1,000,000 (streaming: 400,000); rounds: 3; store: where prepared data is kept for the next time; out: where results.md and results.json are written (benchmark-results)");
    Console.Error.WriteLine("  Exit code 1 where an aim is missed that waivers.json does not waive.");
    return 2;
}
try
{
    var results = new List<(string Benchmark, Aim Aim)>();
    foreach (var (name, run) in wanted)
        results.AddRange((await run()).Select(aim => (name, aim)));
    var report = new Results(results, Waiver.Read());
    report.Print();
    report.Write(Directory.CreateDirectory(Text("--out") ?? "benchmark-results").FullName, rounds);
    return report.AllMetOrWaived ? 0 : 1;
}
finally
{
    if (Text("--store") is null)
        Directory.Delete(store, recursive: true);
}

int Option(string name, int otherwise) =>
    Array.IndexOf(args, name) is var at and >= 0
        ? at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0
        : otherwise;

string? Text(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
