using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace AiWorkflows.Features;

/// <summary>
/// One pass in event-time order over a spine, the groups joined to it, and its label. Holds the latest row per live key and the examples that wait for their label,
/// so memory does not grow with rows. The pass runs on a thread of its own, beside those that read ahead.
/// </summary>
internal sealed class PointInTimeJoin<TSpine, TOut> where TSpine : class where TOut : class
{
    private const int BatchSize = 1024;
    private const int BatchesAhead = 4;

    public required IReadOnlyList<GroupJoins<TSpine>> Groups { get; init; }

    /// <summary>Null where no label is wanted.</summary>
    public required LabelPlan<TSpine>? Label { get; init; }

    /// <summary>The properties of the spine row that are read; null for all.</summary>
    public required IReadOnlySet<string>? SpineProperties { get; init; }

    /// <summary>Number of joins: the length of the array of rows.</summary>
    public required int Joins { get; init; }

    public required Func<TSpine, object?[], TOut> Build { get; init; }

    public async IAsyncEnumerable<IReadOnlyList<Example<TOut>>> ReadAsync(
        FeatureReadSession session, Window spineWindow, ExampleOptions options, [EnumeratorCancellation] CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var sources = new List<JoinSource<TSpine>>();
        LabelSource<TSpine>? label = null;
        GroupFeed<TSpine>? spine = null;
        var pass = Task.CompletedTask;
        try
        {
            var spineCommits = await session.OpenAsync(RowCodec<TSpine>.Instance.Schema, spineWindow, ct);
            foreach (var group in Groups)
            {
                var window = group.ScanWindow(spineWindow);
                sources.Add(group.Open(session.Store, await session.OpenAsync(group.Schema, window, ct), window, session.Progress, stop.Token));
            }
            if (Label is not null)
            {
                var window = Label.ScanWindow(spineWindow, options.LabelsKnownBefore);
                label = Label.Open(session.Store, await session.OpenAsync(Label.Schema, window, ct), window, session.Progress, stop.Token);
            }
            spine = new GroupFeed<TSpine>(session.Store, spineCommits, SpineProperties, spineWindow, FeedMode.Rows, session.Progress, stop.Token);
            var channel = Channel.CreateBounded<List<Example<TOut>>>(new BoundedChannelOptions(BatchesAhead) { SingleReader = true, SingleWriter = true });
            var run = new Run(this, spine, [.. sources], label, options.EntityKeys, channel.Writer, stop.Token);
            pass = Task.Factory.StartNew(run.Execute, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            await foreach (var batch in channel.Reader.ReadAllAsync(ct))
                yield return batch;
        }
        finally
        {
            await stop.CancelAsync();
            await pass;
            spine?.Dispose();
            label?.Dispose();
            foreach (var source in sources)
                source.Dispose();
        }
    }

    private readonly record struct Waiting(TOut Features, long Time, string? Key, LabelTicket Ticket);

    private sealed class Run(
        PointInTimeJoin<TSpine, TOut> join, GroupFeed<TSpine> spine, JoinSource<TSpine>[] sources, LabelSource<TSpine>? label, bool keys,
        ChannelWriter<List<Example<TOut>>> output, CancellationToken ct)
    {
        private readonly RowCodec<TSpine> _codec = RowCodec<TSpine>.Instance;
        private readonly object?[] _rows = new object?[join.Joins];
        private readonly Queue<Waiting> _waiting = [];
        private readonly long _within = join.Label is null ? 0 : Timestamps.ToMicros(join.Label.Within);
        private List<Example<TOut>> _batch = new(BatchSize);

        public void Execute()
        {
            try
            {
                var time = long.MinValue;
                while (spine.Next() is { } batch)
                {
                    ct.ThrowIfCancellationRequested();
                    foreach (ref readonly var row in batch.Rows)
                    {
                        if (row.Time != time)
                            MoveTo(time = row.Time);
                        foreach (var source in sources)
                            source.Find(row.Row, time, _rows);
                        var features = join.Build(row.Row, _rows);
                        var key = keys ? _codec.KeyJson(row.Row) : null;
                        if (label is null)
                            Emit(features, time, key, null);
                        else
                            _waiting.Enqueue(new(features, time, key, label.Wait(row.Row, time)));
                    }
                    spine.Return(batch);
                }
                while (_waiting.TryPeek(out var last))
                {
                    label!.Advance(last.Time + _within);
                    Drain();
                }
                if (_batch.Count > 0)
                    Send();
                output.Complete();
            }
            catch (Exception e)
            {
                output.Complete(e);
            }
        }

        private void MoveTo(long time)
        {
            foreach (var source in sources)
                source.Advance(time);
            if (label is null)
                return;
            label.Advance(time);
            Drain();
        }

        /// <summary>Emits the examples at the head of the queue whose label is known, or can no longer come.</summary>
        private void Drain()
        {
            while (_waiting.TryPeek(out var first))
            {
                if (!first.Ticket.IsResolved)
                {
                    if (!label!.HasPassed(first.Time + _within))
                        return;
                    label.GiveUp(first.Ticket);
                }
                _waiting.Dequeue();
                Emit(first.Features, first.Time, first.Key, first.Ticket);
            }
        }

        private void Emit(TOut features, long time, string? key, LabelTicket? ticket)
        {
            var value = ticket?.Value ?? LabelValue.Unknown;
            _batch.Add(new(features, Timestamps.FromMicros(time), key, value.IsKnown, value.Number, value.Text, value.IsKnown ? Timestamps.FromMicros(ticket!.KnownAt) : default));
            if (_batch.Count == BatchSize)
                Send();
        }

        private void Send()
        {
            if (!output.TryWrite(_batch))
                output.WriteAsync(_batch, ct).AsTask().GetAwaiter().GetResult();
            _batch = new(BatchSize);
        }
    }
}
