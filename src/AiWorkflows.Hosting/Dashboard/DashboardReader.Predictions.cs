using AiWorkflows.Hosting.Dashboard.Predictions;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard;

internal sealed partial class DashboardReader
{
    private const int BatchesPerHistogram = 60;
    private const long SmallBatch = 200;

    /// <summary>How many steps a page may take through batches whose predictions were taken over by later ones.</summary>
    private const int MostSteps = 4;

    /// <summary>The model is that of the filter, or the first one.</summary>
    public Task<PredictionsModel> PredictionsAsync(PredictionSearch search, long? before) => cache.GetAsync($"predictions {search} {before}", async () =>
    {
        var ct = CancellationToken.None;
        var versions = await queries.NewestVersionsAsync(VersionsPerModel, ct).ConfigureAwait(false);
        if ((search.Model ?? (versions is [var first, ..] ? first.Model : null)) is not { } model)
            return PredictionsModel.Nothing(search);
        var filter = new DashboardPredictionFilter(model, search.Version, search.From, search.To, search.Online);
        string[] pipelines = [.. catalog.Inferences.Where(inference => inference.Model == model).Select(inference => inference.Name)];
        var panels = Panels();
        var batches = await panels.ReadAsync([], limited => CurrentBatchesAsync(pipelines, filter, search.Key is null ? before >> 32 : null, limited), search.Key is null ? ["histogram", "found"] : ["histogram"]).ConfigureAwait(false);
        var rows = await panels.ReadAsync([], limited => search.Key is { } key ? AboutAsync(key, filter, before, limited) : NewestAsync(batches, filter, before, limited), "found").ConfigureAwait(false);
        var shown = versions.FirstOrDefault(version => version.Model == model && version.IsChampion) ?? versions.LastOrDefault(version => version.Model == model);
        var live = await panels.ReadAsync([], limited => queries.DailyMetricsAsync(pipelines, shown?.PrimaryMetric ?? "auc", ChartDays, limited), "live").ConfigureAwait(false);
        return new PredictionsModel(search with { Model = model }, versions, shown, batches, [.. rows.Take(RowsPerPanel)], HasOlder: rows.Count > RowsPerPanel, IsFirstPage: before is null, [.. live.Reverse()]) { Errors = panels.Errors };
    });

    private async Task<IReadOnlyList<DashboardBatch>> CurrentBatchesAsync(string[] pipelines, DashboardPredictionFilter filter, long? until, CancellationToken ct)
    {
        if (filter.Online)
            return await queries.OnlineBatchesAsync(filter, until, BatchesPerHistogram, ct).ConfigureAwait(false);
        var batches = new List<DashboardBatch>();
        foreach (var pipeline in pipelines)
            batches.AddRange(await queries.BatchesAsync(pipeline, filter, until, BatchesPerHistogram, ct).ConfigureAwait(false));
        return [.. batches.OrderByDescending(batch => batch.WindowFrom.Value).ThenByDescending(batch => batch.BatchId).Take(BatchesPerHistogram)];
    }

    private async Task<IReadOnlyList<PredictionListRow>> AboutAsync(string key, DashboardPredictionFilter filter, long? before, CancellationToken ct)
    {
        foreach (var candidate in EntityKeyText.Candidates(key, "Key"))
            if (await queries.PredictionsAboutAsync(candidate, filter, before, RowsPerPanel + 1, ct).ConfigureAwait(false) is { Count: > 0 } found)
                return found;
        return [];
    }

    /// <summary>One more than is shown, from the newest batches on; small ones are read together.</summary>
    private async Task<IReadOnlyList<PredictionListRow>> NewestAsync(IReadOnlyList<DashboardBatch> batches, DashboardPredictionFilter filter, long? before, CancellationToken ct)
    {
        const int wanted = RowsPerPanel + 1;
        var rest = new Queue<DashboardBatch>(batches.SkipWhile(batch => before is { } id && batch.BatchId != id >> 32));
        var rows = new List<PredictionListRow>();
        for (var step = 0; step < MostSteps && rows.Count < wanted && rest.TryDequeue(out var batch); step++)
        {
            var high = before is { } id && batch.BatchId == id >> 32 ? id & 0xFFFFFFFF : long.MaxValue;
            if (filter.Online)
            {
                rows.AddRange(await queries.OnlinePredictionsOfAsync([batch.BatchId], 0, high, wanted - rows.Count, ct).ConfigureAwait(false));
                continue;
            }
            var low = filter.From is { } from && batch.WindowFrom.Value < from ? await queries.OrdinalAtAsync(batch.BatchId, batch.Rows, from, ct).ConfigureAwait(false) : 0;
            if (filter.To is { } to && batch.WindowTo.Value > to)
                high = Math.Min(high, await queries.OrdinalAtAsync(batch.BatchId, batch.Rows, to, ct).ConfigureAwait(false));
            if (high < long.MaxValue || low > 0 || batch.Rows > SmallBatch)
            {
                rows.AddRange(await queries.PredictionsOfAsync(batch.BatchId, low, high, wanted - rows.Count, ct).ConfigureAwait(false));
                continue;
            }
            List<DashboardBatch> together = [batch];
            while (rest.TryPeek(out var next) && next.Rows <= SmallBatch && (filter.From is not { } bound || next.WindowFrom.Value >= bound) && together.Sum(b => b.Rows) < 2 * wanted)
                together.Add(rest.Dequeue());
            var order = together.Select((b, i) => (b.BatchId, i)).ToDictionary(b => b.BatchId, b => b.i);
            rows.AddRange((await queries.PredictionsOfAsync([.. together.Select(b => b.BatchId)], ct).ConfigureAwait(false))
                .OrderBy(row => order[row.PredictionId >> 32]).ThenByDescending(row => row.PredictionId).Take(wanted - rows.Count));
        }
        return rows;
    }

    /// <summary>Null where there is no such prediction.</summary>
    /// <exception cref="Pages.NoSuchPageException">Retention has removed it.</exception>
    public Task<PredictionModel?> PredictionAsync(long predictionId) => cache.GetAsync<PredictionModel?>($"prediction {predictionId}", async () =>
    {
        var ct = CancellationToken.None;
        if (await predictions.FindAsync(predictionId, ct).ConfigureAwait(false) is not { } prediction)
            return await predictions.HasExpiredAsync(predictionId >> 32, ct).ConfigureAwait(false)
                ? throw new Pages.NoSuchPageException($"Prediction {predictionId} has been removed by retention (AiWorkflows:Retention:Predictions); of its batch, {predictionId >> 32}, only the record is left.") : null;
        var batch = (await predictions.OriginAsync(predictionId >> 32, ct).ConfigureAwait(false))!;
        var version = (await models.FindAsync(prediction.Model, prediction.Version, ct).ConfigureAwait(false))!;
        var online = await predictions.InputsAsync(predictionId, ct).ConfigureAwait(false);
        var (example, notice) = await explainer.ExampleAsync(batch, prediction, online, ct).ConfigureAwait(false);
        long[] commits = [.. (example?.Rows ?? []).Select(row => row.CommitId).OfType<long>().Distinct()];
        return new PredictionModel(prediction, batch, version, online, example, notice,
            (await queries.RunsOfCommitsAsync(commits, ct).ConfigureAwait(false)).ToDictionary(commit => commit.CommitId),
            await queries.InputsOfAsync(batch.BatchId, version.DatasetId, ct).ConfigureAwait(false),
            FeatureDistributions.Of(await queries.DatasetStatisticsAsync(version.DatasetId, ct).ConfigureAwait(false)));
    });
}
