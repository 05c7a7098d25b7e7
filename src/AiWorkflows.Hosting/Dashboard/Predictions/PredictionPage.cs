using System.Globalization;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Hosting.Dashboard.Pages;
using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using static AiWorkflows.Hosting.Dashboard.Rendering.Components;
using Format = AiWorkflows.Hosting.Dashboard.Rendering.Format;

namespace AiWorkflows.Hosting.Dashboard.Predictions;

/// <summary>One prediction explained: every value that the model saw, with the row, commit and run that it came from.</summary>
internal sealed class PredictionPage : DashboardPage
{
    public override string Section => "predictions";

    public override async Task<PageContent> LoadAsync(PageRequest request) =>
        request.Uri.Groups["id"].Value is var text && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && await request.Reader.PredictionAsync(id).ConfigureAwait(false) is { } model
            ? Render(model, request.Context) : throw new NoSuchPageException($"There is no prediction {text} in the log.");

    internal static PageContent Render(PredictionModel model, PageContext context)
    {
        var prediction = model.Prediction;
        return new()
        {
            Title = $"Prediction {Number(prediction.PredictionId)}",
            Section = "predictions",
            Crumb = Link(context.Url("/predictions?model=" + Uri.EscapeDataString(prediction.Model)), "Predictions"),
            Heading = Markup.Of($"Prediction {prediction.PredictionId}{Markup.When(prediction.Hindsight, Tag("hindsight", "warn"))}{Markup.When(prediction.Role != "champion", Tag(prediction.Role, prediction.Role))}"),
            Subtitle = Markup.Of($"About {Mono(PredictionsPage.Key(prediction))} at {Timestamps.Display(prediction.EventTime.Value)} UTC, {(model.Online is null ? "made in a batch" : "answered online")} by {Link(context.Model(prediction.Model, prediction.Version), $"{prediction.Model} v{prediction.Version}")}."),
            Actions = Link(context.Url($"/predictions?model={Uri.EscapeDataString(prediction.Model)}&key={Uri.EscapeDataString(prediction.EntityKey.Text)}{(model.Online is null ? "" : "&made=online")}"), "All about this entity", "btn btn-default btn-sm"),
            Sql = SuggestedQueries.Prediction(prediction.PredictionId),
            Body = FactsOf(model, context) + Components.Panel("Features", Features(model, context), Markup.Text($"the values that the model saw, as of sequence {Number(AsOf(model))}")) + Markup.Of(
                $"""
                <div class="aw-grid"><div class="aw-c6">{Components.Panel("Rows that were joined", Rows(model, context), Markup.Raw("age: how old a row was at the event; older than its maximum age counts as missing"))}</div><div class="aw-c6">{Components.Panel("Where it comes from", Body(Lineage(model, context)))}</div></div>
                """),
        };
    }

    private static Markup FactsOf(PredictionModel model, PageContext context)
    {
        var prediction = model.Prediction;
        return Facts(
            prediction.Probability is { } p ? Fact("Probability", Markup.Text(Format.Number(p, "0.000")), Bar(p, Status.Run, Format.Percent(p)))
                : Fact("Score", Markup.Text(prediction.Score is { } score ? Format.Number(score, "0.###") : prediction.Label ?? "–")),
            Fact("Output", Markup.Of($"<small class=\"aw-mono\">{Format.Shorten(prediction.Output.Text, 22)}</small>"), Markup.Of($"<span data-tip=\"{Format.Shorten(prediction.Output.Text, 1000)}\">what Decide returned</span>")),
            Fact("Outcome", PredictionsPage.Outcome(prediction), Markup.Text(prediction.ActualAt is { } at ? $"known since {Timestamps.Display(at.Value)} UTC" : "its time has not come, or nothing was recorded")),
            Fact("Event time", Markup.Text(Timestamps.Display(prediction.EventTime.Value)), Markup.Raw("UTC; later data was not used")),
            Fact("Model", Link(context.Model(prediction.Model, prediction.Version), $"v{prediction.Version}"), Markup.Text($"knows nothing from {Timestamps.Display(model.Version.CutOff.Value)} on")),
            Fact(model.Online is null ? "Made by" : "Answered", model.Batch.RunId is { } run && model.Online is null ? Link(context.Run(run), $"run {Number(run)}") : context.Time(prediction.PredictedAt.Value),
                Markup.Text(model.Online is null ? $"batch {Number(model.Batch.BatchId)} of {model.Batch.Pipeline}" : model.Online.RequestId is { } request ? $"request {Format.Shorten(request, 24)}" : "by the API")));
    }

