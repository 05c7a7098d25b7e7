using AiWorkflows.Features;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting;

/// <summary>The feature values that a prediction was made from, as they were: what <c>predictions explain</c> and the dashboard show.</summary>
internal sealed class PredictionExplainer(Catalog catalog, IFeatureStore store, PredictionQueries queries)
{
    /// <param name="online">What was kept with an online prediction; null for one that was made in a batch.</param>
    /// <returns>The example, or a sentence that says why it cannot be shown.</returns>
    public async Task<(ShownExample? Example, string? Notice)> ExampleAsync(PredictionOrigin batch, PredictionListRow prediction, OnlineInputs? online, CancellationToken ct)
    {
        var view = catalog.Views.FirstOrDefault(v => v.Name == batch.View && v.Version == batch.ViewVersion);
        if (view is null)
            return (null, $"The feature values cannot be shown: this program does not define view {batch.View} v{batch.ViewVersion} any more. The code that made the prediction is {batch.CodeVersion}.");
        if (online is not null)
        {
            if (online.Missing.Text.Contains($"\"{OnlineExample.Spine}\"", StringComparison.Ordinal))
                return (null, $"Nothing was known about the entity: {view.Spine.Name} had no row of it, so every feature was missing: {online.Features.Text}");
            var read = new FeatureReadSession(store, online.AsOfSeq);
            return (ShownExample.Of(view, online.AsOfSeq, await view.ExplainRowAsync(read, online.Inputs.Text, prediction.EventTime.Value, ct)), null);
        }
        var inputs = await queries.InputsOfBatchAsync(batch.BatchId, ct);
        var session = FeatureReadSession.Again(store, batch.AsOfSeq, inputs.Select(i => (i.FeatureGroup, i.Version, i.AsOfSeq)));
        var found = await view.ExplainAsync(session, prediction.EntityKey.Text, prediction.EventTime.Value, ct);
        return found is null
            ? (null, $"The feature values cannot be shown: {view.Spine.Name} has no such row as of sequence {batch.AsOfSeq}.")
            : (ShownExample.Of(view, batch.AsOfSeq, found), null);
    }
}
