using System.CommandLine;
using Microsoft.AspNetCore.Builder;

namespace AiWorkflows.Hosting.Cli;

/// <summary>All commands.</summary>
internal static class CommandTree
{
    public static RootCommand Create(WebApplication app, CliContext context)
    {
        var root = new RootCommand("Feature, training and inference pipelines. Without a command the host serves.");
        root.SetAction((_, ct) => ServeCommand.RunAsync(app, replay: null, ct));
        root.Add(Serve(app));
        root.Add(RunCommand.Create(context));
        root.Add(BackfillCommands.Create(context));
        root.Add(BacktestCommand.Create(context));
        root.Add(WorkflowCommands.Create(context));
        root.Add(RunsCommands.Create(context));
        root.Add(FeatureCommands.Create(context));
        root.Add(QuarantineCommands.Create(context));
        root.Add(ModelCommands.Create(context));
        root.Add(PredictionCommands.Create(context));
        root.Add(StreamCommands.Create(context));
        root.Add(KeyCommands.Create(context));
        root.Add(RetentionCommands.Create(context));
        root.Add(StoreCommands.Backup(context));
        root.Add(StoreCommands.Query(context));
        root.Add(StoreCommands.Migrate(context));
        root.Add(DoctorCommand.Create(context));
        return root;
    }

    private static Command Serve(WebApplication app)
    {
        var replay = Build.Text("--replay", "Lets history happen again from this time (UTC) on, in a database of its own, by an accelerated clock.", "T");
        var speed = Build.Text("--speed", "Seconds of history in one of real time. Default: 3600, an hour a second.", "N");
        // The configuration reads it; here it is for the help.
        var urls = Build.Text("--urls", "Where to listen; off loopback only with authentication. Default: http://localhost:5000.", "URLS");
        var serve = new Command("serve", "Serves the dashboard and the API, and runs what is scheduled or requested, until it is stopped.") { replay, speed, urls };
        serve.SetAction((parsed, ct) => (parsed.GetValue(replay), parsed.GetValue(speed)) switch
        {
            ({ } from, var times) => ServeCommand.RunAsync(app, Replay.Prepare(app.Services, from, times), ct),
            (null, not null) => throw new InvalidRequestException("--speed is that of a replay; say from when on: serve --replay 2001-05-01 --speed 3600."),
            _ => ServeCommand.RunAsync(app, replay: null, ct),
        });
        return serve;
    }
}
