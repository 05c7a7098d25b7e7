using System.Globalization;
using AiWorkflows.Features;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>Rows of a group by key, now or as an earlier commit left them.</summary>
internal sealed class GroupRowsPage : DashboardPage
{
    public override string Section => "features";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        try
        {
            return await request.Reader.GroupRowsAsync(request.Name, request.Value("key"), request.Time("at"), request.Number("seq")).ConfigureAwait(false) is { } model
                ? Render(model, request.Context) : throw new NoSuchPageException($"There is no feature group '{request.Name}' in the store.");
        }
        catch (InvalidRequestException e)
        {
            throw new NoSuchPageException(e.Message);
        }
    }

    internal static PageContent Render(GroupRowsModel model, PageContext context)
    {
        var keys = model.Rows.Columns.Where(c => c.Role == ColumnRole.Key).Select(c => c.Name).ToArray();
        return new()
        {
            Title = $"Rows of {model.FeatureGroup}",
            Section = "features",
            Crumb = Markup.Of($"{Link(context.Url("/features"), "Feature groups")} / {Link(context.FeatureGroup(model.FeatureGroup) + (model.Seq is { } s ? "?seq=" + Text(s) : ""), model.FeatureGroup)}"),
            Heading = Markup.Of($"Rows of {model.FeatureGroup} <span class=\"aw-muted\">v{model.Version}</span>"),
            Subtitle = Markup.Of($"The latest first, {(model.Seq is { } seq ? Markup.Of($"as of sequence {seq}: what was published later is not seen") : Markup.Raw("as they are now"))}."),
            Sql = Storage.Queries.SuggestedQueries.RowsOf(model.FeatureGroup, model.Version),
            Body = Components.Panel("Search", Body(Fields.Search(context.FeatureGroup(model.FeatureGroup) + "/rows", Fields.Text("key", $"Key: {Format.Shorten(string.Join(", ", keys), 60)}", model.Key, keys.Length > 1 ? "with commas between" : ""),
                Fields.Time("at", "Event time up to, UTC", model.At), Fields.Text("seq", "As of sequence", model.Seq is { } number ? Text(number) : "", "now", 12), Fields.Button("Show"))))
                + Components.Panel("Rows", Rows(model, context), Markup.Text(Hint(model))),
        };
    }

    private static string Hint(GroupRowsModel model) => model.Rows.Rows.Count == 0 ? "" : $"{Format.Count(model.Rows.Rows.Count, "row")}{(model.Rows.LookedThrough is { } most ? $" among the newest {Format.Number(most)} of the time; go back with the event time" : "")}";

    private static Markup Rows(GroupRowsModel model, PageContext context)
    {
        if (model.Rows.Rows.Count == 0)
            return Empty(Markup.Text(model.Rows.LookedThrough is { } most ? $"No such row among the newest {Format.Number(most)}. This group has no index on its keys; go back in time with the event time." : "No row fits."));
        var columns = model.Rows.Columns;
        return Table.Of($"Rows of {model.FeatureGroup}", "aw-tight", [.. columns.Select(c => IsNumber(c) ? Table.NumberHeading(Format.Shorten(c.Name, 40)) : Table.Heading(Format.Shorten(c.Name, 40))), Table.NumberHeading("Commit"), Table.NumberHeading("Run")],
            model.Rows.Rows.Select(row => Markup.Of(
                $"<tr>{columns.Select((c, i) => Value(c, row.Values[i]))}{Table.Number(Mono(Text(row.CommitId)))}{Table.Number(row.RunId is { } run ? Link(context.Run(run), Text(run)) : Markup.Empty)}</tr>")));
    }

    private static Markup Value(StoredColumn column, object? value)
    {
        var text = value is null ? Muted("missing") : Markup.Text(Format.Shorten(Cli.Format.Value(value), 120));
        return IsNumber(column) ? Table.Number(text) : Table.Cell(text, "aw-nowrap");
    }

    private static bool IsNumber(StoredColumn column) => column.Type is ColumnType.Byte or ColumnType.Int16 or ColumnType.Int32 or ColumnType.Int64 or ColumnType.Single or ColumnType.Double or ColumnType.Decimal;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
