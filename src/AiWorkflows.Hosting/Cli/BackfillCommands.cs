using System.CommandLine;
using System.Globalization;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>backfill WORKFLOW</c>, and <c>backfill list|show|cancel|retry</c>.</summary>
internal static class BackfillCommands
{
    private const string WhereToFind = "backfill list";

    public static Command Create(CliContext context)
    {
        var workflow = Build.Name("WORKFLOW", "Name of the workflow.");
        var from = Build.Text("--from", "Start of the first window, UTC: 2001-01-01.", "TIME");
        var to = Build.Text("--to", "End of the last window, UTC; not part of it.", "TIME");
        var every = Build.Text("--every", "Length of a window, a multiple of the workflow's cell: 1d, 6h, 30m.", "SPAN");
        var parallel = new Option<int?>("--parallel") { Description = "How many windows run at a time, at most. Default: 1.", HelpName = "N" };
        var train = Build.Flag("--train", "Train in each window on what was known at its start, one window after another.");
        var model = new Option<string[]>("--model") { Description = "Version to predict with. Default: the champion of this moment.", HelpName = "NAME=VERSION" };
        var again = Build.Flag("--again", "Make a new backfill even if the same was requested before.");
        var detach = Build.Flag("--detach", "Only request it; a serving host does the work.");
        var backfill = Build.WithResult(context, "backfill", "Works through history window by window, and shows it until it ends.", i => RequestAsync(i, new(
            i.Value(workflow), Need(i, from), Need(i, to), SpanText.Parse(i.Value(every) ?? throw Missing(every), every.Name), i.Value(parallel), i.Value(train),
            [.. (i.Value(model) ?? []).Select(Pin)], CliContext.Who, i.Value(again)), i.Value(detach)),
            workflow, from, to, every, parallel, train, model, again, detach);

        var id = Build.Name("ID", "Id of the backfill, as `backfill list` shows it.");
        var only = Build.Text("--workflow", "Only backfills of this workflow.", "NAME");
        var (limit, before) = (Build.Rows(20), Build.Before());
        backfill.Add(Build.Reading(context, "list", "Lists backfills, newest first.", i => ListAsync(i, i.Value(only), i.Value(before), i.Limit(limit)), only, limit, before));
        backfill.Add(Build.Reading(context, "show", "Shows a backfill with its windows.", i => ShowAsync(i, i.Id(id, "backfill", WhereToFind)), id));
        backfill.Add(Build.Acting(context, "cancel", "Cancels the windows of a backfill that have not ended.", i => CancelAsync(i, i.Id(id, "backfill", WhereToFind)), id));
        backfill.Add(Build.WithResult(context, "retry", "Resumes the windows of a backfill that have failed or were cancelled.", i => RetryAsync(i, i.Id(id, "backfill", WhereToFind), i.Value(detach)), id, detach));
        return backfill;
    }

    private static async Task<int> RequestAsync(Invocation i, BackfillOrder order, bool detach) => await FollowAsync(i, detach, async engine =>
    {
        var (backfill, created) = await engine.RequestBackfillAsync(order, i.Ct);
        return (backfill.BackfillId, created
            ? $"Backfill {backfill.BackfillId} of {backfill.Workflow} for {backfill.Window} every {SpanText.Of(backfill.Every)} was requested."
            : $"Backfill {backfill.BackfillId} is that request already, since {Format.Moment(backfill.RequestedAt)}; --again makes another one.");
    });

    private static async Task<int> RetryAsync(Invocation i, long backfillId, bool detach)
    {
        await RequireAsync(i.Context, backfillId, i.Ct);
        return await FollowAsync(i, detach, async engine => await engine.RetryBackfillAsync(backfillId, CliContext.Who, i.Ct) is var windows and > 0
            ? (backfillId, $"{Format.Count(windows, "window")} of backfill {backfillId} {(windows == 1 ? "goes" : "go")} on where {(windows == 1 ? "it" : "they")} stopped.")
            : throw new InvalidRequestException($"No window of backfill {backfillId} has failed or was cancelled; there is nothing to retry."));
    }

    private static Task<int> FollowAsync(Invocation i, bool detach, Func<RunEngine, Task<(long Id, string Message)>> request) => FollowAsync(i, detach, request, WriteAsync);

