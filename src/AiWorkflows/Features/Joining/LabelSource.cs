using System.Runtime.InteropServices;

namespace AiWorkflows.Features;

/// <summary>An example that waits for its label.</summary>
internal abstract class LabelTicket
{
    public bool IsResolved { get; set; }

    public LabelValue Value { get; set; } = LabelValue.Unknown;

    /// <summary>When the label was known, microseconds since 1970.</summary>
    public long KnownAt { get; set; }
}

/// <summary>The label of a view, compiled.</summary>
internal abstract class LabelPlan<TSpine> where TSpine : class
{
    public required GroupSchema Schema { get; init; }

    public required Type LabelType { get; init; }

    public required TimeSpan Within { get; init; }

    /// <summary>What has to be scanned for the labels of examples in <paramref name="spine"/>, as far as they are known before an instant.</summary>
    public Window ScanWindow(Window spine, DateTime? knownBefore)
    {
        var to = spine.To + Within + TimeSpan.FromMicroseconds(1);
        if (knownBefore - Schema.Lag is { } bound && bound < to)
            to = bound;
        return new Window(spine.From, to > spine.From ? to : spine.From);
    }

    public abstract LabelSource<TSpine> Open(IFeatureStore store, IReadOnlyList<PublishedCommit> commits, Window window, StageProgress? progress, CancellationToken ct);
}

internal sealed class TypedLabelPlan<TSpine, TRow, TKey> : LabelPlan<TSpine> where TSpine : class where TRow : class where TKey : notnull
{
    public required KeyOf<TSpine, TKey> Key { get; init; }

    public required Func<TRow, LabelValue> Value { get; init; }

    public required IReadOnlySet<string>? Properties { get; init; }

    public override LabelSource<TSpine> Open(IFeatureStore store, IReadOnlyList<PublishedCommit> commits, Window window, StageProgress? progress, CancellationToken ct) =>
        new TypedLabelSource<TSpine, TRow, TKey>(this, new GroupFeed<TRow>(store, commits, Properties, window, FeedMode.Rows, progress, ct));
}

/// <summary>Hands labels to the examples that wait for them, while the pass moves on in time.</summary>
internal abstract class LabelSource<TSpine> : IDisposable where TSpine : class
{
    /// <summary>Takes in the label rows up to and including <paramref name="time"/>.</summary>
    public abstract void Advance(long time);

    /// <summary>Whether every label row up to and including <paramref name="time"/> has been taken in.</summary>
    public abstract bool HasPassed(long time);

    /// <summary>An example at <paramref name="time"/> waits from now on: the label rows up to then have been taken in.</summary>
    public abstract LabelTicket Wait(TSpine spine, long time);

    /// <summary>Gives up a ticket, which must be the one that has waited longest.</summary>
    public abstract void GiveUp(LabelTicket ticket);

    public abstract void Dispose();
}

internal sealed class TypedLabelSource<TSpine, TRow, TKey>(TypedLabelPlan<TSpine, TRow, TKey> plan, GroupFeed<TRow> feed) : LabelSource<TSpine>
    where TSpine : class where TRow : class where TKey : notnull
{
    private sealed class Ticket(TKey key, long time) : LabelTicket
    {
        public TKey Key => key;

        public long Time => time;

        public Ticket? Next { get; set; }
    }

    private struct Chain
    {
        public Ticket First;
        public Ticket Last;
    }

    private readonly Func<TRow, TKey> _rowKey = JoinKey.OfRow<TRow, TKey>(plan.Schema);
    private readonly Dictionary<TKey, Chain> _waiting = [];
    private readonly long _within = Timestamps.ToMicros(plan.Within);
    private readonly long _lag = Timestamps.ToMicros(plan.Schema.Lag);
    private FeedBatch<TRow>? _batch;
    private int _position;
    private long _passed = long.MinValue;
    private bool _ended;

    public override void Advance(long time)
    {
        while (!_ended && _passed < time)
        {
            if (_batch is null || _position == _batch.Count)
            {
                if (_batch is not null)
                    feed.Return(_batch);
                (_batch, _position) = (feed.Next(), 0);
                _ended = _batch is null;
                continue;
            }
            var rows = _batch.Rows;
            while (_position < rows.Length && rows[_position].Time <= time)
                Resolve(rows[_position++]);
            if (_position < rows.Length)
                _passed = rows[_position].Time - 1;
        }
    }

    public override bool HasPassed(long time) => _ended || _passed >= time;

    public override LabelTicket Wait(TSpine spine, long time)
    {
        var hasKey = plan.Key(spine, out var key);
        var ticket = new Ticket(key, time) { IsResolved = !hasKey };
        if (!hasKey)
            return ticket;
        ref var chain = ref CollectionsMarshal.GetValueRefOrAddDefault(_waiting, key, out var known);
        if (known)
            chain.Last.Next = ticket;
        else
            chain.First = ticket;
        chain.Last = ticket;
        return ticket;
    }

    public override void GiveUp(LabelTicket ticket)
    {
        var key = ((Ticket)ticket).Key;
        ref var chain = ref CollectionsMarshal.GetValueRefOrNullRef(_waiting, key);
        ticket.IsResolved = true;
        if (chain.First.Next is { } next)
            chain.First = next;
        else
            _waiting.Remove(key);
    }

    public override void Dispose() => feed.Dispose();

    /// <summary>The earliest row after an example is its label, so whoever still waits for the key gets this one, or none if it comes too late.</summary>
    private void Resolve(in FeedRow<TRow> row)
    {
        if (!_waiting.Remove(_rowKey(row.Row), out var chain))
            return;
        var value = plan.Value(row.Row);
        for (var ticket = chain.First; ticket is not null; ticket = ticket.Next)
        {
            ticket.IsResolved = true;
            if (row.Time - ticket.Time > _within)
                continue;
            ticket.Value = value;
            ticket.KnownAt = row.Time + _lag;
        }
    }
}
