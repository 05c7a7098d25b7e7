using System.CommandLine;
using System.Globalization;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary><c>predictions list|explain</c></summary>
internal static class PredictionCommands
{
    public static Command Create(CliContext context)
    {
        var id = Build.Name("ID", "Id of the prediction, as `predictions list` shows it.");
        var model = Build.Text("--model", "Only predictions of this model.", "NAME");
        var key = Build.Text("--key", "Only predictions about this entity: its key, or its keys in order as a JSON array.", "KEY");
        var (limit, before) = (Build.Rows(20), Build.Before());
        return Build.Group("predictions", "Predictions: list and explain.",
            Build.Reading(context, "list", "Lists current predictions, newest first, with the outcome where it is known.", i => ListAsync(i, i.Value(model), i.Value(key), i.Value(before), i.Limit(limit)), model, key, limit, before),
            Build.Reading(context, "explain", "Shows what a prediction was made from: feature values, model version, dataset, commits, runs, code.", i => PredictionExplanation.RunAsync(i, i.Id(id, "prediction", "predictions list")), id));
    }

    private static async Task ListAsync(Invocation i, string? model, string? key, long? before, int limit)
    {
        if (model is not null)
            await ModelCommands.RequireModelAsync(i.Context, model, i.Ct);
        if (key is not null && before is not null)
            throw new InvalidRequestException("--before pages through all predictions; with --key raise --limit instead.");
        var queries = i.Context.Query<PredictionQueries>();
        IReadOnlyList<PredictionListRow> rows = [];
        if (key is null)
            rows = await queries.ListAsync(model, before, limit, i.Ct);
        else
            foreach (var candidate in EntityKeyText.Candidates(key, "--key"))
                if (rows.Count == 0)
                    rows = await queries.OfEntityAsync(candidate, model, limit, i.Ct);
        i.Output.List(rows, key is null ? "No predictions yet; run a workflow with an inference pipeline." : $"No predictions about {key}.",
            new("prediction", r => r.PredictionId.ToString(CultureInfo.InvariantCulture), Right: true), new("model", r => $"{r.Model} v{r.Version}"), new("entity", r => r.EntityKey.Text),
            new("event time", r => Format.Time(r.EventTime)), new("probability", r => Format.Metric(r.Probability), Right: true), new("label", r => r.Label),
            new("output", r => Format.OneLine(r.Output.Text, 80)), new("outcome", r => r.ActualText ?? (r.Actual is { } actual ? Format.Value(actual) : "not known yet")), new("", r => r.Hindsight ? "hindsight" : ""));
        if (key is null && rows.Count == limit)
            i.Output.Line($"More with --before {rows[^1].PredictionId}; why with `predictions explain {rows[0].PredictionId}`.");
    }
}
