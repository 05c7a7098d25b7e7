using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>Runs in progress, requests that wait, and the next ticks of the schedules.</summary>
internal static class RunningAndNext
{
    private const int MostRuns = 8;
    private const int MostTicks = 3;

    public static Markup Render(WorkflowsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        var open = model.OpenAndFailed.Where(run => run.IsOpen).OrderByDescending(run => run.State == States.Running).ThenBy(run => run.RunId).ToArray();
        var paused = model.States.Where(state => state.PausedAt is not null).Select(state => state.Workflow).ToHashSet();
        var ticks = workflows.Where(workflow => !paused.Contains(workflow.Name))
            .Select(workflow => (workflow.Name, At: WorkflowRows.Next(workflow, model.IsReplay ? model.EventTime : context.Now))).Where(tick => tick.At is not null).OrderBy(tick => tick.At).Take(MostTicks);
        Markup[] items = [.. open.Take(MostRuns).Select(run => Run(run, model, workflows, context)), .. ticks.Select(tick => Tick(tick.Name, tick.At!.Value, model.IsReplay, context))];
        return items.Length == 0
            ? Empty(Markup.Text("Nothing runs, and no schedule is due. Runs appear here within two seconds of their request, from wherever it came."))
            : Markup.Of($"<ul class=\"aw-list\">{items}</ul>");
    }

    private static Markup Run(DashboardRun run, WorkflowsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        var steps = model.Steps.GetValueOrDefault(run.RunId);
        var look = Status.Of(run.State);
        var window = Format.Window(run.WindowFrom.Value, run.WindowTo.Value, workflows.FirstOrDefault(workflow => workflow.Name == run.Workflow)?.WindowSize);
        var what = run.State == States.Requested ? "requested; starts when the workflow has room"
            : steps is null ? "being planned"
            : $"{steps.RunningStep ?? "between two steps"}, {steps.Done} of {Format.Count(steps.Steps, "step")} done";
        var right = run.StartedAt is { } start
            ? Markup.Of($"started {context.Time(start.Value)}{Bar(steps?.Share ?? 0, look, Format.Percent(steps?.Share ?? 0), 120)}")
            : Markup.Of($"requested {context.Time(run.RequestedAt.Value)}");
        return Item(look, Markup.Of($"{Link(context.Run(run.RunId), run.Workflow, "aw-name")} <span class=\"aw-muted\">{run.RunId.ToString(CultureInfo.InvariantCulture)} · {window}</span>"), what, right);
    }

    private static Markup Tick(string workflow, DateTime at, bool isReplay, PageContext context) => Item(Status.Wait,
        Markup.Of($"{Link(context.WorkflowRuns(workflow), workflow, "aw-name")} <span class=\"aw-muted\">next tick</span>"),
        $"at {at.ToString("HH:mm", CultureInfo.InvariantCulture)} UTC, by the schedule; runs what is owed then", isReplay ? Markup.Text(Timestamps.Display(at)) : context.Time(at));

    private static Markup Item(string look, Markup title, string what, Markup right) => Markup.Of(
        $"<li><svg class=\"aw-i aw-t-{look}\" aria-hidden=\"true\"><use href=\"#aw-{look}\"/></svg><div>{title}<br><span class=\"aw-small\">{what}</span></div><div class=\"aw-num aw-small aw-muted\">{right}</div></li>");
}
