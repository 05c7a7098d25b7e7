using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Monitoring;

/// <summary>What the step did.</summary>
/// <param name="Changed">Outcomes that are new or were corrected.</param>
/// <param name="Days">Days whose live metrics were computed again.</param>
internal sealed record OutcomesResult(long Changed, int Days);

/// <summary>
/// The control step <c>S/outcomes</c> of a batch inference stage: fills in what became of the predictions that still wait for it, and computes
/// the live metrics of the days concerned. All of it is an upsert, so it may be repeated.
/// </summary>
internal static class OutcomesStep
{
    private const int ChunkRows = 5_000;

    /// <summary>How long after its horizon an outcome may still come: with late data, or because earlier runs had failed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromDays(30);

    public static async Task<OutcomesResult> ExecuteAsync(StageContext context, InferenceDefinition inference, InferenceStores stores, CancellationToken ct)
    {
        if (inference.View.LabelType is not { } label)
            return new(0, 0);
        var days = new SortedSet<DateTime>();
        var changed = 0L;
        // Some never come, and would keep the span that is read growing for ever.
        var since = Earlier(context.Window.From, inference.View.LabelWithin + Patience);
        if (await stores.Log.PendingOutcomesAsync(inference.Name, inference.View.Name, since, ct) is { } pending)
        {
            context.Progress.Text = "outcomes";
            changed = await UpsertAsync(context, inference, stores, pending, days, ct);
        }
        context.Progress.Text = "outcomes of online predictions";
        changed += await UpsertAnswersAsync(context, inference, stores, since, days, ct);
        // The run's own window too: its predictions may be new for outcomes that have long been known.
        for (var day = context.Window.From.Date; day < context.Window.To; day = day.AddDays(1))
            days.Add(day);
        context.Progress.Text = "live metrics";
        var computed = 0;
        foreach (var day in days)
            if (await ComputeAsync(inference.Name, ModelTasks.Of(label), day, stores.Log, ct))
                computed++;
        context.Log.LogInformation("{Changed} outcomes became known or changed, live metrics of {Days} days", changed, computed);
        return new(changed, computed);
    }

    private static DateTime Earlier(DateTime time, TimeSpan by) => by < time - DateTime.MinValue ? time - by : DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    /// <summary>Chunks end with the day, so that it is known which days changed.</summary>
    private static async Task<long> UpsertAsync(
        StageContext context, InferenceDefinition inference, InferenceStores stores, Window pending, SortedSet<DateTime> days, CancellationToken ct)
    {
        var session = context.OpenReads(stores.Features);
        var (chunk, changed) = (new List<OutcomeRow>(), 0L);
        await foreach (var row in inference.View.ReadLabelsAsync(session, pending, ct))
        {
            if (!row.HasLabel)
                continue;
            if (chunk.Count == ChunkRows || (chunk.Count > 0 && chunk[^1].EventTime.Date != row.EventTime.Date))
                await FlushAsync();
            // A class has no number; its name is what counts.
            chunk.Add(new(row.EntityKey, row.EventTime, double.IsNaN(row.Label) ? 0 : row.Label, row.LabelText, row.LabelKnownAt));
        }
        if (chunk.Count > 0)
            await FlushAsync();
        return changed;

        async Task FlushAsync()
        {
            var count = await stores.Log.UpsertOutcomesAsync(inference.View.Name, chunk, context.AsOfSeq, ct);
            if (count > 0)
                days.Add(chunk[0].EventTime.Date);
            changed += count;
            context.Progress.AddWritten(count);
            chunk.Clear();
        }
    }

    /// <summary>Online predictions are about moments that the spine may have no row of: their own rows are what labels are looked up for.</summary>
    private static async Task<long> UpsertAnswersAsync(StageContext context, InferenceDefinition inference, InferenceStores stores, DateTime since, SortedSet<DateTime> days, CancellationToken ct)
    {
        var changed = 0L;
        FeatureReadSession? session = null;
        AnsweredEvent? last = null;
        while (await stores.Log.PendingAnswersAsync(inference.Name, inference.View.Name, since, last, ChunkRows, ct) is { Count: > 0 } page)
        {
            var labels = await inference.View.LabelsOfAsync(session ??= context.OpenReads(stores.Features), [.. page.Select(a => (a.Inputs, a.EventTime))], ct);
            var known = labels.Select(l => new OutcomeRow(l.EntityKey, l.EventTime, double.IsNaN(l.Label) ? 0 : l.Label, l.LabelText, l.LabelKnownAt)).ToArray();
            if (known.Length > 0)
                changed += await stores.Log.UpsertOutcomesAsync(inference.View.Name, known, context.AsOfSeq, ct);
            days.UnionWith(known.Select(k => k.EventTime.Date));
            context.Progress.AddWritten(known.Length);
            last = page[^1];
        }
        return changed;
    }

    private static async Task<bool> ComputeAsync(string pipeline, ModelTask task, DateTime day, IPredictionLog log, CancellationToken ct)
    {
        var metrics = new DailyMetrics(pipeline, task, day);
        await foreach (var row in log.ScoredAsync(pipeline, new(day, day.AddDays(1)), ct))
            metrics.Add(row);
        DailyMetric[] computed = [.. metrics.Finish()];
        if (computed.Length == 0)
            return false;
        await log.ReplaceMetricsAsync(computed, ct);
        return true;
    }
}