    private static Markup Features(PredictionModel model, PageContext context) => model.Example is not { } example ? Empty(Markup.Text(model.Notice))
        : Table.Of("Features", "aw-tight", [Table.Heading("Feature"), Table.NumberHeading("Value"), Table.Heading("In the training data"), Table.Heading("Made from"), Table.Heading("Known from, UTC"), Table.NumberHeading("Age"), Table.NumberHeading("Commit"), Table.NumberHeading("Run")],
            example.Features.Select(feature => Feature(feature, model, context)));

    private static Markup Feature(ShownFeature feature, PredictionModel model, PageContext context)
    {
        var joined = feature.From.Where(source => source.Alias != ShownExample.Spine).ToArray();
        var known = joined.Where(source => source.EventTime is not null).ToArray();
        var commits = feature.From.Select(source => source.CommitId).OfType<long>().Distinct().ToArray();
        var missing = joined.Length > 0 && known.Length == 0;
        return Table.Row(Markup.Text(feature.Feature),
            Table.Number(feature.Value is null || Cli.Format.Value(feature.Value) == "-" ? Muted("missing") : Markup.Of($"<b>{Cli.Format.Value(feature.Value)}</b>")),
            Table.Cell(model.Training.ShareBelow(feature.Feature, feature.Value) is { } share ? Place(share) : Markup.Empty),
            Table.Cell(Markup.Join(", ", feature.From.Select(source => (source.FeatureGroup, source.Version, source.Column, source.Alias)).Distinct().Select(source =>
                Markup.Of($"{Link(context.FeatureGroup(source.FeatureGroup), source.FeatureGroup)}.{source.Column}{Markup.When(source.Alias != source.FeatureGroup && source.Alias != ShownExample.Spine, Markup.Of($" <span class=\"aw-muted\">as {source.Alias}</span>"))}")))),
            Table.Cell(missing ? Tag("no row within its age", "warn") : Markup.Join(", ", known.Select(source => source.EventTime!.Value).Distinct().Select(time => Markup.Text(Timestamps.Display(time))))),
            Table.Number(string.Join(", ", known.Select(source => source.AgeSeconds).OfType<double>().Distinct().Select(age => Cli.Format.Age(TimeSpan.FromSeconds(age))))),
            Table.Number(Markup.Join(", ", commits.Select(commit => Mono(Format.Number(commit))))),
            Table.Number(Runs(commits, model, context)));
    }

    /// <summary>Where a value lies among those that the model learnt from.</summary>
    private static Markup Place(double share) => Markup.Of(
        $"<span class=\"aw-inline\"><svg width=\"76\" height=\"12\" role=\"img\" aria-label=\"above {Format.Percent(share)} of the training examples\" data-tip=\"above {Format.Percent(share)} of the training examples\"><rect class=\"aw-track\" y=\"5\" width=\"76\" height=\"2\"/><circle class=\"aw-d\" cx=\"{4 + share * 68}\" cy=\"6\" r=\"3.5\"/></svg><span class=\"aw-muted aw-small\">P{Format.Number(Math.Round(share * 100), "0")}</span></span>");

    private static Markup Runs(IEnumerable<long> commits, PredictionModel model, PageContext context) => Markup.Join(", ",
        commits.Select(commit => model.Commits.GetValueOrDefault(commit)?.RunId).OfType<long>().Distinct().Select(run => Link(context.Run(run), Number(run))));

    private static Markup Rows(PredictionModel model, PageContext context) => model.Example is not { } example ? Empty(Markup.Raw("Not known.")) : Table.Of("Rows that were joined", "aw-tight",
        [Table.Heading("Join"), Table.Heading("Event time, UTC"), Table.NumberHeading("Age"), Table.NumberHeading("Commit"), Table.Heading("Values")],
        example.Rows.Select(row => Table.Row(Markup.Of($"{row.Alias}{Note(Markup.Of($"{Link(context.FeatureGroup(row.FeatureGroup), $"{row.FeatureGroup} v{row.Version}")}"))}"),
            Table.Cell(row.EventTime is { } time ? Markup.Text(Timestamps.Display(time)) : Tag("no row", "warn")), Table.Number(row.AgeSeconds is { } age ? Cli.Format.Age(TimeSpan.FromSeconds(age)) : ""),
            Table.Number(row.CommitId is { } commit ? Mono(Format.Number(commit)) : Markup.Empty),
            Table.Cell(Markup.Of($"<span class=\"aw-small aw-muted\">{Format.Shorten(string.Join(", ", row.Columns.Select(c => $"{c.Key}={Cli.Format.Value(c.Value)}")), 160)}</span>")))));

    private static Markup Lineage(PredictionModel model, PageContext context)
    {
        var version = model.Version;
        return Markup.Of(
            $"""
            <ol class="aw-steps"><li class="is-now"><b>{(model.Online is null ? $"batch {Number(model.Batch.BatchId)}" : "online answer")}</b> of {model.Batch.Pipeline}{Why(Markup.Of($"{(model.Batch.RunId is { } run ? Markup.Of($"run {Link(context.Run(run), Number(run))}, ") : Markup.Empty)}read as of sequence {AsOf(model)}, code {Code(model.Batch.CodeVersion)}"))}{Why(Groups(model, "prediction", context))}</li><li><b>{Link(context.Model(version.Model, version.Version), $"{version.Model} v{version.Version}")}</b>, {version.PrimaryMetric} {Format.Number(version.PrimaryValue, "0.000")} over {Format.Number(version.BaselineValue, "0.000")}{Why(Markup.Of($"{(version.RunId is { } trained ? Markup.Of($"trained by run {Link(context.Run(trained), Number(trained))}, ") : Markup.Empty)}cut-off {Timestamps.Display(version.CutOff.Value)}, code {Code(version.CodeVersion)}"))}</li><li><b>training dataset {version.DatasetId}</b> of view {version.View} v{version.ViewVersion}{Why(Markup.Of($"{(version.DatasetRows is { } rows ? $"{Format.Count(rows, "example")}, " : "")}as of sequence {version.DatasetAsOfSeq ?? 0}, content {Code(version.DatasetContentHash ?? "")}"))}{Why(Groups(model, "training", context))}</li></ol>
            """);
    }

    private static Markup Why(Markup text) => Markup.When(!text.IsEmpty, Markup.Of($"<br><span class=\"aw-muted aw-small\">{text}</span>"));

    private static Markup Groups(PredictionModel model, string readFor, PageContext context) => Markup.Join(", ", model.Inputs.Where(input => input.ReadFor == readFor).GroupBy(input => (input.FeatureGroup, input.Version)).Select(group => Markup.Of(
        $"<span data-tip=\"{Timestamps.Display(group.Min(i => i.WindowFrom.Value))} to {Timestamps.Display(group.Max(i => i.WindowTo.Value))}, as of sequence {Number(group.Max(i => i.AsOfSeq))}\">{Link(context.FeatureGroup(group.Key.FeatureGroup), $"{group.Key.FeatureGroup} v{group.Key.Version}")}</span>")));

    private static Markup Code(string version) => Markup.Of($"<span class=\"aw-mono\" data-tip=\"{version}\">{Format.Code(version)}</span>");

    private static long AsOf(PredictionModel model) => model.Online?.AsOfSeq ?? model.Batch.AsOfSeq;

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
