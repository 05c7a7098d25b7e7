using AiWorkflows.Inference;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using StoreDatabase = AiWorkflows.Storage.StoreDatabase;
using Utc = AiWorkflows.Storage.Utc;

namespace AiWorkflows.Hosting.Cli;

/// <summary>What <c>run</c> says at the end: rows, model next to its baselines, predictions, and where to look next; or what failed and what to do.</summary>
internal static class RunSummary
{
    private sealed record GroupLine(string FeatureGroup, int Version, long Rows, long RowsComputed, long RowsQuarantined, IReadOnlyList<string> Rules);

    private sealed record PredictionLine(string Pipeline, string Model, int Version, Utc WindowFrom, Utc WindowTo, bool Hindsight, long Predictions, long Scored, double? Auc, long? ExampleId);

    /// <returns>The exit code: 1 if the last run did not succeed.</returns>
    public static async Task<int> WriteAsync(Invocation i, IReadOnlyList<long> runIds, TimeSpan elapsed)
    {
        var reports = new List<RunReport>();
        foreach (var runId in runIds)
            reports.Add(await RunReport.LoadAsync(i.Context, runId, i.Ct));
        var last = reports[^1].Run;
        var groups = Groups(reports);
        var predictions = await PredictionsAsync(i, reports);
        var models = reports.SelectMany(r => r.Models).ToList();
        var shown = new
        {
            Outcome = last.State, Seconds = Math.Round(elapsed.TotalSeconds, 1), Runs = reports.Select(r => r.Run), FeatureGroups = groups,
            Models = models.Select(m => new { m.Model, m.Version, m.Aliases, Metric = m.PrimaryMetric, Value = m.PrimaryValue, Baselines = Metrics.Baselines(m).ToDictionary(b => b.Name, b => b.Value), m.Promotion, m.TrainingRows, m.HoldoutRows, m.CutOff }),
            Predictions = predictions,
            Failed = reports.SelectMany(r => r.FailedSteps()).Select(s => new { s.Step, s.Error }),
        };
        i.Output.Object(shown, () => Write(i, reports, groups, models, predictions, elapsed));
        return last.State == States.Succeeded ? 0 : Fail(i, reports[^1]);
    }

    private static void Write(Invocation i, List<RunReport> reports, IReadOnlyList<GroupLine> groups, List<VersionDetail> models, IReadOnlyList<PredictionLine> predictions, TimeSpan elapsed)
    {
        var (last, output) = (reports[^1].Run, i.Output);
        if (groups.Count > 0)
        {
            output.Heading("Features");
            output.Table(groups, new("feature group", g => g.FeatureGroup), new("rows computed", g => Format.Count(g.RowsComputed), Right: true), new("new or changed", g => Format.Count(g.Rows), Right: true),
                new("quarantined", g => g.RowsQuarantined == 0 ? "0" : $"{Format.Count(g.RowsQuarantined)} ({string.Join("; ", g.Rules)})", Right: true));
        }
        foreach (var model in models)
        {
            output.Heading($"Model {model.Model} v{model.Version}{(model.Aliases is { Length: > 0 } a ? $" ({a})" : "")}");
            output.Fields(
                ($"  {model.PrimaryMetric.ToUpperInvariant()} on the holdout", $"{Format.Metric(model.PrimaryValue)} ({Format.Count(model.HoldoutRows, "example")}; trained on {Format.Count(model.TrainingRows)})"),
                ("  baselines", string.Join(", ", Metrics.Baselines(model).Select(b => $"{b.Name} {Format.Metric(b.Value)}")) is { Length: > 0 } baselines ? baselines : Format.Metric(model.BaselineValue)),
                ("  promotion", model.Promotion));
        }
        if (predictions.Count > 0)
        {
            output.Heading("Predictions");
            foreach (var p in predictions)
                output.Line(p.WindowFrom == p.WindowTo ? $"  none: the whole window lies before the cut-off of {p.Model} v{p.Version}; --hindsight scores it and flags the predictions" : $"  {Format.Count(p.Predictions, "prediction")} by {p.Model} v{p.Version} for {Format.Window(p.WindowFrom, p.WindowTo)}{(p.Hindsight ? ", in hindsight" : "")}"
                    + (p.Auc is { } auc ? $"; AUC {Format.Metric(auc)} on {Format.Count(p.Scored)} whose outcome is known" : p.Scored > 0 ? $"; {Format.Count(p.Scored)} outcomes known" : ""));
        }
        output.Line();
        output.Line(last.State == States.Succeeded
            ? $"{(reports.Count == 1 ? "Run" : "Runs")} {string.Join(" and ", reports.Select(r => r.Run.RunId))} of {last.Workflow} succeeded in {Format.Seconds(elapsed.TotalSeconds)}."
            : $"Run {last.RunId} of {last.Workflow} {last.State} after {Format.Seconds(elapsed.TotalSeconds)}.");
        if (last.State == States.Succeeded)
            Next(i, last, predictions);
    }

