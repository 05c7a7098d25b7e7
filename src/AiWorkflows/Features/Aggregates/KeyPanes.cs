namespace AiWorkflows.Features;

/// <summary>The panes of one key that hold events, oldest first, in <c>[_head, _tail)</c>.</summary>
internal sealed class KeyPanes<TEvent, TKey> where TEvent : class where TKey : notnull
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

    /// <summary>Forgets pane <paramref name="first"/> and all later ones: what has come out of order is brought in again.</summary>
    public void Truncate(long first) => _tail = IndexOf(first);

    /// <summary>Adds to <paramref name="hops"/> those in <c>(after, until]</c> at which a pane is as many hops old as <paramref name="offset"/> says.</summary>
    public void AddHops(long after, long until, long offset, List<long> hops)
    {
        for (var i = IndexOf(after - offset + 1); i < _tail && _panes[i] + offset <= until; i++)
            hops.Add(_panes[i] + offset);
    }

    /// <summary>The row of the hop that ends at <paramref name="end"/>, of the events before it.</summary>
    /// <param name="results">A buffer of the plan's size.</param>
    /// <param name="values">A buffer for the values of the calls.</param>
    public TRow Build<TRow>(AggregationPlan<TEvent, TKey, TRow> plan, long hop, DateTime end, double[] results, double[] values) where TRow : class
    {
        var to = _head == _tail || _panes[_tail - 1] < hop ? _tail : IndexOf(hop);
        foreach (var span in plan.Spans)
            _stores[span.Component].Combine(Math.Min(to, IndexOf(hop - span.Panes)), to, results.AsSpan(span.Offset, span.Length));
        for (var i = 0; i < values.Length; i++)
            values[i] = AggregationPlan<TEvent, TKey, TRow>.Finish(plan.Calls[i], results);
        return plan.Row(Key, end, values);
    }

    /// <summary>Where the first pane at or after <paramref name="first"/> is, or would be.</summary>
    private int IndexOf(long first)
    {
        if (_head == _tail || _panes[_head] >= first)
            return _head;
        var index = Array.BinarySearch(_panes, _head, _tail - _head, first);
        return index < 0 ? ~index : index;
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
