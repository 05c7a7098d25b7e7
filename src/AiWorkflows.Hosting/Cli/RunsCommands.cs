using System.CommandLine;
using System.Globalization;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>runs list|show|resume|cancel|logs</c></summary>
internal static class RunsCommands
{
    private static readonly string[] AllStates = [States.Requested, States.Running, States.Succeeded, States.Failed, States.Cancelled];

    public static Command Create(CliContext context)
    {
        var id = Build.Name("ID", "Id of the run, as `runs list` shows it.");
        var workflow = Build.Text("--workflow", "Only runs of this workflow.", "NAME");
        var state = Build.Text("--state", "Only runs in this state: " + string.Join(", ", AllStates) + ".", "STATE");
        var (limit, before) = (Build.Rows(20), Build.Before());
        var follow = Build.Flag("--follow", "Show new lines as they come, until the run ends.");
        var detach = Build.Flag("--detach", "Only request it; a serving host does the work.");
        return Build.Group("runs", "Runs: list, show, resume, cancel, logs.",
            Build.Reading(context, "list", "Lists runs, newest first.", i => ListAsync(i, i.Value(workflow), i.Value(state), i.Value(before), i.Limit(limit)), workflow, state, limit, before),
            Build.Reading(context, "show", "Shows a run with its stages, commits, model versions and predictions.", i => ShowAsync(i, i.Id(id, "run", "runs list")), id),
            Build.WithResult(context, "resume", "Resumes a failed or cancelled run: what has succeeded in it is kept.", i => ResumeAsync(i, i.Id(id, "run", "runs list"), i.Value(detach)), id, detach),
            Build.Acting(context, "cancel", "Cancels a run that has not ended.", i => CancelAsync(i, i.Id(id, "run", "runs list")), id),
            Build.Reading(context, "logs", "Shows the log of a run.", i => LogsAsync(i, i.Id(id, "run", "runs list"), i.Value(follow)), id, follow));
    }

    private static async Task ListAsync(Invocation i, string? workflow, string? state, long? before, int limit)
    {
        if (workflow is not null)
            _ = i.Context.Catalog.Workflow(workflow);
        if (state is not null && !AllStates.Contains(state))
            throw NearMatches.Unknown("state", state, AllStates);
        var runs = await i.Context.Query<RunQueries>().ListAsync(workflow, state, before, limit, i.Ct);
        i.Output.List(runs, "No runs.",
            new("run", r => r.RunId.ToString(CultureInfo.InvariantCulture), Right: true), new("workflow", r => r.Workflow), new("window", r => Format.Window(r.WindowFrom, r.WindowTo)),
            new("state", r => r.State), new("triggered by", r => r.TriggeredBy), new("requested", r => Format.Moment(r.RequestedAt)), new("time", r => Format.Seconds(r.Seconds), Right: true),
            new("", r => Format.OneLine(r.Error ?? r.Reason, 80)));
        if (runs.Count == limit)
            i.Output.Line($"More with --before {runs[^1].RunId}.");
    }

    private static async Task ShowAsync(Invocation i, long runId)
    {
        var report = await RunReport.LoadAsync(i.Context, runId, i.Ct);
        i.Output.Object(report, () => report.Write(i.Output));
    }

    private static async Task<int> ResumeAsync(Invocation i, long runId, bool detach)
    {
        var run = await RunReport.RequireAsync(i.Context, runId, i.Ct);
        if (run.State is not (States.Failed or States.Cancelled))
            throw new InvalidRequestException($"Run {runId} is {run.State}; only a failed or cancelled run can be resumed.");
        return await RunCommand.FollowAsync(i, detach, async engine => await engine.ResumeAsync(runId, CliContext.Who, i.Ct)
            ? new(RequestOutcome.Resumed, runId, new(run.WindowFrom.Value, run.WindowTo.Value), $"Run {runId} of {run.Workflow} goes on where it stopped.")
            : throw new InvalidRequestException($"Run {runId} was resumed by somebody else in this moment; `runs show {runId}` shows it."), again: null);
    }

    private static async Task<int> CancelAsync(Invocation i, long runId)
    {
        var run = await RunReport.RequireAsync(i.Context, runId, i.Ct);
        if (!await i.Context.Get<RunEngine>().CancelAsync(runId, CliContext.Who, i.Ct))
            throw new InvalidRequestException($"Run {runId} is {run.State}; there is nothing to cancel.");
        i.Output.Line($"Run {runId} is cancelled. What it had published stays; `runs resume {runId}` goes on with it.");
        return 0;
    }

    private static async Task LogsAsync(Invocation i, long runId, bool follow)
    {
        const int page = 500;
        var queries = i.Context.Query<RunQueries>();
        var run = await RunReport.RequireAsync(i.Context, runId, i.Ct);
        var (after, shown) = (0L, new List<LogRow>());
        while (true)
        {
            var lines = await queries.LogsAsync(runId, after, page, i.Ct);
            foreach (var line in lines)
                if (i.Output.IsJson)
                    shown.Add(line);
                else
                    i.Output.Line($"{Format.Moment(line.LoggedAt)}  {line.Level.ToUpperInvariant(),-7}  {line.Step ?? "run"}  {line.Message.ReplaceLineEndings(" ")}");
            after = lines.Count > 0 ? lines[^1].LogId : after;
            if (lines.Count == page)
                continue;
            if (!follow || run.State is not (States.Requested or States.Running))
                break;
            await Task.Delay(500, i.Ct);
            run = await RunReport.RequireAsync(i.Context, runId, i.Ct);
        }
        if (i.Output.IsJson)
            i.Output.Json(shown);
        else if (after == 0)
            i.Output.Line($"Run {runId} has logged nothing{(run.State == States.Requested ? " yet: no host has started it." : ".")}");
    }
}
