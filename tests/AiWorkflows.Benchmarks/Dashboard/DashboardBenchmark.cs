using System.Diagnostics;
using System.Globalization;
using AiWorkflows.Benchmarks.Application;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Benchmarks.Dashboard;

/// <summary>Every page of the dashboard of a real host over a large store, and the lists of the command line over the same store.</summary>
internal static class DashboardBenchmark
{
    private const double AimMilliseconds = 200;

    /// <summary>What a page keeps, it keeps for a second.</summary>
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromSeconds(1.1);

    private static readonly (string What, string Path)[] Pages =
    [
        ("workflows", "/workflows"), ("a workflow", "/workflows/flight-delays"),
        ("runs", "/runs"), ("runs, older", "/runs?before=500000"), ("runs in a rare state", "/runs?state=cancelled"), ("runs in a common state", "/runs?state=succeeded"), ("runs that failed", "/runs?state=failed"), ("runs that run", "/runs?state=running"),
        ("runs of a workflow", "/runs?workflow=workflow-11"), ("runs of a rare workflow", "/runs?workflow=seldom"), ("runs of a workflow in a state", "/runs?workflow=workflow-11&state=cancelled"),
        ("runs by a rare trigger", "/runs?trigger=sql"), ("runs of an old window", "/runs?from=2023-12-01&to=2023-12-03"), ("runs of a workflow, old window", "/runs?workflow=workflow-11&from=2023-12-01&to=2023-12-03"),
        ("a run", "/runs/500000"), ("a failed run", "/runs/999700"), ("a running run", "/runs/999999"), ("log of a run", "/runs/500000/log?after=0"),
        ("backfills", "/backfills"), ("a backfill of 2,000 windows", "/backfills/1"),
        ("feature groups", "/features"), ("a feature group", "/features/group_007"), ("a feature group, 21,000 commits", "/features/group_000"), ("a feature group, earlier", "/features/group_000?seq=400000"), ("a feature group, quarantine", "/features/group_003"),
        ("models", "/models"), ("a model", "/models/flight-delay"), ("two versions", "/models/flight-delay/compare?a=199&b=200"),
        ("predictions", "/predictions?model=flight-delay"), ("predictions, older", "/predictions?model=flight-delay&before=21474836480000"), ("predictions in a time", "/predictions?model=flight-delay&from=2024-03-01&to=2024-03-02"),
        ("predictions of a version", "/predictions?model=flight-delay&version=7"), ("predictions about a key", "/predictions?model=flight-delay&key=71914"), ("predictions of a rare model", "/predictions?model=model_007"),
        ("predictions online", "/predictions?model=flight-delay&made=online"), ("predictions online about a key", "/predictions?model=flight-delay&made=online&key=71914"), ("a prediction", "/predictions/21474836480007"),
        ("streams", "/streams"), ("hosts", "/hosts"), ("search by id", "/search?q=500000"), ("search by name", "/search?q=group_1"), ("search by key", "/search?q=71914"), ("search for nothing", "/search?q=nothing"),
    ];

    private static readonly (string What, Func<StoreDatabase, CancellationToken, Task> Ask)[] Lists =
    [
        ("runs list", (d, ct) => new RunQueries(d).ListAsync(null, null, null, 20, ct)), ("runs list --state cancelled", (d, ct) => new RunQueries(d).ListAsync(null, "cancelled", null, 20, ct)),
        ("runs list --workflow seldom", (d, ct) => new RunQueries(d).ListAsync("seldom", null, null, 20, ct)), ("runs list --workflow, --state", (d, ct) => new RunQueries(d).ListAsync("workflow-11", "failed", null, 20, ct)),
        ("predictions list", (d, ct) => new PredictionQueries(d).ListAsync(null, null, 20, ct)), ("predictions list --model, rare", (d, ct) => new PredictionQueries(d).ListAsync("model_007", null, 20, ct)),
        ("predictions list --key", (d, ct) => new PredictionQueries(d).OfEntityAsync("[71914]", null, 20, ct)), ("features list", (d, ct) => new FeatureQueries(d).ListAsync(ct)), ("models list", (d, ct) => new ModelQueries(d).ListAsync(ct)),
    ];

