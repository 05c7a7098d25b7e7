using System.Globalization;
using AiWorkflows.Hosting.Dashboard.Charts;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Hosting.Dashboard.Workflows;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;

namespace AiWorkflows.Hosting.Dashboard.Predictions;

/// <summary>The prediction log of a model: what it said, how its scores are spread, and how right it was.</summary>
internal sealed class PredictionsPage : DashboardPage
{
    public override string Section => "predictions";

    public override async Task<PageContent> LoadAsync(PageRequest request)
    {
        var search = new PredictionSearch(request.Value("model"), request.Version("version"), request.Value("key"), request.Time("from"), request.Time("to"), request.Value("made") == "online");
        if (search.Key is { } key)
            Check(key);
        var model = await request.Reader.PredictionsAsync(search, request.Number("before")).ConfigureAwait(false);
        if (search.Model is { } name && !model.Versions.Any(v => v.Model == name))
            throw new NoSuchPageException(NearMatches.Unknown("model", name, model.Versions.Select(v => v.Model).Distinct()).Message);
        return Render(model, request.Context);
    }

    private static void Check(string key)
    {
        try
        {
            EntityKeyText.Candidates(key, "Key");
        }
        catch (InvalidRequestException e)
        {
            throw new NoSuchPageException(e.Message);
        }
    }

    internal static PageContent Render(PredictionsModel model, PageContext context) => Render(model, PagerOf(model), context);

    private static PageContent Render(PredictionsModel model, Pager pager, PageContext context) => new()
    {
        Title = "Predictions",
        Section = "predictions",
        Subtitle = Markup.Raw("Every prediction is in the log before it is returned. Search by what it was about; open one to see the values that the model saw."),
        Body = model.Shown is null
            ? Components.Panel("Predictions", Empty(Markup.Raw("No model has been registered yet. Once one is, batch inference and the API log what it says here.")), part: "found")
            : Components.Panel("Search", Body(Form(model, context))) + Charts(model) + Components.Panel("Found", Found(model, context), Markup.Text(Hint(model, pager)), pager.Links(context), part: "found", failed: model.Errors["found"]),
        Sql = model.Search.Model is { } name ? SuggestedQueries.PredictionsBy(name) : null,
        LiveUrl = pager.LiveUrl(context),
    };

    private static Markup Form(PredictionsModel model, PageContext context)
    {
        var search = model.Search;
        var versions = model.Versions.Where(v => v.Model == search.Model).Reverse().Select(v => (Value: Number(v.Version), Text: $"v{v.Version}{(v.IsChampion ? " champion" : "")}")).ToList();
        if (search.Version is { } chosen && versions.All(v => v.Value != Number(chosen)))
            versions.Add((Number(chosen), $"v{chosen}"));
        return Fields.Search(context.Url("/predictions"), Fields.Select("model", "Model", null, model.Versions.Select(v => v.Model).Distinct(), search.Model),
            Fields.Select("version", "Version", "any", versions, search.Version is { } version ? Number(version) : null), Fields.Text("key", "Entity key", search.Key, "535402197580520"),
            Fields.Time("from", "Event from, UTC", search.From), Fields.Time("to", "to", search.To),
            Fields.Select("made", "Made", "in batches", [("online", "online")], search.Online ? "online" : null), Fields.Button("Search"));
    }

    private static Markup Charts(PredictionsModel model) => Markup.Of(
        $"""
        <div class="aw-grid"><div class="aw-c6">{Components.Panel("Probabilities", ScoreHistogram.Render(model.Batches, model.Search.Online), Markup.Text(Counted(model)), part: "histogram", failed: model.Errors["histogram"])}</div><div class="aw-c6">{Components.Panel("Live metric", Live(model), Markup.Text($"{WorkflowRows.MetricName(model.Shown!.PrimaryMetric)} by day of event time, and share of outcomes known"), part: "live", failed: model.Errors["live"])}</div></div>
        """);

    private static Markup Live(PredictionsModel model) => model.Live.Count == 0 ? Empty(Markup.Raw("Appears when outcomes of predictions are known."))
        : Body(LiveMetric.Render(model.Live, model.Shown!.PrimaryMetric, model.Shown.Version, [(model.Shown.PrimaryValue, "on the holdout"), (model.Shown.BaselineValue, "baseline")]));

