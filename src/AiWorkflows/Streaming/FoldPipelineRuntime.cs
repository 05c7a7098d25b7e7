using System.Linq.Expressions;
using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>A keyed fold, run over the events of a window, from the last row of each key before it on.</summary>
internal sealed class FoldPipelineRuntime<TEvent, TRow> : FeaturePipelineRuntime<TRow> where TEvent : class where TRow : class
{
    private static readonly DateTime Earliest = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    public required FoldPlan<TEvent, TRow> Plan { get; init; }

    public required LambdaExpression KeyExpression { get; init; }

    public override StreamedBy? Streamed => new(typeof(TEvent), KeyExpression);

    public override bool IsSequential => true;

    public override object CreateFeed(object pipeline) => new FoldFeed<TEvent, TRow>(Plan, (StreamFeaturePipeline<TEvent, TRow>)pipeline);

    protected override async Task ProduceAsync(
        FeaturePipeline<TRow> pipeline, FeatureReadSession session, StageContext context, RowIntake<TRow> intake, DifferenceWriter<TRow> difference, CancellationToken ct)
    {
        var fold = (StreamFeaturePipeline<TEvent, TRow>)pipeline;
        var codec = RowCodec<TRow>.Instance;
        var before = new Window(Earliest, context.Window.From);
        var earlier = new VisibleCommits(await session.Store.CommitsAsync(Writes, session.AsOfSeq, before, ct));
        var commits = await session.OpenAsync(RowCodec<TEvent>.Instance.Schema, context.Window, ct);
        using var feed = new GroupFeed<TEvent>(session.Store, commits, null, context.Window, FeedMode.Rows, session.Progress, ct);
        var last = new Dictionary<object[], TRow?>(KeyPartsComparer.Instance);
        var moment = new Dictionary<object[], TRow>(KeyPartsComparer.Instance);
        var time = long.MinValue;
        while (await feed.NextAsync(ct) is { } batch)
        {
            for (var i = 0; i < batch.Count; i++)
            {
                if (batch[i].Time != time)
                    await EndMomentAsync();
                time = batch[i].Time;
                var e = batch[i].Row;
                if (Plan.Key.Of(e) is not { } key)
                    continue;
                if (!moment.TryGetValue(key, out var seed))
                {
                    if (!last.TryGetValue(key, out var row))
                        last.Add(key, row = RowSeek<TRow>.Latest(session.Store, earlier, null, key, before, KnownWhen.Always)?.Row);
                    seed = Plan.Seed(row, time);
                }
                moment[key] = Plan.Apply(fold, seed, e, key, time);
            }
            feed.Return(batch);
        }
        await EndMomentAsync();

        async ValueTask EndMomentAsync()
        {
            var due = false;
            foreach (var (key, row) in moment.OrderBy(m => m.Value, Comparer<TRow>.Create(codec.CompareKeys)))
                // A row that is kept out is not there to go on from.
                if (intake.Take(row) is { } taken)
                {
                    last[key] = taken;
                    due |= !intake.Expectations.HasFailed && difference.Accept(taken);
                }
            moment.Clear();
            if (due)
                await difference.FlushAsync(ct);
            if (intake.QuarantineIsFull)
                await intake.FlushQuarantineAsync(ct);
        }
    }
}
