using System.CommandLine;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>workflows list|show|pause|resume</c></summary>
internal static class WorkflowCommands
{
    public static Command Create(CliContext context)
    {
        var name = Build.Name("NAME", "Name of the workflow.");
        return Build.Group("workflows", "Workflows: list, show, pause and resume their schedules.",
            Build.Reading(context, "list", "Lists the workflows with schedule, owed windows and last run.", ListAsync),
            Build.Reading(context, "show", "Shows the stages of a workflow and how far each has come.", i => ShowAsync(i, i.Value(name)), name),
            Build.Acting(context, "pause", "Stops the schedule; requests by people go on working.", i => PauseAsync(i, i.Value(name)), name),
            Build.Acting(context, "resume", "Lets the schedule go on.", i => ResumeAsync(i, i.Value(name)), name));
    }

    private static async Task ListAsync(Invocation i)
    {
        var lines = new List<WorkflowLine>();
        foreach (var workflow in i.Context.Catalog.Workflows)
            lines.Add(await i.Context.Query<WorkflowOverview>().LineAsync(workflow, i.Ct));
        i.Output.List(lines, "No workflows are defined; add one with ai.Workflow(…).",
            new("workflow", l => l.Workflow), new("schedule", l => l.Paused ? $"paused by {l.PausedBy}" : l.Schedule), new("owed", Owed),
            new("last run", l => l.LastRunId?.ToString(System.Globalization.CultureInfo.InvariantCulture), Right: true), new("state", l => l.LastRunState),
            new("finished", l => Format.Moment(l.LastRunFinishedAt)));
    }

    private static string Owed(WorkflowLine line) =>
        line is { OwedFrom: { } from, OwedTo: { } to } ? $"{Timestamps.Display(from)} to {Timestamps.Display(to)}" : "nothing";

    private static async Task ShowAsync(Invocation i, string name)
    {
        var workflow = i.Context.Catalog.Workflow(name);
        var (line, stages) = (await i.Context.Query<WorkflowOverview>().LineAsync(workflow, i.Ct), await i.Context.Query<WorkflowOverview>().StagesAsync(workflow, i.Ct));
        var shown = new
        {
            line.Workflow, line.Schedule, line.Paused, line.PausedBy,
            WindowSeconds = workflow.WindowSize.TotalSeconds, workflow.Origin, WarmUp = workflow.WarmUpUntil, workflow.Until,
            line.OwedWindows, line.OwedFrom, line.OwedTo, line.LastRunId, line.LastRunState, Stages = stages,
        };
        i.Output.Object(shown, () =>
        {
            i.Output.Fields(
                ("workflow", workflow.Name),
                ("schedule", line.Paused ? $"{workflow.Cron ?? "none"}, paused by {line.PausedBy}" : workflow.Cron ?? "none"),
                ("on new data", workflow.OnNewData is { } debounce ? $"{SpanText.Of(debounce)} after the last commit of {string.Join(", ", RunEngine.GroupsOfOthers(workflow).Select(g => g.Name))}" : null),
                ("windows", $"{Format.Age(workflow.WindowSize)} each, from {Timestamps.Display(workflow.Origin)} on"),
                ("warm-up until", workflow.WarmUpUntil is { } warmUp ? Timestamps.Display(warmUp) : null),
                ("data until", workflow.Until is { } until ? Timestamps.Display(until) : null),
                ("owed", Owed(line)),
                ("last run", line.LastRunId is { } id ? $"{id}, {line.LastRunState}" : "none"));
            i.Output.Line();
            i.Output.Table(stages,
                new("stage", s => s.Stage), new("kind", s => s.Kind), new("after", s => string.Join(", ", s.After)),
                new("reads", s => s.Reads), new("writes", s => s.Writes), new("watermark", s => Format.Time(s.Watermark)));
        });
    }

    private static async Task<int> PauseAsync(Invocation i, string name)
    {
        var engine = i.Context.Get<RunEngine>();
        await engine.RegisterAsync(i.Ct);
        await engine.PauseAsync(i.Context.Catalog.Workflow(name).Name, CliContext.Who, i.Ct);
        i.Output.Line($"{name} is paused: its schedule requests nothing until `workflows resume {name}`.");
        return 0;
    }

    private static async Task<int> ResumeAsync(Invocation i, string name)
    {
        var engine = i.Context.Get<RunEngine>();
        await engine.RegisterAsync(i.Ct);
        await engine.ResumeScheduleAsync(i.Context.Catalog.Workflow(name).Name, CliContext.Who, i.Ct);
        i.Output.Line($"{name} follows its schedule again{(i.Context.Catalog.Workflow(name).Cron is { } cron ? $" ({cron}, UTC)" : ", although it has none")}.");
        return 0;
    }
}
