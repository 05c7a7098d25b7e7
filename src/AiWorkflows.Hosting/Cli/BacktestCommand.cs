using System.CommandLine;
using System.Globalization;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>backtest WORKFLOW</c>: a backfill that trains and predicts beside the workflow's own models and predictions, and what its predictions were worth.</summary>
internal static class BacktestCommand
{
    public static Command Create(CliContext context)
    {
        var workflow = Build.Name("WORKFLOW", "Name of the workflow.");
        var from = Build.Text("--from", "Start of the first period, UTC: 2001-03-01. What lies before it must be in the store.", "TIME");
        var to = Build.Text("--to", "End of the last period, UTC; not part of it.", "TIME");
        var every = Build.Text("--retrain-every", "Length of a period, a multiple of the workflow's cell: 7d, 1d, 12h.", "SPAN");
        var again = Build.Flag("--again", "Make a new backtest even if the same was requested before.");
        var detach = Build.Flag("--detach", "Only request it; a serving host does the work.");
        return Build.WithResult(context, "backtest", "Walks forward through history: trains at the start of each period, predicts it, and compares with what became of it and with the baseline.",
            i => BackfillCommands.FollowAsync(i, i.Value(detach), engine => RequestAsync(i, engine, new(
                i.Value(workflow), Need(i, from), Need(i, to), SpanText.Parse(i.Value(every) ?? throw Missing(every), every.Name), null, Train: true, [], CliContext.Who, i.Value(again), Backtest: true)),
                WriteAsync),
            workflow, from, to, every, again, detach);
    }

    private static async Task<(long Id, string Message)> RequestAsync(Invocation i, RunEngine engine, BackfillOrder order)
    {
        var (backtest, created) = await engine.RequestBackfillAsync(order, i.Ct);
        return (backtest.BackfillId, created
            ? $"Backtest {backtest.BackfillId} of {backtest.Workflow} for {backtest.Window}, retrained every {SpanText.Of(backtest.Every)}, was requested; its models are called {backtest.Alias}."
            : $"Backtest {backtest.BackfillId} is that request already, since {Format.Moment(backtest.RequestedAt)}; --again makes another one.");
    }

    /// <returns>The exit code of the whole.</returns>
    private static async Task<int> WriteAsync(Invocation i, BackfillRow backtest)
    {
        var windows = await i.Context.Query<BackfillQueries>().WindowsAsync(backtest.BackfillId, 0, i.Ct);
        var periods = await ActivatorUtilities.CreateInstance<BacktestReport>(i.Context.Services).MakeAsync(backtest.Workflow, windows.Select(w => (w.RunId, new Window(w.WindowFrom, w.WindowTo), w.State)), i.Ct);
        i.Output.Object(new { Backtest = backtest, Periods = periods }, () => Write(i.Output, backtest, periods));
        if (backtest.State == States.Succeeded)
            return 0;
        await BackfillCommands.ExplainAsync(i, backtest, windows);
        return 1;
    }

    private static void Write(Output output, BackfillRow backtest, IReadOnlyList<BacktestPeriod> periods)
    {
        output.Heading($"Backtest {backtest.BackfillId} of {backtest.Workflow}: {BackfillFollower.Counts(backtest)}");
        foreach (var pipeline in periods.GroupBy(p => p.Pipeline))
        {
            output.Table([.. pipeline],
                new("period", p => new Window(p.WindowFrom, p.WindowTo).ToString()), new("model", p => p.Model is null ? "-" : $"{p.Model} v{p.Version}{(p.Trained ? "" : ", not promoted anew")}"),
                new("predictions", p => Format.Count(p.Predictions), Right: true), new("known", p => Format.Count(p.Known), Right: true), new(pipeline.First().Metric, p => Format.Metric(p.Value), Right: true),
                new("baseline", p => p.Baseline is null ? "-" : $"{Format.Metric(p.BaselineValue)} {p.Baseline}"),
                new("", p => p.Reason is { } reason ? Format.OneLine(reason, 100) : p.BeatsBaseline switch { true => "better", false => "not better", null => "" }));
            BacktestPeriod[] told = [.. pipeline.Where(p => p.BeatsBaseline is not null)];
            output.Line(told.Length == 0
                ? $"{pipeline.Key}: no period has predictions whose outcome is known."
                : string.Create(CultureInfo.InvariantCulture, $"{pipeline.Key}: better than the baseline in {told.Count(p => p.BeatsBaseline == true)} of {Format.Count(told.Length, "period")}; on average, weighted by what is known, {told[0].Metric} {Format.Metric(Mean(told, p => p.Value!.Value))} against {Format.Metric(Mean(told, p => p.BaselineValue!.Value))}."));
        }
    }

    private static double Mean(BacktestPeriod[] periods, Func<BacktestPeriod, double> value) => periods.Sum(p => value(p) * p.Known) / periods.Sum(p => p.Known);

    private static DateTime Need(Invocation i, Option<string> option) => i.Time(option) ?? throw Missing(option);

    private static InvalidRequestException Missing(Option option) => new($"`backtest` needs --from, --to and --retrain-every; {option.Name} is missing.");
}
