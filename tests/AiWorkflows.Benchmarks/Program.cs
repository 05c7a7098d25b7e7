using System.Globalization;
using AiWorkflows.Benchmarks;
using AiWorkflows.Benchmarks.Dashboard;
using AiWorkflows.Benchmarks.Ingest;
using AiWorkflows.Benchmarks.Join;
using AiWorkflows.Benchmarks.Online;
using AiWorkflows.Benchmarks.Orchestration;
using AiWorkflows.Benchmarks.Streaming;

var ct = CancellationToken.None;
if (await JoinBenchmark.TryRunChildAsync(args, ct) || await IngestBenchmark.TryRunChildAsync(args, ct) || await OrchestrationBenchmark.TryRunChildAsync(args, ct)
    || await OnlineBenchmark.TryRunChildAsync(args, ct) || await LookUpBenchmark.TryRunChildAsync(args, ct) || await StreamingBenchmark.TryRunChildAsync(args, ct))
    return 0;

var what = args.FirstOrDefault() ?? "all";
if (what is not ("join" or "ingest" or "orchestration" or "online" or "streaming" or "dashboard" or "all") || Option("--rows", 1) < 1 || Option("--rounds", 1) < 1)
{
    Console.Error.WriteLine("Usage: AiWorkflows.Benchmarks [join|ingest|orchestration|online|streaming|dashboard|all] [--rows N] [--rounds N] [--store DIRECTORY]    rows: 3,000,000 for the join, 1,000,000 for the ingest; rounds: 5; store: where online and dashboard keep what they have prepared for the next time");
    return 2;
}

var rounds = Option("--rounds", 5);
var aims = new List<Aim>();
if (what is "join" or "all")
    aims.AddRange(await JoinBenchmark.RunAsync(Option("--rows", 3_000_000), rounds, ct));
if (what is "ingest" or "all")
    aims.AddRange(await IngestBenchmark.RunAsync(Option("--rows", 1_000_000), rounds, ct));
if (what is "orchestration" or "all")
    aims.AddRange(await OrchestrationBenchmark.RunAsync(rounds, ct));
if (what is "online" or "all")
    aims.AddRange(await OnlineBenchmark.RunAsync(rounds, Text("--store"), ct));
if (what is "streaming" or "all")
    aims.AddRange(await StreamingBenchmark.RunAsync(Option("--rows", 400_000), rounds, ct));
if (what is "dashboard" or "all")
    aims.AddRange(await DashboardBenchmark.RunAsync(rounds, Text("--store"), ct));
Report.Aims(aims);
return 0;

int Option(string name, int otherwise) =>
    Array.IndexOf(args, name) is var at and >= 0
        ? at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0
        : otherwise;

string? Text(string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
