using System.CommandLine;
using Microsoft.AspNetCore.Builder;

namespace AiWorkflows.Hosting.Cli;

/// <summary>All commands.</summary>
internal static class CommandTree
{
    public static RootCommand Create(WebApplication app, CliContext context)
    {
        var root = new RootCommand("Feature, training and inference pipelines. Without a command the host serves.");
        root.SetAction((_, ct) => ServeCommand.RunAsync(app, ct));
        root.Add(Serve(app, context));
        root.Add(RunCommand.Create(context));
        root.Add(BackfillCommands.Create(context));
        root.Add(WorkflowCommands.Create(context));
        root.Add(RunsCommands.Create(context));
        root.Add(FeatureCommands.Create(context));
        root.Add(QuarantineCommands.Create(context));
        root.Add(ModelCommands.Create(context));
        root.Add(PredictionCommands.Create(context));
        root.Add(KeyCommands.Create(context));
        root.Add(RetentionCommands.Create(context));
        root.Add(StoreCommands.Backup(context));
        root.Add(StoreCommands.Query(context));
        root.Add(StoreCommands.Migrate(context));
        root.Add(DoctorCommand.Create(context));
        foreach (var later in new[] { "backtest", "streams" })
            root.Add(LaterCommands.Create(context, later));
        return root;
    }

    private static Command Serve(WebApplication app, CliContext context)
    {
        var (replay, speed) = (LaterCommands.Option("--replay"), LaterCommands.Option("--speed"));
        // The configuration reads it; here it is for the help.
        var urls = Build.Text("--urls", "Where to listen; off loopback only with authentication. Default: http://localhost:5000.", "URLS");
        var serve = new Command("serve", "Serves the dashboard and the API, and runs what is scheduled or requested, until it is stopped.") { replay, speed, urls };
        serve.SetAction((parsed, ct) => parsed.GetResult(replay) is not null || parsed.GetResult(speed) is not null
            ? Task.FromResult(LaterCommands.Refuse(context, "serve --replay"))
            : ServeCommand.RunAsync(app, ct));
        return serve;
    }
}
