namespace AiWorkflows.Features;

/// <summary>Takes rows out of quarantine: those that hold the rules of today, or all of them, become a patch.</summary>
internal sealed class RowReplay<TRow>(GroupSchema group, FeaturePipeline<TRow> pipeline, IFeatureStore store) where TRow : class
{
    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;

    public async Task<ReplayResult> RunAsync(IReadOnlyList<QuarantinedRecord> records, bool accept, Func<Window, Task<CommitRequest>> begin, CancellationToken ct)
    {
        var refused = new List<(long, string)>();
        var rows = new SortedDictionary<TRow, long>(Comparer<TRow>.Create(_codec.Compare));
        var check = new ExpectationCheck<TRow>(pipeline);
        foreach (var record in records)
            if (Read(record, out var reason) is not { } row)
                refused.Add((record.QuarantineId, reason));
            else if (check.Violation(row) is { } violation && !accept)
                refused.Add((record.QuarantineId, violation));
            else if (!rows.TryAdd(row, record.QuarantineId))
                refused.Add((record.QuarantineId, $"{_codec.Describe(row)} is in quarantine twice; the first of them is taken"));
        if (rows.Count == 0)
            return new(null, null, [], refused);

        var request = await begin(WindowOf(rows.Keys));
        await using var writer = await store.OpenCommitAsync(request, ct);
        var added = 0;
        var statistics = new StatisticsSink(group.Columns);
        foreach (var chunk in rows.Keys.Chunk(PendingRows<TRow>.Size))
        {
            var batch = new PendingRows<TRow>();
            foreach (var row in chunk)
            {
                added += await ExistsAsync(row, writer.BaseSeq, ct) ? 0 : 1;
                batch.Add(row, deleted: false);
                statistics.Rows++;
                _codec.Bind(row, statistics);
            }
            await writer.WriteAsync(batch, ct);
        }
        var seal = new CommitSeal(
            writer.CommitId, group, request.Window, writer.BaseSeq, rows.Count, 0, added, rows.Count, 0, TimeOf(rows.Keys.First()), TimeOf(rows.Keys.Last()),
            statistics.ToStatistics().ToJson(), "[]", [], [.. rows.Keys.Select(r => TimeOf(r).Date).Distinct()]);
        return new(seal, request.Attempt, [.. rows.Values], refused);
    }

    private TRow? Read(QuarantinedRecord record, out string reason)
    {
        try
        {
            reason = "";
            return _codec.Canonicalize(_codec.FromJson(record.RowJson));
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // The record has changed since: a column was added that the row lacks, or its type is another.
            reason = $"the row does not fit {group} any more: {e.Message}";
            return null;
        }
    }

    /// <summary>Whole days: a person finds the run by them.</summary>
    private Window WindowOf(IReadOnlyCollection<TRow> rows) => new(TimeOf(rows.First()).Date, TimeOf(rows.Last()).Date.AddDays(1));

    private DateTime TimeOf(TRow row) => Timestamps.FromMicros(_codec.EventTime(row));

    private async Task<bool> ExistsAsync(TRow row, long asOfSeq, CancellationToken ct)
    {
        var moment = new Window(TimeOf(row), TimeOf(row).AddMicroseconds(1));
        var commits = await store.CommitsAsync(group, asOfSeq, moment, ct);
        using var feed = new GroupFeed<TRow>(store, commits, null, moment, FeedMode.Rows, progress: null, ct);
        while (await feed.NextAsync(ct) is { } batch)
            for (var i = 0; i < batch.Count; i++)
                if (_codec.Compare(batch[i].Row, row) == 0)
                    return true;
        return false;
    }
}
