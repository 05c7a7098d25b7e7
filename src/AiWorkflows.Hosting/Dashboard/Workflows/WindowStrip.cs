using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>The newest windows of a workflow, each with its latest run.</summary>
internal static class WindowStrip
{
    /// <param name="runs">Runs of this workflow, in any order.</param>
    public static Markup Render(WorkflowDefinition workflow, IReadOnlyList<DashboardRun> runs, WorkflowsModel model, PageContext context) =>
        Components.Strip($"{workflow.Name}, newest windows", Cells(workflow, runs, model, context));

    internal static IEnumerable<Components.Cell> Cells(WorkflowDefinition workflow, IReadOnlyList<DashboardRun> runs, WorkflowsModel model, PageContext context)
    {
        var newestFirst = runs.OrderByDescending(run => run.RunId).ToArray();
        var end = End(workflow, runs, model.EventTime);
        for (var i = DashboardReader.StripCells; i > 0; i--)
        {
            var (from, to) = (end - i * workflow.WindowSize, end - (i - 1) * workflow.WindowSize);
            if (from < workflow.Origin)
                continue;
            var cell = $"{Timestamps.Display(from)} UTC";
            if (newestFirst.FirstOrDefault(run => run.WindowFrom.Value < to && run.WindowTo.Value > from) is { } run)
                yield return new(Look(run, model), $"{cell}: {Words(run, model, context)}\nrun {run.RunId.ToString(CultureInfo.InvariantCulture)}{Span(run, workflow)}", context.Run(run.RunId));
            else
                yield return new(Status.None, $"{cell}: not requested", null);
        }
    }

    /// <summary>The end of the newest closed cell, or of the newest window that somebody asked for beyond it.</summary>
    internal static DateTime End(WorkflowDefinition workflow, IReadOnlyList<DashboardRun> runs, DateTime eventTime)
    {
        var clock = workflow.Until is { } until && until < eventTime ? until : eventTime;
        var end = WindowGrid.Of(workflow).Floor(clock);
        return runs.Count > 0 && runs.Max(run => run.WindowTo.Value) is var newest && newest > end ? newest : end;
    }

    private static string Look(DashboardRun run, WorkflowsModel model) =>
        run.State == States.Succeeded && model.Steps.GetValueOrDefault(run.RunId)?.Setbacks > 0 ? Status.Retry
        : run is { State: States.Cancelled, Reason: "overlap" } ? Status.Skip : Status.Of(run.State);

    private static string Words(DashboardRun run, WorkflowsModel model, PageContext context)
    {
        var look = Look(run, model);
        var took = run.StartedAt is { } start ? Format.Duration((run.FinishedAt?.Value ?? context.Now) - start.Value) : null;
        return look switch
        {
            Status.Run => $"running, {Format.Percent(model.Steps.GetValueOrDefault(run.RunId)?.Share ?? 0)}",
            Status.Wait => "requested",
            Status.Skip => "skipped, another run was in its way",
            Status.Bad when run.Error is { Length: > 0 } error => "failed, " + Format.Shorten(Format.FirstLine(error), 120),
            _ => took is null ? Status.Word(look) : $"{Status.Word(look)}, {took}",
        };
    }

    private static string Span(DashboardRun run, WorkflowDefinition workflow) =>
        run.WindowTo.Value - run.WindowFrom.Value == workflow.WindowSize ? "" : $", {Timestamps.Display(run.WindowFrom.Value)} to {Timestamps.Display(run.WindowTo.Value)}";
}
