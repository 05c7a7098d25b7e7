using System.Globalization;
using AiWorkflows.Features;
using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Models;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>One feature group: is it fresh, what came in, how its columns are spread, what was kept out, what is made from it.</summary>
internal sealed class FeatureGroupPage : DashboardPage
{
    private const int ListedCommits = 12;

    public override string Section => "features";

    public override async Task<PageContent> LoadAsync(PageRequest request) =>
        await request.Reader.FeatureGroupAsync(request.Name, request.Number("seq")).ConfigureAwait(false) is { } model
            ? Render(model, request.Context) : throw new NoSuchPageException($"There is no feature group '{request.Name}' in the store.");

    internal static PageContent Render(FeatureGroupModel model, PageContext context)
    {
        var group = model.Group;
        var url = context.FeatureGroup(group.FeatureGroup);
        return new()
        {
            Title = group.FeatureGroup,
            Section = "features",
            Crumb = Link(context.Url("/features"), "Feature groups"),
            Heading = Markup.Of($"{group.FeatureGroup} <span class=\"aw-muted\">v{group.Version}</span>{Markup.When(group.Online, Tag("online"))}{Markup.When(group.Deprecated, Tag("deprecated", "warn"))}"),
            Subtitle = Markup.Text($"{group.Description}{(group.Description is null ? "" : " ")}Written by {group.WrittenBy ?? "something outside these workflows"}."),
            Actions = Link(url + "/rows" + (model.Seq is { } s ? "?seq=" + Text(s) : ""), "Look at rows", "btn btn-default btn-sm"),
            Body = Markup.Of(
                $"""
                {Earlier(model, url)}{Part("facts", FactsOf(model, context))}{Quarantine.Form(model, context)}{Components.Panel("Rows per commit", RowsPerCommit(model), Markup.Text(model.Commits.Count == 0 ? "" : $"the newest {Format.Count(model.Commits.Count, "commit")}, by publication"), Key(("", "replace"), ("s2", "patch"), ("warn", "with rows that were kept out")), part: "commits-chart", failed: model.Errors["commits-chart"])}{Components.Panel("Columns", ColumnTable.Render(model), Markup.Text(model.Statistics.Count == 0 ? "statistics come with the first commit" : $"as commit {Text(model.Statistics[0].Commit.CommitId)} counted them, {Format.Count(model.Statistics[0].Commit.RowsComputed, "row")}; the table itself is not read"), part: "columns", failed: model.Errors["columns"])}{Components.Panel("Lineage", Lineage(model, context), Markup.Raw("what it is made from, and what is made from it"), part: "lineage", failed: model.Errors["lineage"])}<div class="aw-grid"><div class="aw-c7">{Components.Panel("Commits", Commits(model, context), Markup.Raw("newest first; open a sequence to look at the group as it was"), part: "commits", failed: model.Errors["commits"])}</div><div class="aw-c5">{Components.Panel("Expectations", Quarantine.Expectations(model), part: "expectations", failed: model.Errors["expectations"])}{Components.Panel("Quarantine", Quarantine.Rows(model, context), Markup.Raw("kept out, not lost"), Quarantine.Button(model, context), part: "quarantine", failed: model.Errors["quarantine"])}</div></div>
                """),
            Sql = SuggestedQueries.CommitsOf(group.FeatureGroup, group.Version),
            LiveUrl = $"{url}/parts{(model.Seq is { } seq ? "?seq=" + Text(seq) : "")}",
        };
    }

    private static Markup Earlier(FeatureGroupModel model, string url) => model.Seq is not { } seq ? Markup.Empty : Notice(Status.Warn, Markup.Of(
        $"<p>This is the group <b>as of sequence {seq}</b>: commits that were published later are left out of charts, commits and rows. {Link(url, "Look at it now")}</p>"));

    private static Markup FactsOf(FeatureGroupModel model, PageContext context)
    {
        var group = model.Group;
        var newest = model.Commits.Count > 0 ? model.Commits[0] : null;
        return Facts(
            Fact("Behind", Markup.Text(group.Watermark is not { } mark ? "–" : model.EventTime > mark.Value ? Format.Coarse(model.EventTime - mark.Value) : "current"), Markup.Raw("the event clock, less what is complete")),
            Fact("Complete up to", Markup.Text(group.Watermark is { } reached ? Timestamps.Display(reached.Value) : "–"), Markup.Raw("computed without a gap")),
            Fact("Rows now", Markup.Text(Format.Number(group.Rows)), Markup.Text(Format.Count(group.Commits, "commit"))),
            Fact("Newest commit", newest is null ? Markup.Raw("none") : Markup.Of($"{Format.Number(newest.Rows)} <small>rows stored</small>"), newest is null ? default : Markup.Of($"{context.Time(newest.PublishedAt.Value)}, sequence {newest.PublishedSeq}")),
            Fact("Newest row", Markup.Text(group.LastEventTime is { } last ? Timestamps.Display(last.Value) : "–"), Markup.Raw("event time, UTC")),
            Fact("Kept out", model.Waiting == 0 ? Markup.Raw("0") : Markup.Of($"<span class=\"aw-t-warn\">{model.WaitingText}</span>"), Markup.Text(group.RowsQuarantined == 0 ? "no row violated a rule" : $"{Format.Count(group.RowsQuarantined, "row")} were ever kept out")),
            Fact("Used by", Markup.Text(Format.Count(model.UsedBy.Select(edge => edge.View).Distinct().Count() + model.LabelOf.Count, "view")), Markup.Text(Format.Count(model.Champions.Count, "champion"))));
    }