    /// <summary>Requests, and shows what was requested until it ends.</summary>
    /// <param name="write">Prints the result and returns the exit code.</param>
    public static async Task<int> FollowAsync(Invocation i, bool detach, Func<RunEngine, Task<(long Id, string Message)>> request, Func<Invocation, BackfillRow, Task<int>> write)
    {
        var engine = i.Context.Get<RunEngine>();
        if (detach)
        {
            await engine.RegisterAsync(i.Ct);
            var (id, said) = await request(engine);
            var isServed = await CliHost.IsHeldAsync(i.Context, i.Ct);
            var row = await RequireAsync(i.Context, id, i.Ct);
            i.Output.Object(row, () =>
            {
                i.Output.Line(said);
                i.Output.Line(isServed ? $"`backfill show {id}` shows how far it is." : "No host is running: `serve` will start it.");
            });
            return 0;
        }
        await using var host = new CliHost(i.Context);
        // Before this process works on anything it is certain that what was asked for makes sense.
        await engine.RegisterAsync(i.Ct);
        var (backfillId, message) = await request(engine);
        i.Output.Line(message);
        await host.TryStartAsync(i.Ct);
        if (!host.IsHost)
            i.Output.Line($"The host that has the database does the work, {host.Other}; this only shows it.");
        try
        {
            return await write(i, await new BackfillFollower(i.Context, i.Output, host).FollowAsync(backfillId, i.Ct));
        }
        catch (OperationCanceledException) when (i.Ct.IsCancellationRequested)
        {
            await host.DisposeAsync();
            await i.Context.Console.Error.WriteLineAsync(host.IsHost
                ? $"Interrupted: backfill {backfillId} has given back what it had not finished. The same command, or `serve`, goes on with it; `backfill cancel {backfillId}` gives it up."
                : $"No longer showing backfill {backfillId}; the other host goes on with it. `backfill show {backfillId}` shows how far it is.");
            return 1;
        }
    }

    /// <returns>The exit code of the whole.</returns>
    private static async Task<int> WriteAsync(Invocation i, BackfillRow backfill)
    {
        var windows = await i.Context.Query<BackfillQueries>().WindowsAsync(backfill.BackfillId, 0, i.Ct);
        i.Output.Object(new { Backfill = backfill, Windows = windows }, () =>
        {
            i.Output.Line();
            i.Output.Line($"Backfill {backfill.BackfillId} of {backfill.Workflow} {backfill.State}: {BackfillFollower.Counts(backfill)}, {Format.Seconds(backfill.Seconds)}.");
        });
        if (backfill.State == States.Succeeded)
            return 0;
        await ExplainAsync(i, backfill, windows);
        return 1;
    }

    /// <summary>Says on the error stream which window failed first, and what to do.</summary>
    public static async Task ExplainAsync(Invocation i, BackfillRow backfill, IReadOnlyList<BackfillWindowRow> windows)
    {
        var first = windows.FirstOrDefault(w => w.State == States.Failed) ?? windows.First(w => w.State != States.Succeeded);
        await i.Context.Console.Error.WriteLineAsync(
            $"{Format.Window(first.WindowFrom, first.WindowTo)} {first.State}: {Format.OneLine(first.Error ?? first.Reason ?? "no reason was recorded", 600)}");
        await i.Context.Console.Error.WriteLineAsync($"`runs logs {first.RunId}` shows more; `backfill retry {backfill.BackfillId}` resumes what failed, and only that.");
    }

    private static async Task ListAsync(Invocation i, string? workflow, long? before, int limit)
    {
        if (workflow is not null)
            _ = i.Context.Catalog.Workflow(workflow);
        var rows = await i.Context.Query<BackfillQueries>().ListAsync(workflow, before, limit, i.Ct);
        i.Output.List(rows, "No backfills.",
            new("backfill", b => b.BackfillId.ToString(CultureInfo.InvariantCulture), Right: true), new("workflow", b => b.Workflow), new("from", b => b.WindowFrom.ToString()), new("to", b => b.WindowTo.ToString()),
            new("every", b => Every(b) + (b.Backtest ? ", backtest" : "")), new("state", b => b.State), new("windows", BackfillFollower.Counts), new("requested", b => Format.Moment(b.RequestedAt)), new("time", b => Format.Seconds(b.Seconds), Right: true));
        if (rows.Count == limit)
            i.Output.Line($"More with --before {rows[^1].BackfillId}.");
    }

