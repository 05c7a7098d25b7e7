using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>The models of the registry: which version serves, and by how much it beats its baseline.</summary>
internal sealed class ModelsPage : DashboardPage
{
    public override string Section => "models";

    public override async Task<PageContent> LoadAsync(PageRequest request) => Render(await request.Reader.ModelsAsync().ConfigureAwait(false), request.Context);

    internal static PageContent Render(ModelsModel model, PageContext context) => new()
    {
        Title = "Models",
        Section = "models",
        Subtitle = Markup.Raw("A version is promoted when it beats its baseline and the champion on a holdout that lies after its training data."),
        Body = Components.Panel("Models", model.Models.Count == 0
            ? Empty(Markup.Raw("No model has been registered. A training pipeline registers its first version here."))
            : Table.Of("Models", "aw-tall",
                [Table.Heading("Model"), Table.Heading("Champion"), Table.Heading("Metric over baseline"), Table.NumberHeading("Versions"), Table.NumberHeading("Champion since")],
                model.Models.Select(row => Row(row, [.. model.Versions[row.Model]], context))), part: "models"),
        LiveUrl = context.Url("/models/parts"),
        Sql = SuggestedQueries.Models,
    };

    private static Markup Row(ModelRow row, DashboardVersion[] versions, PageContext context)
    {
        var champion = row.Champion is { } version ? Tag($"v{version}", "champion") : Muted("none: no version was promoted");
        var metric = row is { Metric: { } name, MetricValue: { } value, BaselineValue: { } baseline } && versions.Length > 0
            ? Markup.Of($"<div class=\"aw-inline\">{Spark.Render([.. versions.Select(v => v.PrimaryValue)], baseline, $"{WorkflowRows.MetricName(name)} of the newest {Format.Count(versions.Length, "version")}, baseline {Format.Number(baseline, "0.000")}")}<div>{WorkflowRows.MetricName(name)} <b>{Format.Number(value, "0.000")}</b> over {Format.Number(baseline, "0.000")}</div></div>")
            : Markup.Empty;
        return Table.Row(Link(context.Url("/models/" + Uri.EscapeDataString(row.Model)), row.Model, "aw-name") + Note(Markup.Text(row.Description ?? row.Task)), Table.Cell(champion), Table.Cell(metric),
            Table.Number(row.Versions), Table.Number(row.ChampionSince is { } since ? context.Time(since.Value) : Markup.Empty));
    }
}
