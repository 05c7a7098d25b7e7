using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Search;

/// <param name="Hits">What was found, the surest first.</param>
/// <param name="More">Whether more names fit than are shown.</param>
internal sealed record SearchModel(string Text, IReadOnlyList<SearchHit> Hits, bool More);

/// <param name="Kind">run, backfill, prediction, commit, workflow, model, feature group, predictions about.</param>
internal sealed record SearchHit(string Kind, string Name, string What, string Path);

/// <summary>Finds by id or by part of a name, over all that has a page.</summary>
internal sealed class SearchPage : DashboardPage
{
    public override string Section => "search";

    public override async Task<PageContent> LoadAsync(PageRequest request) => Render(request.Value("q") is { } text ? await request.Reader.SearchAsync(text).ConfigureAwait(false) : new("", [], false), request.Context);

    internal static PageContent Render(SearchModel model, PageContext context) => new()
    {
        Title = "Search",
        Section = "search",
        Subtitle = Markup.Raw("Runs, backfills, predictions and commits by id; workflows, models and feature groups by a part of their name; predictions by the key of what they are about."),
        Body = Components.Panel("Search", Body(Fields.Search(context.Url("/search"), Fields.Text("q", "Id, name or key", model.Text, "4294967297", 40), Fields.Button("Search"))))
            + Components.Panel("Found", model.Text.Length == 0 ? Empty(Markup.Raw("Type an id or a part of a name.")) : model.Hits.Count == 0 ? Empty(Markup.Of($"Nothing is called '{model.Text}', and nothing has that id."))
                : Table.Of("Found", "", [Table.Heading("What"), Table.Heading("Name"), Table.HiddenHeading("About it")], model.Hits.Select(hit => Table.Row(Muted(hit.Kind), Table.Cell(Link(context.Url(hit.Path), Format.Shorten(hit.Name, 120), "aw-name")), Table.Cell(Markup.Of($"<span class=\"aw-muted\">{Format.Shorten(hit.What, 160)}</span>"))))),
                Markup.Text(model.Hits.Count == 0 ? "" : Format.Count(model.Hits.Count, "hit") + (model.More ? ", there are more names like this" : "")), part: "found"),
    };

    internal static string Id(long id) => id.ToString(CultureInfo.InvariantCulture);
}