    private static async Task ShowAsync(Invocation i, long backfillId)
    {
        const int most = 100;
        var backfill = await RequireAsync(i.Context, backfillId, i.Ct);
        var windows = await i.Context.Query<BackfillQueries>().WindowsAsync(backfillId, 0, i.Ct);
        i.Output.Object(new { Backfill = backfill, Windows = windows }, () =>
        {
            i.Output.Fields(
                ("backfill", $"{backfill.BackfillId}"),
                ("workflow", backfill.Workflow),
                ("window", $"{Format.Window(backfill.WindowFrom, backfill.WindowTo)} every {Every(backfill)}, {(backfill.Train ? "training, one after another" : $"{backfill.Parallel} at a time")}"),
                ("state", backfill.State),
                ("windows", BackfillFollower.Counts(backfill)),
                ("models", backfill.Models),
                ("requested", $"{Format.Moment(backfill.RequestedAt)} by {backfill.RequestedBy}"),
                ("ran", backfill.StartedAt is { } ? $"{Format.Moment(backfill.StartedAt)} to {Format.Moment(backfill.FinishedAt)}, {Format.Seconds(backfill.Seconds)}" : null));
            i.Output.Heading("Windows");
            var shown = windows.Count <= most ? windows : [.. windows.Where(w => w.State is States.Running or States.Failed or States.Cancelled).Take(most)];
            i.Output.Table(shown, new("run", w => w.RunId.ToString(CultureInfo.InvariantCulture), Right: true), new("from", w => w.WindowFrom.ToString()), new("to", w => w.WindowTo.ToString()),
                new("state", w => w.State), new("time", w => Format.Seconds(w.Seconds), Right: true), new("", w => Format.OneLine(w.Error ?? w.Reason, 100)));
            if (shown.Count < windows.Count)
                i.Output.Line("Only those that are running, failed or cancelled; --json has all.");
        });
    }

    private static async Task<int> CancelAsync(Invocation i, long backfillId)
    {
        await RequireAsync(i.Context, backfillId, i.Ct);
        if (await i.Context.Get<RunEngine>().CancelBackfillAsync(backfillId, CliContext.Who, null, i.Ct) is not (> 0 and var windows))
            throw new InvalidRequestException($"All windows of backfill {backfillId} have ended; there is nothing to cancel.");
        i.Output.Line($"{Format.Count(windows, "window")} of backfill {backfillId} {(windows == 1 ? "is" : "are")} cancelled. What was published stays; `backfill retry {backfillId}` goes on.");
        return 0;
    }

    /// <exception cref="InvalidRequestException">There is no such backfill.</exception>
    private static async Task<BackfillRow> RequireAsync(CliContext context, long backfillId, CancellationToken ct)
    {
        var queries = context.Query<BackfillQueries>();
        if (await queries.FindAsync(backfillId, ct) is { } backfill)
            return backfill;
        var recent = await queries.ListAsync(null, null, 5, ct);
        throw new InvalidRequestException(
            $"There is no backfill {backfillId}: {(recent.Count == 0 ? "none was requested yet." : $"the newest are {string.Join(", ", recent.Select(b => b.BackfillId))}; `backfill list` shows them.")}");
    }

    private static string Every(BackfillRow backfill) => SpanText.Of(Timestamps.SpanFromMicros(backfill.Every));

    private static DateTime Need(Invocation i, Option<string> option) => i.Time(option) ?? throw Missing(option);

    private static InvalidRequestException Missing(Option option) => new($"`backfill` needs --from, --to and --every; {option.Name} is missing.");

    private static ModelPin Pin(string text) => text.Split('=') is [{ Length: > 0 } name, var version] && int.TryParse(version, CultureInfo.InvariantCulture, out var number) && number > 0
        ? new(name, number)
        : throw new InvalidRequestException($"--model '{text}' names no version; write NAME=VERSION, as in flight-delay=2.");
}