    private static Markup RowsPerCommit(FeatureGroupModel model)
    {
        DashboardCommit[] commits = [.. model.Commits.Reverse()];
        if (commits.Length == 0)
            return Empty(Markup.Raw("Nothing has been published yet. The first run of a workflow that writes this group does."));
        var most = commits.Max(commit => Math.Max(commit.RowsComputed, commit.Rows));
        return Body(new Bars($"Rows computed in the newest {Format.Count(commits.Length, "commit")}, {Format.Number(commits.Min(c => c.RowsComputed))} to {Format.Number(most)}.", 150, Bars.From0(most, "#,0"), [.. commits.Select(commit => new BarItem(
            Math.Max(commit.RowsComputed, commit.Rows), commit.RowsQuarantined > 0 ? "is-warn" : commit.Kind == "patch" ? "is-s2" : "",
            $"{Format.Window(commit.WindowFrom.Value, commit.WindowTo.Value)}\n{Format.Count(commit.RowsComputed, "row")} computed, {Format.Number(commit.Rows)} new or changed{(commit.RowsQuarantined > 0 ? $", {Format.Number(commit.RowsQuarantined)} kept out" : "")}\ncommit {Text(commit.CommitId)}, sequence {Text(commit.PublishedSeq)}"))])
        {
            Marks = commits.Length == 1 ? [(0.5, Timestamps.Display(commits[0].WindowFrom.Value))] : [(0, Timestamps.Display(commits[0].WindowFrom.Value)), (1, Timestamps.Display(commits[^1].WindowFrom.Value))],
        }.Render());
    }

    private static Markup Commits(FeatureGroupModel model, PageContext context) => model.Commits.Count == 0 ? Empty(Markup.Raw("Nothing has been published yet."))
        : Table.Of("Commits", "aw-tight", [Table.NumberHeading("Sequence"), Table.NumberHeading("Commit"), Table.Heading("Window, UTC"), Table.Heading("Kind"), Table.NumberHeading("Computed"), Table.NumberHeading("Stored"), Table.NumberHeading("Removed"), Table.NumberHeading("Run"), Table.NumberHeading("Published")],
            model.Commits.Take(ListedCommits).Select(commit => Markup.Of(
                $"""
                <tr><th scope="row" class="aw-num">{Link(context.FeatureGroup(model.Group.FeatureGroup) + "?seq=" + Text(commit.PublishedSeq), Text(commit.PublishedSeq))}</th>{Table.Number(Mono(Text(commit.CommitId)))}{Table.Cell(Markup.Text(Format.Window(commit.WindowFrom.Value, commit.WindowTo.Value)), "aw-nowrap")}{Table.Cell(commit.Kind)}{Table.Number(commit.RowsComputed)}{Table.Number(commit.Rows)}{Table.Number(commit.Tombstones)}{Table.Number(commit.RunId is { } run ? Link(context.Run(run), Text(run)) : Markup.Empty)}{Table.Number(context.Time(commit.PublishedAt.Value))}</tr>
                """)));

    private static Markup Lineage(FeatureGroupModel model, PageContext context)
    {
        var self = $"group {model.Group.FeatureGroup}";
        var nodes = new List<DagNode>();
        var edges = new List<(string, string)>();
        foreach (var read in model.Reads.GroupBy(input => (input.FeatureGroup, input.Version)))
        {
            nodes.Add(new($"group {read.Key.FeatureGroup}", read.Key.FeatureGroup, $"group v{Text(read.Key.Version)}", $"as of sequence {Text(read.Max(i => i.AsOfSeq))}", Status.Ok, context.FeatureGroup(read.Key.FeatureGroup)));
            edges.Add(($"group {read.Key.FeatureGroup}", self));
        }
        nodes.Add(new(self, model.Group.FeatureGroup, $"by {model.Group.WrittenBy ?? "others"}", $"{Format.Number(model.Group.Rows)} rows", Status.Ok, context.FeatureGroup(model.Group.FeatureGroup)));
        foreach (var reader in model.ReadBy)
        {
            nodes.Add(new($"made {reader}", reader, "group", "made from it", Status.Ok, context.FeatureGroup(reader)));
            edges.Add((self, $"made {reader}"));
        }
        foreach (var view in model.UsedBy.GroupBy(edge => (edge.View, edge.ViewVersion)).Where(view => model.UsedBy.Where(e => e.View == view.Key.View).Max(e => e.ViewVersion) == view.Key.ViewVersion))
        {
            var features = view.Select(edge => edge.Feature).Distinct().Order(StringComparer.Ordinal).ToArray();
            nodes.Add(new($"view {view.Key.View}", view.Key.View, $"view v{Text(view.Key.ViewVersion)}", Format.Count(features.Length, "feature"), Status.Ok, "#columns", Tip: Format.Shorten(string.Join(", ", features), 300)));
            edges.Add((self, $"view {view.Key.View}"));
        }
        foreach (var view in model.LabelOf)
        {
            nodes.Add(new($"view {view}", view, "view", "its label", Status.Ok, "#columns"));
            edges.Add((self, $"view {view}"));
        }
        foreach (var champion in model.Champions)
        {
            nodes.Add(new($"model {champion.Model}", champion.Model, $"champion v{Text(champion.Version)}", $"{champion.PrimaryMetric} {Format.Number(champion.PrimaryValue, "0.000")}", Status.Ok, context.Model(champion.Model)));
            edges.Add(($"view {champion.FeatureView}", $"model {champion.Model}"));
        }
        if (nodes.Count == 1)
            return Empty(Markup.Raw("It is made from a source outside the store, and no view reads it yet."));
        var kept = nodes.Take(DagSvg.MaxNodes).ToArray();
        return DagSvg.Render($"Lineage of {model.Group.FeatureGroup}", kept, edges) + (kept.Length < nodes.Count ? Body(Muted($"{Format.Count(nodes.Count - kept.Length, "node")} more")) : Markup.Empty);
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
