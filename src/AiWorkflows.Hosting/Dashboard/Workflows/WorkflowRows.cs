using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Cronos;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>A row per workflow: state, schedule, newest windows, watermark, champion over its baseline, actions.</summary>
internal static class WorkflowRows
{
    public static Markup Render(WorkflowsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        Markup[] headings =
        [
            Table.Heading("Workflow"), Table.Heading("State"), Table.Heading("Schedule (UTC)"), Table.Heading($"Last {DashboardReader.StripCells} windows"),
            Table.Heading("Watermark"), Table.Heading("Champion, metric over baseline"), Table.HiddenHeading("Actions"),
        ];
        return Table.Of("Workflows", "aw-tall", headings, workflows.Select(workflow => Row(workflow, model, context)));
    }

    private static Markup Row(WorkflowDefinition workflow, WorkflowsModel model, PageContext context)
    {
        DashboardRun[] runs = [.. model.Runs.Where(run => run.Workflow == workflow.Name)];
        var paused = model.States.FirstOrDefault(state => state.Workflow == workflow.Name) is { PausedAt: not null } state ? state : null;
        return Table.Row(
            Link(context.WorkflowRuns(workflow.Name), workflow.Name, "aw-name")
                + Markup.Of($"<span class=\"aw-desc aw-nowrap\" data-tip=\"{string.Join(", ", workflow.Stages.Select(stage => stage.Name))}\">{Format.Count(workflow.Stages.Count, "stage")} · {Format.Grid(workflow.WindowSize)}</span>"),
            Table.Cell(State(workflow, model, runs, paused)), Table.Cell(Schedule(workflow, paused, model.IsReplay ? model.EventTime : null, context)),
            Table.Cell(WindowStrip.Render(workflow, runs, model, context)), Table.Cell(Watermark(workflow, model, runs)),
            Table.Cell(Champion(workflow, model, context)), Table.Cell(Actions(workflow, paused, context)));
    }

    private static Markup State(WorkflowDefinition workflow, WorkflowsModel model, DashboardRun[] runs, DashboardWorkflow? paused)
    {
        if (model.OpenAndFailed.Where(run => run.Workflow == workflow.Name && run.IsOpen).MaxBy(run => run.State == States.Running) is { } open)
            return Status.OfRun(open.State, model.Steps.GetValueOrDefault(open.RunId)?.Share);
        if (paused is not null)
            return Status.Badge(Status.Pause);
        return model.OpenAndFailed.Any(run => run.Workflow == workflow.Name) ? Status.Badge(Status.Bad)
            : runs.MaxBy(run => run.RunId) is { } last ? Status.OfRun(last.State) : Status.Badge(Status.None, "never run");
    }

    private static Markup Schedule(WorkflowDefinition workflow, DashboardWorkflow? paused, DateTime? replayed, PageContext context)
    {
        if (workflow.Cron is not { } cron)
            return workflow.OnNewData is { } debounce ? Muted($"on new data, {Format.Coarse(debounce)} after the last") : Muted("on request");
        var code = Markup.Of($"<code>{cron}</code>");
        if (paused is { PausedAt: { } since })
            return code + Note(Markup.Of($"paused by {paused.PausedBy}, {context.Time(since.Value)}"));
        return code + (Next(workflow, replayed ?? context.Now) is { } next ? Note(replayed is null ? Markup.Of($"next {context.Time(next)}") : Markup.Text($"next {Timestamps.Display(next)}, replayed")) : Markup.Empty);
    }

    /// <summary>The schedule's next tick after a moment; null without one.</summary>
    internal static DateTime? Next(WorkflowDefinition workflow, DateTime now)
    {
        if (workflow.Cron is not { } cron)
            return null;
        var format = cron.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard;
        return CronExpression.TryParse(cron, format, out var expression) ? expression.GetNextOccurrence(now) : null;
    }

