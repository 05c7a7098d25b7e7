using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using Spectre.Console;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Shows a backfill until its last window has ended: a line with what is running on a terminal, a line for each window that ends when piped, nothing with JSON.</summary>
internal sealed class BackfillFollower(CliContext context, Output output, CliHost host)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private readonly BackfillQueries _backfills = context.Query<BackfillQueries>();

    /// <summary>How far it is, in a few words.</summary>
    public static string Counts(BackfillRow backfill) => string.Join(", ", new[]
    {
        $"{Format.Count(backfill.Succeeded)} of {Format.Count(backfill.Windows)} done",
        backfill.Failed > 0 ? $"{Format.Count(backfill.Failed)} failed" : "",
        backfill.Cancelled > 0 ? $"{Format.Count(backfill.Cancelled)} cancelled" : "",
        backfill.Running > 0 ? $"{Format.Count(backfill.Running)} running" : "",
    }.Where(t => t.Length > 0));

    /// <summary>Returns the backfill when it has ended.</summary>
    public async Task<BackfillRow> FollowAsync(long backfillId, CancellationToken ct)
    {
        if (output.IsJson)
            return await WatchAsync(backfillId, (_, _) => { }, ct);
        if (!output.Console.IsTerminal)
            return await WatchAsync(backfillId, Lines(), ct);
        var table = new Table().Border(TableBorder.None).HideHeaders().AddColumn("sign").AddColumn("what");
        return await output.Console.Ansi.Live(table).StartAsync(live => WatchAsync(backfillId, (backfill, windows) =>
        {
            table.Rows.Clear();
            table.AddRow(new Text(backfill.FinishedAt is null ? "▶" : backfill.Failed > 0 ? "✗" : "✓"), new Text(Counts(backfill)));
            foreach (var window in windows.Where(w => w.State is States.Running))
                table.AddRow(Text.Empty, new Text($"run {window.RunId} for {Format.Window(window.WindowFrom, window.WindowTo)}", Color.Grey));
            live.Refresh();
        }, ct));
    }

    /// <summary>Calls <paramref name="show"/> whenever something has changed, with the windows that had not ended before.</summary>
    private async Task<BackfillRow> WatchAsync(long backfillId, Action<BackfillRow, IReadOnlyList<BackfillWindowRow>> show, CancellationToken ct)
    {
        BackfillRow? shown = null;
        var firstOpen = 0L;
        while (true)
        {
            var backfill = await _backfills.FindAsync(backfillId, ct) ?? throw new InvalidRequestException($"Backfill {backfillId} is gone.");
            if (backfill != shown)
            {
                var windows = await _backfills.WindowsAsync(backfillId, firstOpen, ct);
                show(shown = backfill, windows);
                firstOpen = windows.FirstOrDefault(w => w.State is States.Requested or States.Running)?.RunId ?? firstOpen;
            }
            if (backfill.Requested + backfill.Running == 0)
                return backfill;
            await Task.Delay(Look, ct);
            // The other host may have ended or died: then the work is ours.
            await host.TryStartAsync(ct);
        }
    }

    private Action<BackfillRow, IReadOnlyList<BackfillWindowRow>> Lines()
    {
        var ended = new HashSet<long>();
        var isFirst = true;
        return (backfill, windows) =>
        {
            foreach (var window in windows.Where(w => w.State is not (States.Requested or States.Running) && ended.Add(w.RunId)))
                if (!isFirst)
                    output.Line($"  {Format.Window(window.WindowFrom, window.WindowTo)}  {(window.State == States.Succeeded ? $"done, {Format.Seconds(window.Seconds)}" : $"{window.State}: {Format.OneLine(window.Error ?? window.Reason, 400)}")}");
            if (isFirst && ended.Count > 0)
                output.Line($"  {Counts(backfill)}");
            isFirst = false;
        };
    }
}
