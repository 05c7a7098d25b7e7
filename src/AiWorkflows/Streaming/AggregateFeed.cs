using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>
/// Sliding windows over a stream. An event in order goes on top of its key's panes; one out of order takes the panes from its own on back, and they are filled again
/// from the events of the key, so that every pane has seen its events in the order in which the batch sees them.
/// </summary>
internal sealed class AggregateFeed<TEvent, TKey, TRow> : RowFeed<TEvent, TRow> where TEvent : class where TRow : class where TKey : notnull
{
    private readonly AggregationPlan<TEvent, TKey, TRow> _plan;
    private readonly RowCodec<TEvent> _events = RowCodec<TEvent>.Instance;
    private readonly long _hopTicks;
    private readonly long _longest;
    private readonly long[] _offsets;
    private readonly double[] _results;
    private readonly double[] _values;
    private readonly Dictionary<TKey, KeyState> _keys = [];
    private readonly SortedDictionary<long, HashSet<KeyState>> _calendar = [];
    private readonly List<KeyState> _touched = [];
    private long _frozen;
    private long _limit;
    private long _nextSweep;

    public AggregateFeed(AggregationPlan<TEvent, TKey, TRow> plan, FeaturePipeline<TRow> pipeline) : base(pipeline)
    {
        (_plan, _hopTicks, _longest) = (plan, plan.Hop.Ticks, plan.SpanPanes[^1]);
        _offsets = [1, .. plan.SpanPanes.Select(panes => 1L + panes)];
        _results = new double[plan.Results];
        _values = new double[plan.Calls.Count];
    }

    public override DateTime ReachesBack(DateTime floor) => new(Math.Max(0, (PaneOf(floor) - _longest) * _hopTicks), DateTimeKind.Utc);

    public override void Add(TEvent e)
    {
        if (_plan.HasNoKey(e))
            return;
        var key = _plan.Key(e);
        if (!_keys.TryGetValue(key, out var state))
            _keys.Add(key, state = new(new(key, _plan.Components)));
        var pane = PaneOf(Timestamps.FromMicros(_events.EventTime(e)));
        if (pane < _frozen)
        {
            // Only on the way back, when events come in order: no later one can come before it.
            AddToPanes(state, e, pane);
            Touch(state, _frozen);
            return;
        }
        Touch(state, pane);
        if (state.Recent.Count == 0 || _events.Compare(state.Recent[^1], e) < 0)
        {
            state.Recent.Add(e);
            return;
        }
        var index = ~state.Recent.BinarySearch(e, EventOrder);
        state.Recent.Insert(index, e);
        if (index >= state.Applied)
            return;
        while (index > 0 && PaneOf(state.Recent[index - 1]) == pane)
            index--;
        state.Panes.Truncate(pane);
        state.Applied = index;
    }

    protected override void Clear(StreamMoment moment)
    {
        _keys.Clear();
        _calendar.Clear();
        _touched.Clear();
        _frozen = PaneOf(moment.Floor);
        _limit = PaneOf(moment.Clock) + 1;
        _nextSweep = 0;
    }

    protected override void Compute(StreamMoment moment)
    {
        _limit = Math.Max(_limit, PaneOf(moment.Clock) + 1);
        foreach (var state in _touched)
        {
            for (; state.Applied < state.Recent.Count; state.Applied++)
                AddToPanes(state, state.Recent[state.Applied], PaneOf(state.Recent[state.Applied]));
            foreach (var offset in _offsets)
                state.Panes.AddHops(state.Dirty, _limit, offset, state.Due);
        }
        while (_calendar.Count > 0 && _calendar.First() is var (hop, due) && hop <= _limit)
        {
            _calendar.Remove(hop);
            foreach (var state in due)
            {
                Touch(state, long.MaxValue);
                state.Due.Add(hop);
            }
        }
        foreach (var state in _touched)
            Give(state);
        _frozen = Math.Max(_frozen, PaneOf(moment.Floor));
        foreach (var state in _touched)
            Trim(state);
        _touched.Clear();
        Sweep();
    }

    private Comparer<TEvent> EventOrder => field ??= Comparer<TEvent>.Create(_events.Compare);

    private long PaneOf(DateTime time) => time.Ticks / _hopTicks;

    private long PaneOf(TEvent e) => PaneOf(Timestamps.FromMicros(_events.EventTime(e)));

    private void Touch(KeyState state, long pane)
    {
        if (!state.IsTouched)
        {
            state.IsTouched = true;
            _touched.Add(state);
        }
        state.Dirty = Math.Min(state.Dirty, pane);
    }

    private void AddToPanes(KeyState state, TEvent e, long pane)
    {
        if (!state.Panes.Add(e, pane))
            return;
        foreach (var offset in _offsets)
            if (pane + offset is var hop && hop > _limit)
            {
                if (!_calendar.TryGetValue(hop, out var due))
                    _calendar.Add(hop, due = []);
                due.Add(state);
            }
    }

    private void Give(KeyState state)
    {
        state.Due.Sort();
        var last = long.MinValue;
        foreach (var hop in state.Due)
        {
            if (hop == last)
                continue;
            last = hop;
            var row = state.Panes.Build(_plan, hop, new DateTime(hop * _hopTicks, DateTimeKind.Utc), _results, _values);
            state.Given[hop] = Give(row, state.Given.TryGetValue(hop, out var before) ? before : null);
        }
        state.Due.Clear();
        (state.Dirty, state.IsTouched) = (long.MaxValue, false);
    }

    private void Trim(KeyState state)
    {
        var past = 0;
        while (past < state.Recent.Count && PaneOf(state.Recent[past]) < _frozen)
            past++;
        if (past > 0)
        {
            state.Recent.RemoveRange(0, past);
            state.Applied -= past;
        }
        if (state.Given.Count > 2 * (_limit - _frozen) || state.Recent.Count == 0)
            foreach (var hop in state.Given.Keys.Where(hop => hop <= _frozen).ToArray())
                state.Given.Remove(hop);
        state.Panes.Trim(_frozen - _longest);
        if (state.Panes.IsEmpty)
            _keys.Remove(state.Panes.Key);
    }

    /// <summary>Keys that nothing touches any more are looked at now and then.</summary>
    private void Sweep()
    {
        if (_frozen < _nextSweep)
            return;
        _nextSweep = _frozen + Math.Max(1, _longest / 2);
        foreach (var state in _keys.Values.ToArray())
            Trim(state);
    }

    private sealed class KeyState(KeyPanes<TEvent, TKey> panes)
    {
        public KeyPanes<TEvent, TKey> Panes => panes;

        /// <summary>The events that may still be preceded by others, in canonical order.</summary>
        public List<TEvent> Recent { get; } = [];

        /// <summary>How many of them are in the panes.</summary>
        public int Applied { get; set; }

        /// <summary>Rows after this pane have to be computed again.</summary>
        public long Dirty { get; set; } = long.MaxValue;

        public bool IsTouched { get; set; }

        public List<long> Due { get; } = [];

        /// <summary>What was given for the hops that may change.</summary>
        public Dictionary<long, Given<TRow>> Given { get; } = [];
    }
}
