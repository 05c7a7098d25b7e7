using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Backfills;

/// <summary>The backfills, newest first, each with how far it is.</summary>
internal sealed class BackfillsPage : DashboardPage
{
    public override string Section => "backfills";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var before = request.Number("before");
        return Render(await request.Reader.BackfillsAsync(before).ConfigureAwait(false), before is null, request.Context);
    }

    internal static PageContent Render(BackfillsModel model, bool isFirst, PageContext context)
    {
        var pager = new Pager("/backfills", [], isFirst, model.Older);
        return new()
        {
            Title = "Backfills",
            Section = "backfills",
            Subtitle = Markup.Raw("History worked through window by window. Each window is a run."),
            Body = Panel("Backfills", List(model.Backfills, context), Markup.Text(pager.Hint(model.Backfills.Count, "backfill")), pager.Links(context), part: "backfills"),
            LiveUrl = pager.LiveUrl(context),
            Sql = SuggestedQueries.Backfills,
        };
    }

    /// <summary>"12 of 59 windows, 1 failed, 2 running"</summary>
    internal static string Counts(BackfillRow backfill) => string.Join(", ", new[]
    {
        $"{Format.Number(backfill.Succeeded)} of {Format.Count(backfill.Windows, "window")}",
        backfill.Failed > 0 ? $"{Format.Number(backfill.Failed)} failed" : "",
        backfill.Cancelled > 0 ? $"{Format.Number(backfill.Cancelled)} cancelled" : "",
        backfill.Running > 0 ? $"{Format.Number(backfill.Running)} running" : "",
    }.Where(text => text.Length > 0));

    internal static double Share(BackfillRow backfill) => backfill.Windows == 0 ? 0 : (double)(backfill.Windows - backfill.Requested - backfill.Running) / backfill.Windows;

    /// <summary>The colour of its bar.</summary>
    internal static string Look(BackfillRow backfill) => backfill.Failed > 0 ? Status.Bad : backfill.State == States.Cancelled ? "idle" : backfill.State == States.Succeeded ? Status.Ok : Status.Run;

    private static Markup List(IReadOnlyList<BackfillRow> backfills, PageContext context)
    {
        if (backfills.Count == 0)
            return Empty(Markup.Of($"No backfill has been requested. <code>backfill WORKFLOW --from T --to T --every 1d</code> makes one, and so does the form on the page of a workflow; any host works on it."));
        Markup[] headings =
        [
            Table.Heading("Backfill"), Table.Heading("Workflow"), Table.Heading("History, UTC"), Table.Heading("State"), Table.Heading("Windows"), Table.HiddenHeading("as a bar"),
            Table.Heading("By"), Table.NumberHeading("Time"), Table.NumberHeading("Requested"),
        ];
        return Table.Of("Backfills", "", headings, backfills.Select(b => Table.Row(
            Link(context.Backfill(b.BackfillId), b.BackfillId.ToString(CultureInfo.InvariantCulture)), Table.Cell(Link(context.WorkflowRuns(b.Workflow), b.Workflow)),
            Table.Cell(Markup.Text($"{b.WindowFrom} to {b.WindowTo}"), "aw-nowrap"), Table.Cell(Status.OfRun(b.State, b.State == States.Running ? Share(b) : null)),
            Table.Cell(Counts(b)), Table.Cell(Bar(Share(b), Look(b), Counts(b), 90)), Table.Cell(Markup.Text(Format.Shorten(b.RequestedBy, 40)), "aw-muted"),
            Table.Number(b.Seconds is { } seconds ? Format.Duration(TimeSpan.FromSeconds(seconds)) : null), Table.Number(context.Time(b.RequestedAt.Value)))));
    }
}
