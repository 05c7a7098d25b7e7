using System.Diagnostics;
using System.Globalization;
using AiWorkflows.Hosting;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AiWorkflows.Benchmarks.Orchestration;

/// <summary>What a run of nothing costs in a whole host, Hangfire included, beside as many bare durable transactions as it may take; and what a host costs that has nothing to do.</summary>
internal static class OrchestrationBenchmark
{
    private const string Child = "orchestration-child";
    private const string Idle = "idle";
    private const int PerStage = 6;
    private const int PerPartition = 3;
    private const double Aim = 1.3;
    /// <summary>Until the runtime has compiled for good what a step goes through, which it decides by how often it was called.</summary>
    private const int WarmUps = 25;
    private static readonly TimeSpan SettledAfter = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(60);

    /// <param name="Seconds">From the request to the end of the run; of an idle host, processor time in a second.</param>
    /// <param name="Processor">Seconds of processor time, of all threads.</param>
    /// <param name="Bare">Of the bare transactions, half of them before and half after.</param>
    private sealed record Result(double Seconds, double Processor, BareTransactions.Taken Bare, double Durable, double Transactions, double Statements);

    public static async Task<IReadOnlyList<Aim>> RunAsync(int rounds, CancellationToken ct)
    {
        var (chain, fan) = (new List<Result>(), new List<Result>());
        for (var round = 0; round < rounds; round++)
        {
            chain.Add(await Measurement.InOwnProcessAsync<Result>(ct, Child, EmptyWorkflows.Chain));
            fan.Add(await Measurement.InOwnProcessAsync<Result>(ct, Child, EmptyWorkflows.FanOut));
        }
        var idle = await Measurement.InOwnProcessAsync<Result>(ct, Child, Idle);

        Console.WriteLine();
        Console.WriteLine("Orchestration of nothing");
        Print($"chain of {EmptyWorkflows.Stages} stages", chain, EmptyWorkflows.Stages, PerStage);
        Print($"fan-out of {EmptyWorkflows.Partitions} partitions", fan, EmptyWorkflows.Partitions, PerPartition);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  idle host: {100 * idle.Seconds:F2}% of a core, {idle.Statements:F1} statements a second"));
        return
        [
            new("orchestration: durable transactions of a stage", Median(chain, r => r.Durable / EmptyWorkflows.Stages), "<=", PerStage),
            new("orchestration: durable transactions of a partition", Median(fan, r => r.Durable / EmptyWorkflows.Partitions), "<=", PerPartition),
            new($"orchestration: chain of {EmptyWorkflows.Stages} stages over {PerStage} bare durable transactions for each", Median(chain, r => r.Seconds / r.Bare.Seconds), "<=", Aim),
            new($"orchestration: {EmptyWorkflows.Partitions} partitions over {PerPartition} bare durable transactions for each", Median(fan, r => r.Seconds / r.Bare.Seconds), "<=", Aim),
            new("orchestration: processor time of an idle host, share of a core", idle.Seconds, "<=", 0.01),
            new("orchestration: statements of an idle host in a second", idle.Statements, "<=", 5),
        ];
    }

