using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>The feature groups of the store: how far each has come, and what was kept out of it.</summary>
internal sealed class FeatureGroupsPage : DashboardPage
{
    public override string Section => "features";

    public override async Task<PageContent> LoadAsync(PageRequest request) => Render(await request.Reader.FeatureGroupsAsync().ConfigureAwait(false), request.Context);

    internal static PageContent Render(IReadOnlyList<GroupRow> groups, PageContext context) => new()
    {
        Title = "Feature groups",
        Section = "features",
        Subtitle = Markup.Raw("Typed, append-only tables. A correction is a new version of a row; a read as of an earlier commit gives what that commit saw."),
        Body = Components.Panel("Feature groups", groups.Count == 0
            ? Empty(Markup.Raw("No feature group is declared. A record with [FeatureGroup] that a pipeline of this host writes appears here."))
            : Table.Of("Feature groups", "aw-tall",
                [Table.Heading("Group"), Table.Heading("Written by"), Table.NumberHeading("Rows now"), Table.NumberHeading("Complete up to"), Table.NumberHeading("Quarantined"), Table.NumberHeading("Commits"), Table.NumberHeading("Published")],
                groups.Select(group => Row(group, context))), part: "groups"),
        LiveUrl = context.Url("/features/parts"),
    };

    private static Markup Row(GroupRow group, PageContext context) => Table.Row(
        Link(context.Url("/features/" + Uri.EscapeDataString(group.FeatureGroup)), group.FeatureGroup, "aw-name")
            + Markup.Of($" <span class=\"aw-muted\">v{group.Version}</span>{Markup.When(group.Deprecated, Tag("deprecated", "warn"))}{(group.Description is { } about ? Note(Markup.Text(about)) : Markup.Empty)}"),
        Table.Cell(group.WrittenBy ?? "somebody else"), Table.Number(group.Rows), Table.Number(group.Watermark is { } mark ? Timestamps.Display(mark.Value) : "–"),
        Table.Number(group.RowsQuarantined == 0 ? Markup.Text("0") : Markup.Of($"<span class=\"aw-t-warn\">{Format.Number(group.RowsQuarantined)}</span>")), Table.Number(group.Commits),
        Table.Number(group.LastPublishedAt is { } at ? context.Time(at.Value) : Muted("never")));
}
