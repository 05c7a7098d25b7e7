using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>One model: its versions over their baseline, how the one that is shown errs, and how it does since it serves.</summary>
internal sealed class ModelPage : DashboardPage
{
    private const int VersionsAtOnce = 8;

    public override string Section => "models";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var version = request.Version("version");
        if (await request.Reader.ModelAsync(request.Name, version).ConfigureAwait(false) is not { } model)
            throw new NoSuchPageException($"There is no model '{request.Name}'{(version is { } v ? $" with a version {v}" : "")} in the registry.");
        var threshold = double.TryParse(request.Value("threshold"), NumberStyles.Float, CultureInfo.InvariantCulture, out var t) ? Math.Round(Math.Clamp(t, 0.1, 0.9), 1) : Confusion.Default;
        return Render(model, threshold, all: request.Value("versions") == "all", request.Context);
    }

    internal static PageContent Render(ModelModel model, double threshold, bool all, PageContext context)
    {
        var shown = model.Shown;
        var parts = string.Create(CultureInfo.InvariantCulture, $"{context.Model(model.Model)}/parts?version={shown.Version}&threshold={threshold}{(all ? "&versions=all" : "")}");
        return new()
        {
            Title = model.Model,
            Section = "models",
            Crumb = Link(context.Url("/models"), "Models"),
            Heading = Markup.Of($"{model.Model} {Serving(model)}"),
            Subtitle = Markup.Of($"{shown.Task} · {shown.Trainer} · view {shown.View} v{shown.ViewVersion}. {shown.Promotion}"),
            Actions = ModelForms.Buttons(model, context),
            Body = Markup.Of(
                $"""
                {Part("facts", FactsOf(model, context))}{ModelForms.Panels(model, context)}{Components.Panel("Versions", Versions(model, all, context), Markup.Text($"each on its own holdout, over its strongest baseline; below, v{shown.Version}"), part: "versions")}<div class="aw-grid"><div class="aw-c6">{Components.Panel("ROC on the holdout", ModelCharts.Roc(shown), part: "roc")}</div><div class="aw-c6">{Components.Panel("Calibration on the holdout", ModelCharts.Calibration(shown), part: "calibration")}</div><div class="aw-c6">{Components.Panel("Decisions at a threshold", Confusion.Render(shown, threshold, context), Markup.Text($"on the {Format.Number(shown.HoldoutRows)} examples of the holdout"), part: "confusion")}</div><div class="aw-c6">{Components.Panel("Importance", ModelCharts.Importance(shown), Markup.Raw("share of the gain of all splits"), part: "importance")}</div><div class="aw-c6">{Components.Panel("Live, by day of event time", ModelCharts.Live(model), Markup.Raw("and share of outcomes known"), Link(context.Url("/predictions?model=" + Uri.EscapeDataString(model.Model)), "Predictions"), part: "live", failed: model.Errors["live"])}</div>{Drift(model)}<div class="aw-c6">{Components.Panel("Metric over versions", ModelCharts.Course(model), part: "course")}</div><div class="aw-c6">{Components.Panel($"Where v{shown.Version} comes from", Body(Lineage(model, context)), part: "lineage", failed: model.Errors["lineage"])}</div><div class="aw-c6">{Components.Panel("Aliases", History(model, context), Markup.Raw("who moved them, when and why"), part: "aliases", failed: model.Errors["aliases"])}</div></div>
                """),
            LiveUrl = parts,
            Sql = SuggestedQueries.VersionsOf(model.Model),
        };
    }

    private static Markup Drift(ModelModel model) => model.Drift.Count == 0 && model.Errors["drift"].IsEmpty ? Markup.Empty
        : Markup.Of($"<div class=\"aw-c6\">{Components.Panel("Drift", DriftTable.Render(model.Drift), Markup.Raw("how far what it is asked about lies from its training data"), part: "drift", failed: model.Errors["drift"])}</div>");

    private static Markup Serving(ModelModel model) => model.Champion is not { } champion ? Tag("no champion", "warn")
        : champion == model.Shown.Version ? Tag($"v{champion} champion", "champion") : Markup.Of($"{Tag($"v{model.Shown.Version}")} <span class=\"aw-muted aw-small\">champion is v{champion}</span>");

    private static Markup FactsOf(ModelModel model, PageContext context)
    {
        var shown = model.Shown;
        var metric = WorkflowRows.MetricName(shown.PrimaryMetric);
        var live = model.Live.Where(day => day.Version == shown.Version && day.MetricValue is not null).TakeLast(7).ToArray();
        var run = shown.RunId is { } id ? Markup.Of($"by {Link(context.Run(id), "run " + id.ToString(CultureInfo.InvariantCulture))}, {context.Time(shown.CreatedAt.Value)}") : context.Time(shown.CreatedAt.Value);
        return Facts(
            Fact($"{metric} on the holdout", Markup.Text(Number(shown.PrimaryValue)), Markup.Text($"{Difference(shown.PrimaryValue - shown.BaselineValue)} over the best baseline, {Number(shown.BaselineValue)}")),
            live.Length == 0 ? Fact($"{metric}, live", Markup.Raw("–"), Markup.Raw("no outcome is known yet")) : Fact($"{metric}, live", Markup.Text(Number(live.Average(day => day.MetricValue!.Value))),
                Markup.Text($"mean of {Format.Count(live.Length, "day")}, {Format.Percent(live.Sum(d => d.Outcomes) / (double)Math.Max(1, live.Sum(d => d.Predictions)))} of outcomes known")),
            Fact("Trained on", Markup.Text(Format.Number(shown.TrainingRows)), Span(shown.TrainingFrom.Value, shown.TrainingTo.Value)),
            Fact("Judged on", Markup.Text(Format.Number(shown.HoldoutRows)), Span(shown.HoldoutFrom.Value, shown.HoldoutTo.Value)),
            Fact("Cut-off", Markup.Text(Timestamps.Display(shown.CutOff.Value)), Markup.Text("knows nothing from later")),
            Fact("Registered", Markup.Of($"v{shown.Version}"), run));
    }

    private static Markup Versions(ModelModel model, bool all, PageContext context)
    {
        var rows = model.Versions.Where((version, i) => all || i < VersionsAtOnce || version.Version == model.Champion || version.Version == model.Shown.Version).ToArray();
        var table = Table.Of("Versions", "", [Table.Heading("Version"), Table.NumberHeading("Metric"), Table.NumberHeading("Baseline"), Table.NumberHeading("Difference"),
            Table.NumberHeading("Cut-off"), Table.NumberHeading("Trained on"), Table.Heading("Promotion"), Table.NumberHeading("Run"), Table.NumberHeading("Registered")], rows.Select(version => Version(version, model, context)));
        return rows.Length == model.Versions.Count ? table : table + Body(Link(context.Model(model.Model) + "?versions=all", $"{Format.Count(model.Versions.Count - rows.Length, "older version")}"));
    }

    private static Markup Version(VersionRow version, ModelModel model, PageContext context) => Markup.Of(
        $"""
        <tr class="{(version.Version == model.Shown.Version ? "is-on" : "")}"><th scope="row">{Link(context.Model(model.Model, version.Version), $"v{version.Version}")} {Markup.Concat((version.Aliases ?? "").Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(alias => Tag(alias, alias is "champion" or "challenger" ? alias : "")))}</th>{Table.Number(Number(version.PrimaryValue))}{Table.Number(Number(version.BaselineValue))}{Table.Number(Markup.Of($"<span class=\"{(version.PrimaryValue > version.BaselineValue ? "aw-t-ok" : "aw-t-bad")}\">{Difference(version.PrimaryValue - version.BaselineValue)}</span>"))}{Table.Number(Timestamps.Display(version.CutOff.Value))}{Table.Number(version.TrainingRows)}{Table.Cell(Markup.Of($"<span class=\"aw-muted aw-small\">{version.Promotion}</span>"))}{Table.Number(version.RunId is { } run ? Link(context.Run(run), run.ToString(CultureInfo.InvariantCulture)) : Markup.Empty)}{Table.Number(context.Time(version.CreatedAt.Value))}</tr>
        """);

    private static Markup Lineage(ModelModel model, PageContext context)
    {
        var shown = model.Shown;
        var run = shown.RunId is { } id ? Markup.Of($", run {Link(context.Run(id), id.ToString(CultureInfo.InvariantCulture))}") : Markup.Empty;
        var groups = Markup.Join(", ", model.Inputs.GroupBy(input => (input.FeatureGroup, input.Version)).Select(group => Markup.Of(
            $"<span data-tip=\"{Timestamps.Display(group.Min(i => i.WindowFrom.Value))} to {Timestamps.Display(group.Max(i => i.WindowTo.Value))}\">{Link(context.FeatureGroup(group.Key.FeatureGroup) + "?seq=" + group.Max(i => i.AsOfSeq).ToString(CultureInfo.InvariantCulture), $"{group.Key.FeatureGroup} v{group.Key.Version}")}</span>")));
        var rows = shown.DatasetRows is { } count ? $"{Format.Count(count, "example")}, {Format.Number(shown.DatasetUnlabelledRows ?? 0)} without a label left out" : "its record has been removed";
        return Markup.Of(
            $"""
            <ol class="aw-steps"><li class="is-now"><b>{shown.Model} v{shown.Version}</b>, {shown.Trainer}{(shown.Seed is { } seed ? $", seed {Text(seed)}" : "")}{Note(Markup.Of($"content {Hash(shown.ContentSha256)}, {(shown.Reproducible ? "can be reproduced to the bit" : shown.Reason ?? "cannot be reproduced")}"))}</li><li><b>stage {shown.Pipeline}</b>{run}{Note(Markup.Of($"code {Hash(shown.CodeVersion)}"))}</li><li><b>training dataset {shown.DatasetId}</b> of view {shown.View} v{shown.ViewVersion}{Note(Markup.Of($"{rows}; content {Hash(shown.DatasetContentHash ?? "")}"))}</li><li><b>read as of sequence {shown.DatasetAsOfSeq ?? 0}</b>{Note(groups.IsEmpty ? Markup.Raw("the groups are not recorded") : groups)}</li></ol>
            """);
    }

    private static Markup History(ModelModel model, PageContext context) => model.History.Count == 0 ? Empty(Markup.Raw("No alias has been set."))
        : Body(Markup.Of($"<ol class=\"aw-steps\">{model.History.Select((move, i) => Markup.Of($"<li class=\"{(i == 0 ? "is-now" : "")}\"><b>{move.Alias}</b> to v{move.Version}{(move.PreviousVersion is { } from ? $" from v{Text(from)}" : "")}, {context.Time(move.ChangedAt.Value)} by {move.ChangedBy}{Note(Markup.Text(move.Reason))}</li>"))}</ol>"));

    /// <summary>Days are enough to read; the exact bounds are in the tip.</summary>
    private static Markup Span(DateTime from, DateTime to) =>
        Markup.Of($"<span data-tip=\"{Timestamps.Display(from)} to {Timestamps.Display(to)}, UTC\">{from.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)} to {to.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}</span>");

    private static Markup Hash(string text) => Markup.Of($"<span class=\"aw-mono\" data-tip=\"{text}\">{Format.Code(text)}</span>");

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string Number(double value) => Format.Number(value, "0.000");

    internal static string Difference(double value) => Format.Number(value, "+0.000;−0.000;0.000");
}
