using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Spectre.Console;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Shows a run until it ends: a live table on a terminal, a line when something starts or ends when piped, nothing with JSON.</summary>
internal sealed class RunFollower(CliContext context, Output output, CliHost host)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private readonly RunQueries _runs = context.Query<RunQueries>();

    /// <summary>Returns the run when it has ended.</summary>
    public async Task<RunRow> FollowAsync(long runId, CancellationToken ct)
    {
        if (output.IsJson || !output.Console.IsTerminal)
            return await WatchAsync(runId, new StepLines(output).Write, ct);
        var table = StepTable.Create();
        return await output.Console.Ansi.Live(table).StartAsync(live => WatchAsync(runId, (run, steps) =>
        {
            StepTable.Fill(table, steps, Now());
            live.Refresh();
        }, ct));
    }

    private async Task<RunRow> WatchAsync(long runId, Action<RunRow, IReadOnlyList<StepRow>> show, CancellationToken ct)
    {
        while (true)
        {
            var run = await RunReport.RequireAsync(context, runId, ct);
            show(run, PartitionedStep.Fold([.. (await _runs.StepsAsync(runId, ct)).Select(host.WithProgress)]));
            if (run.State is not (States.Requested or States.Running))
                return run;
            await Task.Delay(Look, ct);
            // The other host may have ended or died: then the work is ours.
            await host.TryStartAsync(ct);
        }
    }

    private static DateTime Now() => TimeProvider.System.GetUtcNow().UtcDateTime;

    /// <summary>What of a step is worth a few words.</summary>
    internal static string Rows(StepRow step) => step.RowsWritten > 0 ? Format.Count(step.RowsWritten, "row") : step.RowsRead > 0 ? $"{Format.Count(step.RowsRead, "row")} read" : "";
}

/// <summary>A line for each step that starts or ends.</summary>
internal sealed class StepLines(Output output)
{
    private readonly Dictionary<long, (string State, int Failures)> _seen = [];

    public void Write(RunRow run, IReadOnlyList<StepRow> steps)
    {
        var width = steps.Count == 0 ? 0 : steps.Max(s => s.Step.Length);
        foreach (var step in steps)
        {
            var before = _seen.GetValueOrDefault(step.StageRunId, (States.Pending, 0));
            var now = (step.State, step.Failures);
            _seen[step.StageRunId] = now;
            if (now == before)
                continue;
            var text = step.State switch
            {
                States.Running => "started",
                States.Succeeded => string.Join(", ", new[] { "done", RunFollower.Rows(step), Format.Seconds(step.Seconds) }.Where(t => t.Length > 0)),
                States.Skipped => $"skipped: {step.Reason}",
                States.Failed => $"failed: {Format.OneLine(step.Error, 400)}",
                States.Cancelled => "cancelled",
                _ when step.Failures > before.Item2 => $"failed, will be tried again: {Format.OneLine(step.Error, 300)}",
                _ => null,
            };
            if (text is not null)
                output.Line($"  {step.Step.PadRight(width)}  {text}");
        }
    }
}

/// <summary>One line per step with state, rows and time.</summary>
internal static class StepTable
{
    public static Table Create() => new Table().Border(TableBorder.None).HideHeaders()
        .AddColumn("state").AddColumn("step").AddColumn(new TableColumn("rows").RightAligned()).AddColumn(new TableColumn("time").RightAligned()).AddColumn("text");

    public static void Fill(Table table, IReadOnlyList<StepRow> steps, DateTime now)
    {
        table.Rows.Clear();
        if (steps.Count == 0)
            table.AddRow(new Text("waiting for a host to start it"), Text.Empty, Text.Empty, Text.Empty, Text.Empty);
        foreach (var step in steps)
        {
            var (sign, color) = step.State switch
            {
                States.Succeeded => ("✓", Color.Green),
                States.Running => ("▶", Color.Blue),
                States.Failed => ("✗", Color.Red),
                States.Cancelled => ("■", Color.Grey),
                States.Skipped => ("–", Color.Grey),
                _ => ("·", Color.Grey),
            };
            var seconds = step.Seconds ?? (step is { State: States.Running, StartedAt: { } start } ? (now - start.Value).TotalSeconds : null);
            table.AddRow(new Text(sign, color), new Text(step.Step), new Text(RunFollower.Rows(step)), new Text(seconds is null ? "" : Format.Seconds(Math.Max(0, seconds.Value))), new Text(About(step), Color.Grey));
        }
    }

    private static string About(StepRow step) => step.State switch
    {
        States.Failed => Format.OneLine(step.Error, 100),
        States.Skipped or States.Cancelled => step.Reason ?? "",
        States.Running => (step.ProgressTotal is { } total and > 0 ? $"{100 * step.ProgressDone / total}% " : "") + step.ProgressText,
        States.Pending when step.Failures > 0 => $"tried again soon: {Format.OneLine(step.Error, 80)}",
        States.Pending => "waiting",
        _ => "",
    };
}
