using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>What somebody should look at, worst first: failed runs, models that lost to their baseline.</summary>
internal static class Attention
{
    private const int Most = 8;

    public static Markup Render(WorkflowsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context)
    {
        Markup[] items = [.. Failed(model, context), .. NotPromoted(model, workflows, context)];
        return items.Length == 0
            ? Empty(Markup.Of($"<svg class=\"aw-i aw-t-ok\" aria-hidden=\"true\"><use href=\"#aw-ok\"/></svg> Nothing needs you. Failed runs and models below their baseline appear here."))
            : Markup.Of($"<ul class=\"aw-list\">{items.Take(Most)}</ul>");
    }

    private static IEnumerable<Markup> Failed(WorkflowsModel model, PageContext context) =>
        from failed in model.OpenAndFailed.Where(run => !run.IsOpen).GroupBy(run => run.Workflow)
        let newest = failed.MaxBy(run => run.RunId)!
        orderby newest.FinishedAt?.Value descending
        select Item(Status.Bad,
            Markup.Of($"{Link(context.Run(newest.RunId), newest.Workflow)} failed{(failed.Count() == 1 ? "" : $", {Format.Count(failed.Count(), "run")} unresolved")}"),
            $"run {newest.RunId.ToString(CultureInfo.InvariantCulture)}, {Timestamps.Display(newest.WindowFrom.Value)}: {Format.Shorten(Format.FirstLine(newest.Error ?? newest.Reason ?? "no error was recorded"), 200)}",
            newest.FinishedAt is { } end ? context.Time(end.Value) : Markup.Empty);

    private static IEnumerable<Markup> NotPromoted(WorkflowsModel model, IReadOnlyList<WorkflowDefinition> workflows, PageContext context) =>
        from name in workflows.SelectMany(workflow => workflow.Stages).Select(stage => stage.Training?.ModelName).OfType<string>().Distinct()
        let newest = model.Versions[name].LastOrDefault()
        where newest is { IsChampion: false } && newest.PrimaryValue <= newest.BaselineValue
        select Item(Status.Warn, Markup.Of($"<b>{name}</b> v{newest.Version} does not beat its baseline"), newest.Promotion, context.Time(newest.CreatedAt.Value));

    private static Markup Item(string look, Markup title, string why, Markup when) => Markup.Of(
        $"<li><svg class=\"aw-i aw-t-{look}\" aria-hidden=\"true\"><use href=\"#aw-{look}\"/></svg><div>{title}<br><span class=\"aw-muted aw-small\">{why}</span></div><span class=\"aw-muted aw-small aw-nowrap\">{when}</span></li>");
}