    /// <param name="directory">Where the large store is, or is made.</param>
    public static async Task<IReadOnlyList<Aim>> RunAsync(int rounds, string directory, CancellationToken ct)
    {
        Directory.CreateDirectory(directory);
        var store = new LargeStore(directory);
        if (!File.Exists(store.Database))
        {
            Console.WriteLine();
            Console.WriteLine("Dashboard over a large store. Preparation, about three minutes:");
            await store.FillAsync(ct);
        }
        var pages = await PagesAsync(directory, rounds, ct);
        var lists = await ListsAsync(store.Database, rounds, ct);
        Print("page over HTTP, one viewer, nothing kept", pages);
        Print("list of the command line, the query alone", lists);
        return
        [
            new("dashboard: milliseconds of the slowest page, median", pages.Max(p => Measurement.Median(p.Milliseconds)), "<=", AimMilliseconds),
            new("dashboard: milliseconds of the slowest page, worst", pages.Max(p => p.Milliseconds.Max()), "<=", AimMilliseconds),
            new("command line: milliseconds of the slowest list, median", lists.Max(p => Measurement.Median(p.Milliseconds)), "<=", AimMilliseconds),
        ];
    }

    private static async Task<List<Timed>> PagesAsync(string directory, int rounds, CancellationToken ct)
    {
        var settings = new Dictionary<string, string> { ["AiWorkflows__DataDirectory"] = directory, ["Logging__LogLevel__Default"] = "Error" };
        using var server = await ServerProcess.StartAsync(ReferenceRun.Program, settings, ct, "serve", "--urls", "http://127.0.0.1:0");
        using var http = new HttpClient { BaseAddress = new($"http://{server.Address}") };
        var timed = Pages.Select(page => new Timed(page.What, [])).ToList();
        // The first round compiles, and is not counted.
        for (var round = -1; round < rounds; round++)
        {
            await Task.Delay(BetweenRounds, ct);
            for (var i = 0; i < Pages.Length; i++)
            {
                var watch = Stopwatch.StartNew();
                using var response = await http.GetAsync("/hangfire" + Pages[i].Path, ct);
                await response.Content.ReadAsByteArrayAsync(ct);
                if (!response.IsSuccessStatusCode)
                    throw new InvalidOperationException($"{Pages[i].Path} is answered with {(int)response.StatusCode}.");
                if (round >= 0)
                    timed[i].Milliseconds.Add(watch.Elapsed.TotalMilliseconds);
            }
        }
        return timed;
    }

    private static async Task<List<Timed>> ListsAsync(string database, int rounds, CancellationToken ct)
    {
        await using var services = new ServiceCollection().AddSqliteStorage(database).AddLogging().BuildServiceProvider();
        var store = services.GetRequiredService<StoreDatabase>();
        var timed = Lists.Select(list => new Timed(list.What, [])).ToList();
        for (var round = -1; round < rounds; round++)
            for (var i = 0; i < Lists.Length; i++)
            {
                var watch = Stopwatch.StartNew();
                await Lists[i].Ask(store, ct);
                if (round >= 0)
                    timed[i].Milliseconds.Add(watch.Elapsed.TotalMilliseconds);
            }
        return timed;
    }

    private static void Print(string title, IEnumerable<Timed> all)
    {
        Console.WriteLine();
        Console.WriteLine($"  {title,-44} {"median",10} {"worst",10}");
        foreach (var timed in all)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {timed.What,-44} {Measurement.Median(timed.Milliseconds),7:F0} ms {timed.Milliseconds.Max(),7:F0} ms{(timed.Milliseconds.Max() > AimMilliseconds ? "  over the aim" : "")}"));
    }

    private sealed record Timed(string What, List<double> Milliseconds);
}