    private static string Counted(PredictionsModel model) => model.Batches.Count == 0 || model.Search.Online ? ""
        : $"{Format.Count(model.Batches.Sum(batch => batch.Rows), "prediction")} in {Format.Count(model.Batches.Count, "batch", "batches")}, {Timestamps.Display(model.Batches.Min(b => b.WindowFrom.Value))} to {Timestamps.Display(model.Batches.Max(b => b.WindowTo.Value))}";

    private static string Hint(PredictionsModel model, Pager pager) => model.Rows.Count == 0 ? "" : $"{model.Search.Model}: {pager.Hint(model.Rows.Count, "prediction")}";

    private static Markup Found(PredictionsModel model, PageContext context)
    {
        if (model.Rows.Count == 0)
            return Empty(Markup.Text(model.Search with { Model = null } == new PredictionSearch() ? $"No prediction by {model.Search.Model} yet. A run of a workflow with a batch inference stage logs them here."
                : model.Search.Online ? "No online prediction fits the search. They come from POST /api/models/NAME/predictions." : "No prediction made in a batch fits the search; those made online are a choice of the search."));
        return Table.Of("Predictions", "aw-tight",
            [Table.NumberHeading("Prediction"), Table.Heading("Entity"), Table.Heading("Event time, UTC"), Table.NumberHeading("Probability"), Table.HiddenHeading("as a bar"), Table.Heading("Output"), Table.Heading("Outcome"), Table.Heading("Version"), Table.Heading("Made")],
            model.Rows.Select(row => Markup.Of(
                $"""
                <tr><th scope="row" class="aw-num">{Link(context.Prediction(row.PredictionId), Number(row.PredictionId))}</th>{Table.Cell(Mono(Format.Shorten(Key(row), 60)))}{Table.Cell(Markup.Text(Timestamps.Display(row.EventTime.Value)), "aw-nowrap")}{Table.Number(Value(row) is { } p ? Format.Number(p, "0.000") : row.Label)}{Table.Cell(row.Probability is { } share ? Bar(share, Status.Run, Format.Percent(share), 90) : Markup.Empty)}{Table.Cell(Mono(Format.Shorten(row.Output.Text, 60)))}{Table.Cell(Outcome(row))}{Table.Cell($"v{row.Version}")}{Table.Cell(Made(row, context))}</tr>
                """)));
    }

    internal static double? Value(PredictionListRow row) => row.Probability ?? row.Score;

    /// <summary>One key without the brackets of its array.</summary>
    internal static string Key(PredictionListRow row) => row.EntityKey.Text is ['[', .. var inner, ']'] && !inner.Contains(',', StringComparison.Ordinal) ? inner.Trim('"') : row.EntityKey.Text;

    internal static Markup Outcome(PredictionListRow row) => row.ActualAt is not { } at ? Muted("not known yet")
        : Markup.Of($"<span data-tip=\"known since {Timestamps.Display(at.Value)} UTC\">{row.ActualText ?? (row is { Probability: not null, Actual: 0 or 1 } ? row.Actual == 1 ? "yes" : "no" : Format.Number(row.Actual ?? 0, "0.###"))}</span>");

    private static Markup Made(PredictionListRow row, PageContext context) =>
        (row.RunId is { } run ? Link(context.Run(run), $"run {Number(run)}") : Markup.Of($"online, {context.Time(row.PredictedAt.Value)}")) + Markup.When(row.Hindsight, Markup.Of($" {Tag("hindsight", "warn")}"));

    private static Pager PagerOf(PredictionsModel model) => new("/predictions",
    [
        ("model", model.Search.Model), ("version", model.Search.Version is { } version ? Number(version) : null), ("key", model.Search.Key),
        ("from", model.Search.From is { } from ? Timestamps.Display(from) : null), ("to", model.Search.To is { } to ? Timestamps.Display(to) : null), ("made", model.Search.Online ? "online" : null),
    ], model.IsFirstPage, model.HasOlder ? model.Rows[^1].PredictionId : null);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
