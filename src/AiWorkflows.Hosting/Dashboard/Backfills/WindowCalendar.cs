using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Dashboard.Backfills;

/// <summary>The windows of a backfill: months of days where a window is a day, else a strip.</summary>
internal static class WindowCalendar
{
    private const int MostCells = 2_000;
    private static readonly string[] Worst = [States.Failed, States.Running, States.Cancelled, States.Requested, States.Succeeded];
    private static readonly string[] Weekdays = ["M", "T", "W", "T", "F", "S", "S"];

    public static Markup Render(BackfillModel model, PageContext context) => model.Windows.Count <= MostCells && model.Backfill.Every == TimeSpan.FromDays(1).Ticks / 10
        ? Markup.Of($"<div class=\"aw-cal\">{model.Windows.GroupBy(w => new DateTime(w.WindowFrom.Value.Year, w.WindowFrom.Value.Month, 1, 0, 0, 0, DateTimeKind.Utc)).Select(month => Month(month.Key, [.. month], model, context))}</div>")
        : model.Windows.Count > MostCells ? Weeks(model, context)
        : model.Backfill.Every == TimeSpan.FromHours(1).Ticks / 10 ? Hours(model, context)
        : Components.Strip("Windows in order of time", model.Windows.Select(w => new Components.Cell(Status.Of(w.State), Tip(w, model), context.Run(w.RunId))));

    /// <summary>A line a day, a cell an hour.</summary>
    private static Markup Hours(BackfillModel model, PageContext context) => Markup.Of($"<div class=\"aw-scroll\"><div class=\"aw-hours\" data-aw-rove role=\"group\" aria-label=\"Windows of an hour, a line a day\"><b></b>{Enumerable.Range(0, 24).Select(hour => Markup.Of($"<i aria-hidden=\"true\">{(hour % 3 == 0 ? hour.ToString("00", CultureInfo.InvariantCulture) : "")}</i>"))}{model.Windows.GroupBy(w => w.WindowFrom.Value.Date).Select(day => Markup.Of(
        $"<b>{Timestamps.Display(day.Key)}</b>{Enumerable.Range(0, 24).Select(hour => day.FirstOrDefault(w => w.WindowFrom.Value.Hour == hour) is { } w ? Link(w, model, context) : Markup.Raw("<i></i>"))}"))}</div></div>");

    private static Markup Link(BackfillWindowRow window, BackfillModel model, PageContext context) => Markup.Of(
        $"<a class=\"aw-cell is-{Status.Of(window.State)}\" href=\"{context.Run(window.RunId)}\" data-tip=\"{Tip(window, model)}\"><span class=\"aw-sr\">{Tip(window, model)}</span></a>");

    /// <summary>Too many windows to tell apart: a cell a week, in the look of what in it needs somebody most, leading there.</summary>
    private static Markup Weeks(BackfillModel model, PageContext context) => Components.Strip("Windows by week", model.Windows.GroupBy(w => w.WindowFrom.Value.Date.AddDays(-(((int)w.WindowFrom.Value.DayOfWeek + 6) % 7))).Select(week =>
    {
        var worst = week.MinBy(w => Array.IndexOf(Worst, w.State))!;
        var counts = string.Join(", ", week.GroupBy(w => w.State).OrderBy(state => Array.IndexOf(Worst, state.Key)).Select(state => $"{Format.Number(state.Count())} {Status.Word(Status.Of(state.Key))}"));
        return new Components.Cell(Status.Of(worst.State), $"week of {Timestamps.Display(week.Key)}: {counts}", context.Run(worst.RunId));
    }));

    /// <summary>"2001-03-11 UTC: running, 40%"</summary>
    internal static string Words(BackfillWindowRow window, BackfillModel model) => window.State switch
    {
        States.Running when model.Steps.TryGetValue(window.RunId, out var steps) => $"running, {Format.Percent(steps.Share)}",
        States.Failed when window.Error is { Length: > 0 } error => "failed, " + Format.Shorten(Format.FirstLine(error), 120),
        _ => Status.Word(Status.Of(window.State)),
    };

    private static Markup Month(DateTime month, IReadOnlyList<BackfillWindowRow> windows, BackfillModel model, PageContext context)
    {
        var name = month.ToString("MMMM yyyy", CultureInfo.InvariantCulture);
        // Monday comes first; days before the first window of the month stay empty.
        var empty = ((int)windows[0].WindowFrom.Value.DayOfWeek + 6) % 7;
        return Markup.Of(
            $"""
            <div><h3>{name}</h3><div class="aw-month" data-aw-rove role="group" aria-label="Windows of {name}">{Weekdays.Select(day => Markup.Of($"<i aria-hidden=\"true\">{day}</i>"))}{Enumerable.Repeat(Markup.Raw("<i></i>"), empty)}{windows.Select(w => Day(w, model, context))}</div></div>
            """);
    }

    private static Markup Day(BackfillWindowRow window, BackfillModel model, PageContext context)
    {
        var day = window.WindowFrom.Value;
        return Markup.Of(
            $"<a class=\"aw-cell is-{Status.Of(window.State)}\" href=\"{context.Run(window.RunId)}\" data-tip=\"{Tip(window, model)}\" aria-label=\"{day.ToString("d MMMM", CultureInfo.InvariantCulture)}: {Status.Word(Status.Of(window.State))}\">{day.Day}</a>");
    }

    private static string Tip(BackfillWindowRow window, BackfillModel model) => $"{window.WindowFrom} UTC: {Words(window, model)}";
}
