using System.Globalization;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;
using Format = AiWorkflows.Hosting.Dashboard.Rendering.Format;

namespace AiWorkflows.Hosting.Dashboard.Backfills;

/// <summary>One backfill: how far it is, all its windows, and those that need somebody.</summary>
internal sealed class BackfillPage : DashboardPage
{
    private const int MostRows = 100;

    public override string Section => "backfills";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var text = request.Uri.Groups["id"].Value;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && await request.Reader.BackfillAsync(id).ConfigureAwait(false) is { } model
            ? Render(model, request.Context)
            : throw new NoSuchPageException($"There is no backfill {text}.");
    }

    internal static PageContent Render(BackfillModel model, PageContext context)
    {
        var backfill = model.Backfill;
        return new()
        {
            Title = $"Backfill {backfill.BackfillId.ToString(CultureInfo.InvariantCulture)}",
            Section = "backfills",
            Crumb = Link(context.Url("/backfills"), "Backfills"),
            Heading = Markup.Of($"Backfill {backfill.BackfillId} {Status.OfRun(backfill.State, backfill.State == States.Running ? BackfillsPage.Share(backfill) : null)}{Markup.When(backfill.Train, Tag(backfill.Backtest ? "backtest" : "train"))}"),
            Subtitle = Markup.Of($"{Link(context.WorkflowRuns(backfill.Workflow), backfill.Workflow)} · {backfill.WindowFrom.ToString()} to {backfill.WindowTo.ToString()} UTC every {SpanText.Of(Timestamps.SpanFromMicros(backfill.Every))} · requested by {backfill.RequestedBy}, {context.Time(backfill.RequestedAt.Value)}"),
            Actions = Actions(backfill, context),
            Body = Part("facts", Facts(backfill, context)) + CancelForm(backfill, context) + Panel("Windows", Body(WindowCalendar.Render(model, context)), right: Legend(
                (Status.Ok, "succeeded"), (Status.Bad, "failed"), (Status.Run, "running"), (Status.Wait, "waiting"), (Status.Cancel, "cancelled")), part: "windows")
                + Panel("Failed and running", Rows(model, context), part: "rows"),
            Sql = SuggestedQueries.WindowsOf(backfill.BackfillId),
            LiveUrl = context.Backfill(backfill.BackfillId) + "/parts",
            EveryMilliseconds = 2000,
            Ended = backfill.FinishedAt is not null,
        };
    }

    private static Markup Facts(BackfillRow backfill, PageContext context) => Components.Facts(
        Fact("Windows", Markup.Text(BackfillsPage.Counts(backfill)), Bar(BackfillsPage.Share(backfill), BackfillsPage.Look(backfill), BackfillsPage.Counts(backfill))),
        Fact("At a time", Markup.Text(Format.Number(backfill.Parallel)), Markup.Text(backfill.Train ? "each trains on what was known at its start" : "a stage waits for what it reads in earlier windows")),
        Fact("Models", Markup.Text(backfill.Alias ?? backfill.Models ?? "champions"),
            Markup.Text(backfill.Train ? "their alias" : backfill.Models is null ? "of the moment of the request" : "as asked for")),
        Fact("Time", Markup.Text(backfill.StartedAt is { } start ? Format.Duration((backfill.FinishedAt?.Value ?? context.Now) - start.Value) : "not started")));

    private static Markup Actions(BackfillRow backfill, PageContext context)
    {
        if (context.IsReadOnly)
            return Markup.Empty;
        var url = context.Backfill(backfill.BackfillId);
        var retry = backfill.Failed + backfill.Cancelled > 0
            ? Action(url + "/retry", $"Retry {Format.Count(backfill.Failed + backfill.Cancelled, "window")}", "btn-primary btn-sm") : Markup.Empty;
        var cancel = backfill.Requested + backfill.Running > 0
            ? Link("#cancel", "Cancel backfill…", "btn btn-default btn-sm aw-danger") : Markup.Empty;
        return retry + cancel;
    }

    private static Markup CancelForm(BackfillRow backfill, PageContext context) => Markup.When(!context.IsReadOnly && backfill.Requested + backfill.Running > 0, Models.ModelForms.Panel(
        "cancel", $"Cancel backfill {backfill.BackfillId.ToString(CultureInfo.InvariantCulture)}",
        $"The {Format.Count(backfill.Requested + backfill.Running, "window")} that {(backfill.Requested + backfill.Running == 1 ? "has" : "have")} not ended {(backfill.Requested + backfill.Running == 1 ? "is" : "are")} cancelled; what was published stays. They can be retried later.",
        context.Backfill(backfill.BackfillId) + "/cancel", Markup.Empty, "Cancel backfill", "btn-default aw-danger"));

    private static Markup Rows(BackfillModel model, PageContext context)
    {
        BackfillWindowRow[] rows = [.. model.Windows.Where(w => w.State is States.Failed or States.Running).Take(MostRows)];
        if (rows.Length == 0)
            return Empty(Markup.Text(model.Backfill.FinishedAt is null ? "No window is running: no host has started one yet." : "No window has failed."));
        Markup[] headings = [Table.Heading("Window"), Table.Heading("State"), Table.Heading("What"), Table.Heading("Run"), Table.NumberHeading("Time")];
        return Table.Of("Failed and running windows", "", headings, rows.Select(w => Table.Row(
            Markup.Text(Format.Window(w.WindowFrom.Value, w.WindowTo.Value)), Table.Cell(Status.OfRun(w.State, model.Steps.GetValueOrDefault(w.RunId)?.Share)),
            Table.Cell(Format.Shorten(Format.FirstLine(w.Error ?? w.Reason ?? ""), 200)), Table.Cell(Link(context.Run(w.RunId), w.RunId.ToString(CultureInfo.InvariantCulture))),
            Table.Number(w.StartedAt is { } start ? Format.Duration((w.FinishedAt?.Value ?? context.Now) - start.Value) : null))));
    }
}