    /// <summary>How far all pipelines of the workflow have come: the one that is furthest behind decides.</summary>
    private static Markup Watermark(WorkflowDefinition workflow, WorkflowsModel model, DashboardRun[] runs)
    {
        var marks = workflow.Stages.Where(stage => model.Watermarks.ContainsKey(stage.Name)).Select(stage => (stage.Name, At: model.Watermarks[stage.Name])).ToArray();
        if (marks.Length == 0)
            return Muted("nothing yet");
        var at = marks.Min(mark => mark.At);
        var end = WindowStrip.End(workflow, [], model.EventTime);
        var behind = (long)Math.Ceiling((end - at) / workflow.WindowSize);
        var waiting = runs.Any(run => run.IsOpen);
        var state = behind <= 0 ? Status.Badge(Status.Ok, "current")
            : Status.Badge(waiting ? Status.Wait : Status.Warn, $"{Format.Count(behind, "window")} {(waiting ? "waiting" : "behind")}");
        var tip = string.Join("\n", marks.Select(mark => $"{mark.Name}: {Timestamps.Display(mark.At)}"));
        return Markup.Of($"<span class=\"aw-nowrap\" data-tip=\"{tip}\">{Timestamps.Display(at)}</span>{Note(state)}");
    }

    private static Markup Champion(WorkflowDefinition workflow, WorkflowsModel model, PageContext context)
    {
        string[] models = [.. workflow.Stages.Select(stage => stage.Training?.ModelName).OfType<string>().Distinct()];
        if (models.Length == 0)
            return Muted("no model");
        return Markup.Concat(models.Select(name => OneModel(name, [.. model.Versions[name]], context)));
    }

    private static Markup OneModel(string name, DashboardVersion[] versions, PageContext context)
    {
        if (versions.Length == 0)
            return Muted("no version yet");
        var newest = versions[^1];
        if (versions.FirstOrDefault(version => version.IsChampion) is not { } champion)
            return Markup.Of($"<span class=\"aw-muted\" data-tip=\"{newest.Promotion}\">no champion: v{newest.Version} was not promoted</span>");
        var metric = MetricName(champion.PrimaryMetric);
        var label = $"Hold-out {metric} of the last {Format.Count(versions.Length, "version")}: {Value(versions.Min(v => v.PrimaryValue))} to {Value(versions.Max(v => v.PrimaryValue))}, baseline {Value(champion.BaselineValue)}";
        return Markup.Of(
            $"""
            <div class="aw-inline">{Spark.Render([.. versions.Select(version => version.PrimaryValue)], champion.BaselineValue, label)}<div>{Link(context.Url("/models/" + Uri.EscapeDataString(name)), name, "aw-name")} <span class="aw-muted">v{champion.Version}</span><span class="aw-desc">{metric} <b>{Value(champion.PrimaryValue)}</b> <span class="aw-nowrap">over {Value(champion.BaselineValue)}</span></span></div></div>
            """);
    }

    internal static string MetricName(string metric) => metric switch { "auc" => "AUC", "r2" => "R²", "rmse" => "RMSE", "mae" => "MAE", "log_loss" => "log loss", _ => metric.Replace('_', ' ') };

    private static string Value(double value) => Format.Number(value, "0.000");

    private static Markup Actions(WorkflowDefinition workflow, DashboardWorkflow? paused, PageContext context)
    {
        if (context.IsReadOnly)
            return Link(context.Workflow(workflow.Name), "Details", "btn btn-default btn-xs");
        var url = context.Url("/workflows/" + Uri.EscapeDataString(workflow.Name));
        var run = Action(url + "/run", "Run now");
        var pause = workflow.Cron is null ? Markup.Empty
            : paused is null ? Action(url + "/pause", "Pause", confirm: "Pause the schedule? A run in progress is finished.") : Action(url + "/resume", "Resume");
        return Markup.Of($"<div class=\"aw-actions\">{run}{pause}{Link(context.Workflow(workflow.Name), "More…", "btn btn-default btn-xs")}</div>");
    }
}
