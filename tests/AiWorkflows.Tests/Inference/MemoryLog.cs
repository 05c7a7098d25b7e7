using System.Runtime.CompilerServices;
using AiWorkflows.Inference;
using AiWorkflows.Training;

namespace AiWorkflows.Tests.Inference;

/// <summary>A prediction log in memory, with the contract of the stores; every sealed batch counts as published.</summary>
internal sealed class MemoryLog : IPredictionLog
{
    private readonly Dictionary<(string View, string Key, DateTime Time), OutcomeRow> _outcomes = [];

    public List<(BatchRequest Request, List<PredictionRow> Rows)> Batches { get; } = [];

    public Dictionary<(string Model, int Version, DateTime Day, string Metric), DailyMetric> Metrics { get; } = [];

    public int Upserts { get; private set; }

    public Task<IBatchWriter> OpenBatchAsync(BatchRequest request, CancellationToken ct)
    {
        Batches.Add((request, []));
        return Task.FromResult<IBatchWriter>(new Writer(Batches.Count, Batches[^1].Rows));
    }

    public IAsyncEnumerable<BacktestedRow> BacktestedAsync(long runId, string pipeline, CancellationToken ct) => throw new NotSupportedException();

    public Task<LoggedPrediction?> FindAsync(long predictionId, CancellationToken ct) => throw new NotSupportedException();

    public Task<long> UpsertOutcomesAsync(string view, IReadOnlyList<OutcomeRow> rows, long knownSeq, CancellationToken ct)
    {
        Upserts++;
        var changed = 0L;
        foreach (var row in rows)
            if (!_outcomes.TryGetValue((view, row.EntityKey, row.EventTime), out var known) || known != row)
            {
                _outcomes[(view, row.EntityKey, row.EventTime)] = row;
                changed++;
            }
        return Task.FromResult(changed);
    }

    public Task<Window?> PendingOutcomesAsync(string pipeline, string view, DateTime since, CancellationToken ct)
    {
        DateTime[] times = [.. Current(pipeline).Where(r => r.Row.EventTime >= since && !_outcomes.ContainsKey((view, r.Row.EntityKey, r.Row.EventTime))).Select(r => r.Row.EventTime)];
        return Task.FromResult<Window?>(times.Length == 0 ? null : new(times.Min(), times.Max().AddMicroseconds(1)));
    }

    public Task<IReadOnlyList<AnsweredEvent>> PendingAnswersAsync(string pipeline, string view, DateTime since, AnsweredEvent? after, int limit, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<AnsweredEvent>>([]);

    public async IAsyncEnumerable<ScoredRow> ScoredAsync(string pipeline, Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.Yield();
        foreach (var (request, row) in Current(pipeline).Where(r => window.Contains(r.Row.EventTime)).OrderBy(r => r.Row.EventTime))
        {
            var known = _outcomes.TryGetValue((request.View, row.EntityKey, row.EventTime), out var outcome);
            yield return new(request.Model, request.Version, row.EventTime, row.Score, row.Probability, row.Label, known ? outcome.Actual : null, known ? outcome.ActualText : null);
        }
    }

    public Task ReplaceMetricsAsync(IReadOnlyList<DailyMetric> metrics, CancellationToken ct)
    {
        foreach (var m in metrics)
            Metrics[(m.Model, m.Version, m.Day, m.Metric)] = m;
        return Task.CompletedTask;
    }

    private IEnumerable<(BatchRequest Request, PredictionRow Row)> Current(string pipeline) =>
        from batch in Batches
        where batch.Request.Pipeline == pipeline && !batch.Request.Hindsight
        from row in batch.Rows
        where !Batches.SkipWhile(b => b != batch).Skip(1).Any(later => !later.Request.Hindsight && later.Request.Window.Contains(row.EventTime))
        select (batch.Request, row);

    private sealed class Writer(long id, List<PredictionRow> rows) : IBatchWriter
    {
        public long BatchId => id;

        public Task WriteAsync(IReadOnlyList<PredictionRow> batch, CancellationToken ct)
        {
            rows.AddRange(batch);
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
