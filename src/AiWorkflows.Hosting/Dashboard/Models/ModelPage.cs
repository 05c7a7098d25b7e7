using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>One model: its versions over their baseline, how the serving one errs, and how it does since it serves.</summary>
internal sealed class ModelPage : DashboardPage
{
    public override string Section => "models";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var name = Uri.UnescapeDataString(request.Uri.Groups["name"].Value);
        return await request.Reader.ModelAsync(name).ConfigureAwait(false) is { } model
            ? Render(model, request.Context) : throw new NoSuchPageException($"There is no model '{name}' in the registry.");
    }

    internal static PageContent Render(ModelModel model, PageContext context)
    {
        var shown = model.Shown;
        return new()
        {
            Title = model.Model,
            Section = "models",
            Crumb = Link(context.Url("/models"), "Models"),
            Heading = Markup.Of($"{model.Model} {(model.HasChampion ? Tag($"v{shown.Version} champion", "champion") : Tag($"v{shown.Version}, no champion", "warn"))}"),
            Subtitle = Markup.Of($"{shown.Task} · {shown.Trainer} · view {shown.View} v{shown.ViewVersion}. {shown.Promotion}"),
            Body = Markup.Of(
                $"""
                {Part("facts", FactsOf(model, context))}<div class="aw-grid"><div class="aw-c6">{Components.Panel("ROC on the holdout", ModelCharts.Roc(shown), part: "roc")}</div><div class="aw-c6">{Components.Panel("Calibration on the holdout", ModelCharts.Calibration(shown), part: "calibration")}</div><div class="aw-c6">{Components.Panel("Live, by day of event time", ModelCharts.Live(model), part: "live")}</div><div class="aw-c6">{Components.Panel("Importance", ModelCharts.Importance(shown), Markup.Raw("share of the gain of all splits"), part: "importance")}</div></div>{Components.Panel("Versions", Versions(model, context), part: "versions")}{Components.Panel("Aliases", History(model, context), Markup.Raw("who moved them, when and why"), part: "aliases")}
                """),
            LiveUrl = context.Url("/models/" + Uri.EscapeDataString(model.Model) + "/parts"),
        };
    }

    private static Markup FactsOf(ModelModel model, PageContext context)
    {
        var shown = model.Shown;
        var metric = WorkflowRows.MetricName(shown.PrimaryMetric);
        var run = shown.RunId is { } id ? Markup.Of($"by {Link(context.Run(id), "run " + id.ToString(CultureInfo.InvariantCulture))}, {context.Time(shown.CreatedAt.Value)}") : context.Time(shown.CreatedAt.Value);
        return Facts(
            Fact($"{metric} on the holdout", Markup.Text(Number(shown.PrimaryValue)), Markup.Text($"{Difference(shown.PrimaryValue - shown.BaselineValue)} over the best baseline, {Number(shown.BaselineValue)}")),
            Fact("Trained on", Markup.Text(Format.Number(shown.TrainingRows)), Span(shown.TrainingFrom.Value, shown.TrainingTo.Value)),
            Fact("Judged on", Markup.Text(Format.Number(shown.HoldoutRows)), Span(shown.HoldoutFrom.Value, shown.HoldoutTo.Value)),
            Fact("Cut-off", Markup.Text(Timestamps.Display(shown.CutOff.Value)), Markup.Text("knows nothing from later")),
            Fact("Registered", Markup.Of($"v{shown.Version}"), run),
            Fact("Content", Markup.Of($"<span class=\"aw-mono\" data-tip=\"{shown.ContentSha256}\">{Format.Code(shown.ContentSha256)}</span>"),
                Markup.Text(shown.Reproducible ? "can be reproduced to the bit" : shown.Reason ?? "cannot be reproduced")));
    }

    private static Markup Versions(ModelModel model, PageContext context) => Table.Of("Versions", "", [Table.Heading("Version"), Table.NumberHeading("Metric"), Table.NumberHeading("Baseline"), Table.NumberHeading("Difference"),
        Table.NumberHeading("Cut-off"), Table.NumberHeading("Trained on"), Table.NumberHeading("Judged on"), Table.Heading("Promotion"), Table.NumberHeading("Run"), Table.NumberHeading("Registered")],
        model.Versions.Select(version => Table.Row(
            Markup.Of($"v{version.Version} {Markup.Concat((version.Aliases ?? "").Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(alias => Tag(alias, alias is "champion" or "challenger" ? alias : "")))}"),
            Table.Number(Number(version.PrimaryValue)), Table.Number(Number(version.BaselineValue)),
            Table.Number(Markup.Of($"<span class=\"{(version.PrimaryValue > version.BaselineValue ? "aw-t-ok" : "aw-t-bad")}\">{Difference(version.PrimaryValue - version.BaselineValue)}</span>")),
            Table.Number(Timestamps.Display(version.CutOff.Value)), Table.Number(version.TrainingRows), Table.Number(version.HoldoutRows), Table.Cell(Markup.Of($"<span class=\"aw-muted aw-small\">{version.Promotion}</span>")),
            Table.Number(version.RunId is { } run ? Link(context.Run(run), run.ToString(CultureInfo.InvariantCulture)) : Markup.Empty), Table.Number(context.Time(version.CreatedAt.Value)))));

    private static Markup History(ModelModel model, PageContext context) => model.History.Count == 0 ? Empty(Markup.Raw("No alias has been set."))
        : Body(Markup.Of($"<ol class=\"aw-steps\">{model.History.Select((move, i) => Markup.Of($"<li class=\"{(i == 0 ? "is-now" : "")}\"><b>{move.Alias}</b> to v{move.Version}{(move.PreviousVersion is { } from ? $" from v{from.ToString(CultureInfo.InvariantCulture)}" : "")}, {context.Time(move.ChangedAt.Value)} by {move.ChangedBy}<br><span class=\"aw-muted aw-small\">{move.Reason}</span></li>"))}</ol>"));

    /// <summary>Days are enough to read; the exact bounds are in the tip.</summary>
    private static Markup Span(DateTime from, DateTime to) =>
        Markup.Of($"<span data-tip=\"{Timestamps.Display(from)} to {Timestamps.Display(to)}, UTC\">{from.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} to {to.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}</span>");

    private static string Number(double value) => Format.Number(value, "0.000");

    private static string Difference(double value) => Format.Number(value, "+0.000;−0.000;0.000");
}