    public static async Task<bool> TryRunChildAsync(string[] args, CancellationToken ct)
    {
        if (args is not [Child, var what])
            return false;
        var directory = Directory.CreateTempSubdirectory("aiworkflows-bench-").FullName;
        try
        {
            await using var app = Build(directory);
            var serving = app.RunAiWorkflowsAsync(["serve"]);
            var engine = app.Services.GetRequiredService<RunEngine>();
            await WaitUntilServingAsync(app, serving, ct);
            Measurement.Print(what == Idle ? await IdleAsync(app.Services.GetRequiredService<StoreDatabase>().Activity, ct)
                : await RunAsync(engine, app.Services.GetRequiredService<StoreDatabase>().Activity, what, directory, ct));
            app.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
            await serving;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return true;
    }

    private static WebApplication Build(string directory)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = directory });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AiWorkflows:DataDirectory"] = directory, ["AiWorkflows:Urls"] = "http://127.0.0.1:0",
            ["Logging:LogLevel:Default"] = "None", ["Logging:LogLevel:Hangfire"] = "None",
        });
        builder.AddAiWorkflows(_ => { });
        builder.Services.Replace(ServiceDescriptor.Singleton(EmptyWorkflows.Catalog(EmptyWorkflows.Stages, EmptyWorkflows.Partitions)));
        var app = builder.Build();
        app.MapAiWorkflows();
        return app;
    }

    private static async Task WaitUntilServingAsync(WebApplication app, Task<int> serving, CancellationToken ct)
    {
        while (await app.Services.GetRequiredService<Readiness>().WhyNotAsync(ct) is not null)
            if (await Task.WhenAny(serving, Task.Delay(20, ct)) == serving)
                throw new InvalidOperationException($"It did not serve: exit code {await serving}.");
    }

    private static async Task<Result> RunAsync(RunEngine engine, StoreActivity activity, string workflow, string directory, CancellationToken ct)
    {
        // What is measured is the work of a host that has been there for a while, not the compilation of its code.
        for (var earlier = WarmUps; earlier > 0; earlier--)
            await OneAsync(engine, workflow, EmptyWorkflows.Before(earlier), ct);
        var transactions = workflow == EmptyWorkflows.Chain ? EmptyWorkflows.Stages * PerStage : EmptyWorkflows.Partitions * PerPartition;
        var bare = BareTransactions.Measure(Path.Combine(directory, "bare.db"), transactions / 2);
        var (durable, all) = (activity.DurableTransactions, activity.Transactions);
        var (started, processor) = (Stopwatch.GetTimestamp(), ProcessorTime.Seconds);
        await OneAsync(engine, workflow, EmptyWorkflows.Before(0), ct);
        var (seconds, used) = (Stopwatch.GetElapsedTime(started).TotalSeconds, ProcessorTime.Seconds - processor);
        (durable, all) = (activity.DurableTransactions - durable, activity.Transactions - all);
        bare += BareTransactions.Measure(Path.Combine(directory, "bare.db"), transactions - transactions / 2);
        return new(seconds, used, bare, durable, all, 0);
    }

    private static async Task OneAsync(RunEngine engine, string workflow, Window window, CancellationToken ct)
    {
        var ended = new TaskCompletionSource<RunEndedEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnEnded(RunEndedEvent e) => ended.TrySetResult(e);
        engine.RunEnded += OnEnded;
        await engine.RequestAsync(new(workflow, window, "benchmark", "manual"), ct);
        var run = (await ended.Task.WaitAsync(TimeSpan.FromMinutes(5), ct)).Run;
        engine.RunEnded -= OnEnded;
        if (run.State != States.Succeeded)
            throw new InvalidOperationException($"{workflow} is {run.State}: {run.Error}");
    }

    private static async Task<Result> IdleAsync(StoreActivity activity, CancellationToken ct)
    {
        // Until the runtime has compiled again what ran at the start; that is no cost of being idle.
        await Task.Delay(SettledAfter, ct);
        var (cpu, statements, started) = (ProcessorTime.Seconds, activity.Statements, Stopwatch.GetTimestamp());
        await Task.Delay(IdleFor, ct);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new((ProcessorTime.Seconds - cpu) / seconds, 0, new(0, 0), 0, 0, (activity.Statements - statements) / seconds);
    }

    private static double Median(IEnumerable<Result> results, Func<Result, double> of) => Measurement.Median(results.Select(of));

    private static void Print(string what, IReadOnlyList<Result> rounds, int units, int allowed)
    {
        var (seconds, processor, durable, transactions) = (Median(rounds, r => r.Seconds), Median(rounds, r => r.Processor), Median(rounds, r => r.Durable), Median(rounds, r => r.Transactions));
        var (bare, bareWaiting) = (Median(rounds, r => r.Bare.Seconds), Median(rounds, r => r.Bare.Waiting));
        var count = allowed * units;
        var wait = bareWaiting / count;
        var own = Math.Max(0, seconds - durable * wait);
        // On a slower disk both sides wait longer, but they do not wait as often.
        var slower = Math.Max(0, (own - Aim * (bare - bareWaiting)) / (Aim * count - durable));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
              {what}: {seconds:F2} s ({rounds.Min(r => r.Seconds):F2} to {rounds.Max(r => r.Seconds):F2}); {count} bare durable transactions {bare:F2} s
                for each: {1000 * seconds / units:F2} ms, of them {1000 * durable * wait / units:F2} ms waiting for the disk; {1000 * processor / units:F2} ms of processor time on all threads; {durable / units:F2} durable transactions of {transactions / units:F2}
                a bare transaction: {1000 * bare / count:F2} ms, of them {1000 * wait:F2} ms waiting for the disk; the aim of {Aim} would be met where that wait is {1000 * slower:F2} ms or longer
            """));
    }
}
