using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>The feature groups of the store: how far each has come, and what its newest commit brought.</summary>
internal sealed class FeatureGroupsPage : DashboardPage
{
    public override string Section => "features";

    public override async Task<PageContent> LoadAsync(PageRequest request) => Render(await request.Reader.FeatureGroupsAsync().ConfigureAwait(false), request.Context);

    internal static PageContent Render(FeatureGroupsModel model, PageContext context) => new()
    {
        Title = "Feature groups",
        Section = "features",
        Subtitle = Markup.Raw("Typed, append-only tables. A correction is a new version of a row; a read as of an earlier commit gives what that commit saw."),
        Body = Components.Panel("Feature groups", model.Groups.Count == 0
            ? Empty(Markup.Raw("No feature group is declared. A record with [FeatureGroup] that a pipeline of this host writes appears here."))
            : Table.Of("Feature groups", "aw-tall",
                [Table.Heading("Group"), Table.Heading("Written by"), Table.NumberHeading("Complete up to"), Table.NumberHeading("Behind"), Table.NumberHeading("Computed last"), Table.NumberHeading("Quarantined"), Table.NumberHeading("Run"), Table.NumberHeading("Published")],
                model.Groups.Select(group => Row(group, model, context))), model.Groups.Count == 0 ? default : Markup.Text(Format.Count(model.Groups.Count, "group")), part: "groups"),
        LiveUrl = context.Url("/features/parts"),
        Sql = SuggestedQueries.Groups,
    };

    private static Markup Row(DashboardGroup group, FeatureGroupsModel model, PageContext context) => Table.Row(
        Link(context.FeatureGroup(group.FeatureGroup), Format.Shorten(group.FeatureGroup, 80), "aw-name")
            + Markup.Of($" <span class=\"aw-muted\">v{group.Version}</span>{Markup.When(group.Online, Markup.Of($" {Tag("online")}"))}{Markup.When(group.Deprecated, Tag("deprecated", "warn"))}{(group.Description is { } about ? Note(Markup.Text(about)) : Markup.Empty)}"),
        Table.Cell(group.WrittenBy ?? "somebody else"), Table.Number(group.Watermark is { } mark ? Timestamps.Display(mark.Value) : "–"),
        Table.Number(group.Watermark is { } reached && model.EventTime > reached.Value ? Format.Coarse(model.EventTime - reached.Value) : group.Watermark is null ? "" : "current"),
        Table.Number(group.RowsComputed), Table.Number(group.RowsQuarantined is > 0 and var kept ? Markup.Of($"<span class=\"aw-t-warn\">{Format.Number(kept)}</span>") : Markup.Text(group.PublishedAt is null ? "" : "0")),
        Table.Number(group.RunId is { } run ? Link(context.Run(run), run.ToString(CultureInfo.InvariantCulture)) : Markup.Empty),
        Table.Number(group.PublishedAt is { } at ? context.Time(at.Value) : Muted("never")));
}
