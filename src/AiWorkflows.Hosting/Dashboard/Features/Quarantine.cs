using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>What the rules of a group say, which rows they kept out and why, and letting those in that hold the rules of today.</summary>
internal static class Quarantine
{
    private const int RowText = 220;

    public static Markup Button(FeatureGroupModel model, PageContext context) =>
        Markup.When(!context.IsReadOnly && model.Waiting > 0, Link("#replay", $"Replay {model.WaitingText}…", "btn btn-default btn-xs"));

    public static Markup Form(FeatureGroupModel model, PageContext context) => context.IsReadOnly || model.Waiting == 0 ? Markup.Empty : Markup.Of(
        $"""
        <section class="aw-panel aw-target" id="replay"><header><h2>Replay the quarantine</h2></header><div class="aw-body"><p>{model.WaitingText} {(model.Waiting == 1 ? "row was" : "rows were")} kept out by the rules of then. Those that hold the rules of today are published as a patch, in a run of its own; the others stay here. Running their window again takes them out again, unless the rule has changed.</p><form class="aw-form" data-aw-post="{context.FeatureGroup(model.Group.FeatureGroup)}/replay">{Fields.Select("accept", "Rows that still violate a rule", "stay in quarantine", [("yes", "are published as they are")], null)}<button class="btn btn-primary btn-sm" type="submit">Replay</button><a class="btn btn-default btn-sm" href="#">Not now</a><output></output></form></div></section>
        """);

    public static Markup Expectations(FeatureGroupModel model)
    {
        var rules = model.Statistics.SelectMany(commit => commit.Expectations).GroupBy(rule => (rule.Rule, rule.Outcome)).ToArray();
        return rules.Length == 0 ? Empty(Markup.Raw("The pipeline declares no expectation."))
            : Table.Of("Expectations", "aw-tight", [Table.Heading("Rule"), Table.Heading("Else"), Table.NumberHeading("Violations")], rules.Select(rule => Table.Row(
                Markup.Text(rule.Key.Rule) + (rule.FirstOrDefault(r => r.First.Length > 0) is { } example ? Note(Markup.Text(Format.Shorten(example.First, 120))) : Markup.Empty), Table.Cell(rule.Key.Outcome),
                Table.Number(rule.Sum(r => r.Violations) is > 0 and var violations ? Markup.Of($"<span class=\"aw-t-warn\">{Format.Number(violations)}</span> <span class=\"aw-muted\">in {Format.Count(model.Statistics.Count, "commit")}</span>") : Status.Badge(Status.Ok, "none")))));
    }

    public static Markup Rows(FeatureGroupModel model, PageContext context)
    {
        if (model.QuarantineCounts.Count == 0)
            return Empty(Markup.Raw("No row was kept out."));
        var counts = Markup.Of($"<ul class=\"aw-list\">{model.QuarantineCounts.Select(rule => Markup.Of($"<li><svg class=\"aw-i aw-t-warn\" aria-hidden=\"true\"><use href=\"#aw-warn\"/></svg><div><b>{rule.Rule}</b><br><span class=\"aw-muted aw-small\">{Format.Shorten(rule.Example, RowText)}</span></div><span class=\"aw-num aw-small\">{Format.Count(rule.Rows, "row")}{(rule.Replayed > 0 ? $", {Format.Number(rule.Replayed)} replayed" : "")}</span></li>"))}</ul>");
        return model.Quarantine.Count == 0 ? counts : counts + Table.Of("Rows that were kept out", "aw-tight", [Table.Heading("Row"), Table.NumberHeading("Run"), Table.NumberHeading("When")], model.Quarantine.Select(row => Table.Row(
            Markup.Of($"<span class=\"aw-mono aw-wrap\">{Format.Shorten(row.Row.Text, RowText)}</span>{Note(Markup.Text(Format.Shorten(row.Reason, RowText)))}"),
            Table.Number(row.RunId is { } run ? Link(context.Run(run), run.ToString(CultureInfo.InvariantCulture)) : Markup.Empty), Table.Number(context.Time(row.QuarantinedAt.Value)))));
    }
}
