namespace AiWorkflows.Features;

/// <summary>
/// Slides the spans of an aggregation over events in canonical order and emits a row for a key at each hop at which an event of it entered or left a span.
/// A calendar holds, for each hop to come, the keys that have something to emit, so that idle keys cost nothing.
/// </summary>
internal sealed class SlidingAggregation<TEvent, TKey, TRow> where TEvent : class where TRow : class where TKey : notnull
{
    private readonly AggregationPlan<TEvent, TKey, TRow> _plan;
    private readonly long _hopTicks;
    private readonly Dictionary<TKey, KeyPanes<TEvent, TKey>> _keys = [];
    private readonly Dictionary<long, List<KeyPanes<TEvent, TKey>>> _calendar = [];
    private readonly PriorityQueue<long, long> _hops = new();
    private readonly Stack<List<KeyPanes<TEvent, TKey>>> _free = [];
    private readonly double[] _results;
    private readonly double[] _values;

    public SlidingAggregation(AggregationPlan<TEvent, TKey, TRow> plan)
    {
        (_plan, _hopTicks) = (plan, plan.Hop.Ticks);
        _results = new double[plan.Results];
        _values = new double[plan.Calls.Count];
    }

    /// <summary>Keys that are within some span.</summary>
    public int LiveKeys => _keys.Count;

    /// <summary>The next hop at which rows are due, as a multiple of the hop's length since 0001-01-01; null if none is.</summary>
    public long? NextHop => _hops.TryPeek(out var hop, out _) ? hop : null;

    public long PaneOf(DateTime time) => time.Ticks / _hopTicks;

    /// <summary>Takes an event in. All hops that end at or before its pane's start have been emitted.</summary>
    public void Add(TEvent e, long pane)
    {
        if (_plan.HasNoKey(e))
            return;
        var key = _plan.Key(e);
        if (!_keys.TryGetValue(key, out var panes))
            _keys.Add(key, panes = new KeyPanes<TEvent, TKey>(key, _plan.Components));
        if (panes.Add(e, pane))
        {
            Schedule(pane + 1, panes);
            foreach (var span in _plan.SpanPanes)
                Schedule(pane + 1 + span, panes);
        }
    }

    /// <summary>Emits the rows of the earliest hop that is due; none are built where <paramref name="rows"/> is null.</summary>
    public void EmitNext(List<TRow>? rows)
    {
        var hop = _hops.Dequeue();
        _calendar.Remove(hop, out var due);
        var end = new DateTime(hop * _hopTicks, DateTimeKind.Utc);
        foreach (var panes in due!)
        {
            if (panes.LastHop == hop)
                continue;
            panes.LastHop = hop;
            panes.Trim(hop - _plan.SpanPanes[^1]);
            if (rows is not null)
                rows.Add(Build(panes, hop, end));
            if (panes.IsEmpty)
                _keys.Remove(panes.Key);
        }
        due.Clear();
        _free.Push(due);
    }

    private TRow Build(KeyPanes<TEvent, TKey> panes, long hop, DateTime end) => panes.Build(_plan, hop, end, _results, _values);

    private void Schedule(long hop, KeyPanes<TEvent, TKey> panes)
    {
        if (!_calendar.TryGetValue(hop, out var due))
        {
            _calendar.Add(hop, due = _free.TryPop(out var free) ? free : []);
            _hops.Enqueue(hop, hop);
        }
        due.Add(panes);
    }
}
