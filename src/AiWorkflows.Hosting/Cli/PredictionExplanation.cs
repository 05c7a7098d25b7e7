using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>predictions explain ID</c>: the values as they were, and the walk back to the runs and the code.</summary>
internal static class PredictionExplanation
{
    public static async Task RunAsync(Invocation i, long predictionId)
    {
        var queries = i.Context.Query<PredictionQueries>();
        var prediction = await queries.FindAsync(predictionId, i.Ct) ?? throw new InvalidRequestException(await queries.HasExpiredAsync(predictionId >> 32, i.Ct)
            ? $"Prediction {predictionId} has been removed by retention (AiWorkflows:Retention:Predictions); of its batch, {predictionId >> 32}, only the record is left."
            : $"There is no prediction {predictionId}; `predictions list` shows the newest ones.");
        var batch = (await queries.OriginAsync(predictionId >> 32, i.Ct))!;
        var version = (await i.Context.Query<ModelQueries>().FindAsync(prediction.Model, prediction.Version, i.Ct))!;
        var commits = await queries.CommitsAsync(batch.BatchId, version.DatasetId, i.Ct);
        var online = await queries.InputsAsync(predictionId, i.Ct);
        var (example, notice) = await i.Context.Query<PredictionExplainer>().ExampleAsync(batch, prediction, online, i.Ct);
        var shown = new { Prediction = prediction, Example = example, ExampleNotice = notice, Batch = batch, ModelVersion = version, Commits = commits, Online = online };
        i.Output.Object(shown, () =>
        {
            i.Output.Fields(
                ("prediction", $"{predictionId} about {prediction.EntityKey.Text} at {prediction.EventTime} UTC"),
                ("said", $"{prediction.Output.Text}{(prediction.Hindsight ? " (hindsight: from before the model's cut-off)" : "")}"),
                ("probability", Format.Metric(prediction.Probability)),
                ("outcome", prediction.ActualAt is { } at ? $"{prediction.ActualText ?? Format.Value(prediction.Actual)}, known since {at}" : "not known yet"));
            i.Output.Line();
            if (example is null)
                i.Output.Line(notice!);
            else
                example.Write(i.Output);
            WriteOrigin(i.Output, batch, version, commits, online);
        });
    }

    private static void WriteOrigin(Output output, PredictionOrigin batch, VersionDetail version, IReadOnlyList<LineageCommit> commits, OnlineInputs? online)
    {
        output.Heading("Where it comes from");
        output.Fields(
            online is null
                ? ("batch", $"{batch.BatchId} of {batch.Pipeline} for {Format.Window(batch.WindowFrom, batch.WindowTo)}, as of sequence {batch.AsOfSeq}, {Format.Moment(batch.PredictedAt)}")
                : ("answered", $"online by {batch.Pipeline} as {batch.Role}, as of sequence {online.AsOfSeq}{(online.RequestId is { } request ? $", request {request}" : "")}"),
            ("run", online is null ? $"{batch.RunId}, code {batch.CodeVersion}" : $"none, code {batch.CodeVersion}"),
            ("model", $"{version.Model} v{version.Version}, cut-off {version.CutOff}, {version.PrimaryMetric} {Metrics.Line(version)}"),
            ("trained by", $"run {version.RunId}, code {version.CodeVersion}"),
            ("dataset", $"{version.DatasetId}, {(version.DatasetRows is { } rows ? Format.Count(rows, "example") : "size unknown")}, as of sequence {version.DatasetAsOfSeq}, content {version.DatasetContentHash}"));
        output.Heading("Commits that were read");
        output.Table(Fold(commits),
            new("read for", c => c.ReadFor), new("feature group", c => c.Group), new("commits", c => c.Commits), new("rows", c => Format.Count(c.Rows), Right: true),
            new("runs", c => c.Runs), new("code", c => c.Code));
    }

    private sealed record Folded(string ReadFor, string Group, string Commits, long Rows, string Runs, string Code);

    /// <summary>Years of hourly commits are thousands of lines: a line a group, with the newest ids; JSON has them all.</summary>
    private static List<Folded> Fold(IReadOnlyList<LineageCommit> commits) => [.. commits
        .GroupBy(c => (c.ReadFor, Group: $"{c.FeatureGroup} v{c.Version}"))
        .Select(g => new Folded(g.Key.ReadFor, g.Key.Group, Newest(g.Select(c => $"{c.CommitId}")), g.Sum(c => c.Rows), Newest(g.Where(c => c.RunId is not null).Select(c => $"{c.RunId}")), Newest(g.Select(c => c.CodeVersion ?? "unknown"))))];

    private static string Newest(IEnumerable<string> ids)
    {
        var distinct = ids.Distinct().ToList();
        return distinct.Count <= 4 ? string.Join(", ", distinct) : $"{string.Join(", ", distinct.TakeLast(3))} and {distinct.Count - 3} before";
    }
}
