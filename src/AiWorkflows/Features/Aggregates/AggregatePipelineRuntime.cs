using System.Linq.Expressions;
using AiWorkflows.Streaming;

namespace AiWorkflows.Features;

/// <summary>A declared aggregation, run over the events of a window and of what its spans reach back to.</summary>
internal sealed class AggregatePipelineRuntime<TEvent, TKey, TRow> : FeaturePipelineRuntime<TRow> where TEvent : class where TRow : class where TKey : notnull
{
    public required AggregationPlan<TEvent, TKey, TRow> Plan { get; init; }

    public required LambdaExpression KeyExpression { get; init; }

    public override StreamedBy? Streamed => new(typeof(TEvent), KeyExpression);

    public override object CreateFeed(object pipeline) => new AggregateFeed<TEvent, TKey, TRow>(Plan, (FeaturePipeline<TRow>)pipeline);

    protected override async Task ProduceAsync(
        FeaturePipeline<TRow> pipeline, FeatureReadSession session, StageContext context, RowIntake<TRow> intake, DifferenceWriter<TRow> difference, CancellationToken ct)
    {
        var hop = Plan.Hop.Ticks;
        var first = (context.Window.From.Ticks + hop - 1) / hop;
        var last = (context.Window.To.Ticks - 1) / hop;
        if (first > last)
            return;
        var reads = new Window(
            new DateTime(Math.Max(0, first * hop - Plan.Lookback.Ticks), DateTimeKind.Utc),
            new DateTime(last * hop, DateTimeKind.Utc));
        var commits = await session.OpenAsync(RowCodec<TEvent>.Instance.Schema, reads, ct);
        using var feed = new GroupFeed<TEvent>(session.Store, commits, Plan.EventProperties, reads, FeedMode.Rows, session.Progress, ct);
        var sliding = new SlidingAggregation<TEvent, TKey, TRow>(Plan);
        var rows = new List<TRow>();

        async ValueTask EmitUntilAsync(long pane)
        {
            while (sliding.NextHop is { } next && next <= pane)
            {
                rows.Clear();
                sliding.EmitNext(next < first ? null : rows);
                if (Take(rows, intake, difference))
                    await difference.FlushAsync(ct);
                if (intake.QuarantineIsFull)
                    await intake.FlushQuarantineAsync(ct);
            }
        }

        var current = long.MinValue;
        while (await feed.NextAsync(ct) is { } batch)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                var pane = sliding.PaneOf(Timestamps.FromMicros(batch[i].Time));
                if (pane != current)
                    await EmitUntilAsync(current = pane);
                sliding.Add(batch[i].Row, pane);
            }
            feed.Return(batch);
        }
        await EmitUntilAsync(last);
    }

    /// <summary>Brings the rows of one hop into canonical order and hands them on. True when a flush is due.</summary>
    private static bool Take(List<TRow> rows, RowIntake<TRow> intake, DifferenceWriter<TRow> difference)
    {
        var kept = 0;
        for (var i = 0; i < rows.Count; i++)
            if (intake.Take(rows[i]) is { } taken)
                rows[kept++] = taken;
        rows.RemoveRange(kept, rows.Count - kept);
        rows.Sort(RowCodec<TRow>.Instance.CompareKeys);
        var due = false;
        if (!intake.Expectations.HasFailed)
            foreach (var row in rows)
                due |= difference.Accept(row);
        return due;
    }
}