    private static void Next(Invocation i, RunRow last, IReadOnlyList<PredictionLine> predictions)
    {
        var output = i.Output;
        output.Heading("Where to look next");
        var example = predictions.LastOrDefault(p => p.ExampleId is not null);
        if (example is null)
            output.Line($"  runs show {last.RunId}");
        else
        {
            output.Line("  predictions list");
            output.Line($"  predictions explain {example.ExampleId}");
            output.Line($"  sql \"{SuggestedQueries.Scored(i.Context.Get<StoreDatabase>())}\"");
        }
        output.Line("  serve                      and open /hangfire");
    }

    private static int Fail(Invocation i, RunReport report)
    {
        var (run, error) = (report.Run, i.Context.Console.Error);
        foreach (var step in report.FailedSteps())
            error.WriteLine($"{step.Step} failed: {Format.OneLine(step.Error ?? "no error was recorded", 600)}");
        if (!report.FailedSteps().Any())
            error.WriteLine($"Run {run.RunId} is {run.State}: {Format.OneLine(run.Error ?? run.Reason ?? "no reason was recorded", 600)}");
        error.WriteLine($"Nothing that was published before is damaged. `runs logs {run.RunId}` shows more; `runs resume {run.RunId}` goes on where it stopped.");
        return 1;
    }

    private static List<GroupLine> Groups(IEnumerable<RunReport> reports)
    {
        var rules = reports.SelectMany(r => r.Quarantine).ToLookup(q => q.FeatureGroup);
        return [.. reports.SelectMany(r => r.Commits).GroupBy(c => (c.FeatureGroup, c.Version)).Select(g => new GroupLine(
            g.Key.FeatureGroup, g.Key.Version, g.Sum(c => c.Rows), g.Sum(c => c.RowsComputed), g.Sum(c => c.RowsQuarantined),
            [.. rules[g.Key.FeatureGroup].GroupBy(q => q.Rule).Select(q => $"{q.Key}: {Format.Count(q.Sum(x => x.Rows))}")]))];
    }

    private static async Task<List<PredictionLine>> PredictionsAsync(Invocation i, IEnumerable<RunReport> reports)
    {
        var lines = new List<PredictionLine>();
        foreach (var batch in reports.SelectMany(r => r.Batches))
        {
            var quality = new LiveAuc();
            if (!batch.Hindsight && batch.Role == "champion")
                await foreach (var row in i.Context.Get<IPredictionLog>().ScoredAsync(batch.Pipeline, new(batch.WindowFrom.Value, batch.WindowTo.Value), i.Ct))
                    quality.Add(row);
            lines.Add(new(batch.Pipeline, batch.Model, batch.Version, batch.WindowFrom, batch.WindowTo, batch.Hindsight, batch.Rows, quality.Known, quality.Auc, batch.Rows > 0 ? batch.BatchId << 32 : null));
        }
        return lines;
    }
}
