using System.CommandLine;
using System.Diagnostics;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>run WORKFLOW</c>: requests what is owed (or a window), does the work or lets the serving host do it, and shows it until it ends.</summary>
internal static class RunCommand
{
    public static Command Create(CliContext context)
    {
        var workflow = Build.Name("WORKFLOW", "Name of the workflow.");
        var from = Build.Text("--from", "Start of the window, UTC: 2001-06-01 or 2001-06-01T06:00Z. Default: everything that is owed.", "TIME");
        var to = Build.Text("--to", "End of the window, UTC; not part of it.", "TIME");
        var monolith = Build.Text("--monolith", "Run as one program: features and training (train), or features and inference (infer).", "train|infer");
        var hindsight = Build.Flag("--hindsight", "Also score examples from before the model's training cut-off; their predictions are flagged.");
        var detach = Build.Flag("--detach", "Only request it; a serving host does the work.");
        var (train, model) = (LaterCommands.Option("--train"), LaterCommands.Option("--model"));
        return Build.WithResult(context, "run", "Runs a workflow and shows it until nothing is owed.", i =>
            i.Parsed.GetResult(train) is not null ? Task.FromResult(LaterCommands.Refuse(context, "run --train"))
            : i.Parsed.GetResult(model) is not null ? Task.FromResult(LaterCommands.Refuse(context, "run --model"))
            : RunAsync(i, i.Value(workflow), i.Time(from), i.Time(to), i.Value(monolith), i.Value(hindsight), i.Value(detach)),
            workflow, from, to, monolith, hindsight, detach, train, model);
    }

    private static async Task<int> RunAsync(Invocation i, string workflow, DateTime? from, DateTime? to, string? monolith, bool hindsight, bool detach)
    {
        _ = i.Context.Catalog.Workflow(workflow);
        if (from is null != to is null)
            throw new InvalidRequestException($"{(from is null ? "--to" : "--from")} needs {(from is null ? "--from" : "--to")} beside it; without both, everything that is owed is run.");
        var mode = monolith switch
        {
            null => RunModes.Stages,
            "train" => RunModes.MonolithTrain,
            "infer" => RunModes.MonolithInfer,
            _ => throw NearMatches.Unknown("monolith", monolith, ["train", "infer"]),
        };
        var window = from is { } f && to is { } t ? i.Context.Get<RunEngine>().RequireWindow(workflow, f, t) : (Window?)null;
        var request = new WorkflowRequest(workflow, window, CliContext.Who, "manual", mode, hindsight);
        return await FollowAsync(i, detach, engine => engine.RequestAsync(request, i.Ct), window is null ? engine => engine.RequestAsync(request, i.Ct) : null);
    }

    /// <summary>Requests, then works and shows, or only shows what the serving host does.</summary>
    /// <param name="again">What is requested next when a run has succeeded; null where one run is all.</param>
    public static async Task<int> FollowAsync(Invocation i, bool detach, Func<RunEngine, Task<RequestResult>> request, Func<RunEngine, Task<RequestResult>>? again)
    {
        var engine = i.Context.Get<RunEngine>();
        if (detach)
            return await DetachAsync(i, engine, request);

        var clock = Stopwatch.StartNew();
        await using var host = new CliHost(i.Context);
        await host.TryStartAsync(i.Ct);
        var result = await request(engine);
        if (result.RunId is null)
        {
            i.Output.Object(new { Outcome = "nothing_owed", result.Message, Runs = Array.Empty<long>() }, () => i.Output.Line(result.Message));
            return 0;
        }
        if (!host.IsHost)
            i.Output.Line($"The host that has the database does the work, {host.Other}; this only shows it.");
        var runs = new List<long>();
        var follower = new RunFollower(i.Context, i.Output, host);
        try
        {
            while (result.RunId is { } runId && !runs.Contains(runId))
            {
                // What follows the first run goes without saying.
                i.Output.Line(runs.Count == 0 ? result.Message : $"Run {runId} for {result.Window}");
                runs.Add(runId);
                var end = await follower.FollowAsync(runId, i.Ct);
                if (end.State != States.Succeeded || again is null)
                    break;
                result = await again(engine);
                // The host goes on by itself, and may have finished the next run before the end of this one was seen.
                if (await i.Context.Query<RunQueries>().NextCatchUpAsync(runId, i.Ct) is { } next)
                    result = result with { RunId = next, Window = (await i.Context.Get<ILedger>().FindRunAsync(next, i.Ct))!.Window };
            }
        }
        catch (OperationCanceledException) when (i.Ct.IsCancellationRequested)
        {
            await host.DisposeAsync();
            await i.Context.Console.Error.WriteLineAsync(host.IsHost
                ? $"Interrupted: run {runs[^1]} has given back what it had not finished. `run` with the same workflow, or `serve`, goes on with it; `runs cancel {runs[^1]}` gives it up."
                : $"No longer showing run {runs[^1]}; the other host goes on with it. `runs show {runs[^1]}` shows how it ended.");
            return 1;
        }
        return await RunSummary.WriteAsync(i, runs, clock.Elapsed);
    }

    private static async Task<int> DetachAsync(Invocation i, RunEngine engine, Func<RunEngine, Task<RequestResult>> request)
    {
        await engine.RegisterAsync(i.Ct);
        var result = await request(engine);
        var isServed = await CliHost.IsHeldAsync(i.Context, i.Ct);
        i.Output.Object(new { Outcome = result.RunId is null ? "nothing_owed" : "requested", result.RunId, result.Message }, () =>
        {
            i.Output.Line(result.Message);
            if (result.RunId is { } runId)
                i.Output.Line(isServed ? $"`runs show {runId}` shows how far it is." : "No host is running: `serve` or `run` will start it.");
        });
        return 0;
    }
}
