namespace AiWorkflows.Features;

/// <summary>
/// Slides the spans of an aggregation over events in canonical order and emits a row for a key at each hop at which an event of it entered or left a span.
/// A calendar holds, for each hop to come, the keys that have something to emit, so that idle keys cost nothing.
/// </summary>
internal sealed class SlidingAggregation<TEvent, TKey, TRow> where TEvent : class where TRow : class where TKey : notnull
{
    private readonly AggregationPlan<TEvent, TKey, TRow> _plan;
    private readonly long _hopTicks;
    private readonly Dictionary<TKey, KeyPanes> _keys = [];
    private readonly Dictionary<long, List<KeyPanes>> _calendar = [];
    private readonly PriorityQueue<long, long> _hops = new();
    private readonly Stack<List<KeyPanes>> _free = [];
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
            _keys.Add(key, panes = new KeyPanes(key, _plan.Components));
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

    private TRow Build(KeyPanes panes, long hop, DateTime end)
    {
        foreach (var span in _plan.Spans)
            panes.Combine(span.Component, hop - span.Panes, _results.AsSpan(span.Offset, span.Length));
        for (var i = 0; i < _values.Length; i++)
            _values[i] = AggregationPlan<TEvent, TKey, TRow>.Finish(_plan.Calls[i], _results);
        return _plan.Row(panes.Key, end, _values);
    }

    private void Schedule(long hop, KeyPanes panes)
    {
        if (!_calendar.TryGetValue(hop, out var due))
        {
            _calendar.Add(hop, due = _free.TryPop(out var free) ? free : []);
            _hops.Enqueue(hop, hop);
        }
        due.Add(panes);
    }

    /// <summary>The panes of one key that hold events, oldest first, in <c>[_head, _tail)</c>.</summary>
    private sealed class KeyPanes
    {
        private readonly PaneStore<TEvent>[] _stores;
        private long[] _panes = [];
        private int _head;
        private int _tail;

        public KeyPanes(TKey key, IReadOnlyList<Func<PaneStore<TEvent>>> components)
        {
            Key = key;
            _stores = new PaneStore<TEvent>[components.Count];
            for (var i = 0; i < _stores.Length; i++)
                _stores[i] = components[i]();
        }

        public TKey Key { get; }

        public long LastHop { get; set; } = long.MinValue;

        public bool IsEmpty => _head == _tail;

        /// <summary>True when the event opened a new pane.</summary>
        public bool Add(TEvent e, long pane)
        {
            var opens = _head == _tail || _panes[_tail - 1] != pane;
            if (opens)
                Open(pane);
            foreach (var store in _stores)
                store.Add(_tail - 1, e);
            return opens;
        }

        public void Trim(long first)
        {
            while (_head < _tail && _panes[_head] < first)
                _head++;
        }

        public void Combine(int component, long first, Span<double> result)
        {
            var from = _head;
            if (from < _tail && _panes[from] < first)
            {
                from = Array.BinarySearch(_panes, from, _tail - from, first);
                if (from < 0)
                    from = ~from;
            }
            _stores[component].Combine(from, _tail, result);
        }

        private void Open(long pane)
        {
            if (_tail == _panes.Length)
            {
                if (_head > 0 && _head >= _panes.Length / 2)
                {
                    Array.Copy(_panes, _head, _panes, 0, _tail - _head);
                    foreach (var store in _stores)
                        store.Shift(_head, _tail - _head);
                    (_head, _tail) = (0, _tail - _head);
                }
                else
                {
                    var capacity = Math.Max(4, _panes.Length * 2);
                    Array.Resize(ref _panes, capacity);
                    foreach (var store in _stores)
                        store.Resize(capacity);
                }
            }
            _panes[_tail] = pane;
            foreach (var store in _stores)
                store.Open(_tail);
            _tail++;
        }
    }
}
