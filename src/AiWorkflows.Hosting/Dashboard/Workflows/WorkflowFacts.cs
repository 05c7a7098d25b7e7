using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>The numbers at the head of the overview.</summary>
internal static class WorkflowFacts
{
    private const int LiveDays = 7;

    public static Markup Render(WorkflowsModel model)
    {
        var totals = model.Totals;
        var running = model.OpenAndFailed.Where(run => run.State == States.Running).ToArray();
        var stages = running.Sum(run => model.Steps.GetValueOrDefault(run.RunId)?.Running ?? 0);
        var requested = model.OpenAndFailed.Count(run => run.State == States.Requested);
        var failed = totals.RunsFailed > 0 ? Markup.Of($"<span class=\"aw-t-bad\">{Format.Number(totals.RunsFailed)}</span>") : Markup.Text("0");
        return Facts(
            Fact("Running", Markup.Of($"{running.Length} {Small($"{(running.Length == 1 ? "run" : "runs")}, {Format.Count(stages, "stage")}")}"),
                Markup.Text(requested == 0 ? "none waits" : $"{Format.Count(requested, "request")} waiting")),
            Fact("Failed, last 24 h", Markup.Of($"{failed} {Small($"of {Format.Count(totals.Runs, "run")}")}"), Markup.Text(Failing(model))),
            Fact("Rows published, last 24 h", Markup.Text(Format.Number(totals.RowsPublished)), Markup.Text($"{Format.Count(totals.Commits, "commit")} of new or changed rows")),
            Fact("Quarantined, last 24 h", Markup.Of($"{Format.Number(totals.RowsQuarantined)} {Small(totals.RowsQuarantined == 1 ? "row" : "rows")}"),
                Markup.Text(totals.RowsComputed == 0 ? "nothing was computed" : Share(totals.RowsQuarantined, totals.RowsComputed + totals.RowsQuarantined) + " of rows computed")),
            Fact("Predictions, last 24 h", Markup.Text(Format.Number(totals.Predictions)), Markup.Text("published by batch inference")),
            Live(model));
    }

    /// <summary>A share that is not zero is not shown as zero.</summary>
    internal static string Share(long part, long whole) => part * 100d / whole is var percent && percent is > 0 and < 0.001 ? "under 0.001%" : Format.Number(percent, "0.###") + "%";

    private static string Failing(WorkflowsModel model)
    {
        string[] workflows = [.. model.OpenAndFailed.Where(run => !run.IsOpen).Select(run => run.Workflow).Distinct()];
        return workflows.Length == 0 ? "none is left unresolved" : "unresolved: " + Format.Shorten(string.Join(", ", workflows), 40);
    }

    /// <summary>Days weigh as much as they have outcomes.</summary>
    private static Markup Live(WorkflowsModel model)
    {
        var days = model.LiveAuc.Where(day => day.MetricValue is not null && day.Outcomes > 0).ToArray();
        if (days.Length == 0)
            return Fact("Live AUC", Markup.Text("–"), Markup.Text("appears when outcomes are known"));
        var newest = days.Max(day => day.Day.Value);
        var recent = days.Where(day => day.Day.Value > newest.AddDays(-LiveDays)).ToArray();
        var outcomes = recent.Sum(day => day.Outcomes);
        var auc = recent.Sum(day => day.MetricValue!.Value * day.Outcomes) / outcomes;
        return Fact($"Live AUC, {LiveDays} days to {Timestamps.Display(newest)}", Markup.Text(Format.Number(auc, "0.000")),
            Markup.Text($"{Format.Number(outcomes * 100d / Math.Max(1, recent.Sum(day => day.Predictions)), "0.#")}% of outcomes known"));
    }
}
