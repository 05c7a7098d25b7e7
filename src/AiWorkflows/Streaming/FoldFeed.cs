using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>A keyed fold over a stream. An event out of order folds its key again from there on; a key that is not in memory goes on from its last row in the store.</summary>
internal sealed class FoldFeed<TEvent, TRow>(FoldPlan<TEvent, TRow> plan, StreamFeaturePipeline<TEvent, TRow> pipeline) : RowFeed<TEvent, TRow>(pipeline)
    where TEvent : class where TRow : class
{
    private static readonly DateTime Earliest = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    private readonly RowCodec<TEvent> _events = RowCodec<TEvent>.Instance;
    private readonly RowLookup<TRow> _lookup = new(null);
    private readonly Dictionary<object[], KeyState> _keys = new(KeyPartsComparer.Instance);
    private readonly List<KeyState> _touched = [];
    private long _nextSweep = long.MinValue;

    public override DateTime ReachesBack(DateTime floor) => floor;

    public override void Add(TEvent e)
    {
        if (plan.Key.Of(e) is not { } key)
            return;
        if (!_keys.TryGetValue(key, out var state))
            _keys.Add(key, state = new KeyState(key));
        if (state.Dirty == long.MaxValue)
            _touched.Add(state);
        state.Dirty = Math.Min(state.Dirty, _events.EventTime(e));
        var index = state.Recent.Count == 0 || _events.Compare(state.Recent[^1], e) < 0 ? state.Recent.Count : ~state.Recent.BinarySearch(e, EventOrder);
        state.Recent.Insert(index, e);
    }

    protected override void Clear(StreamMoment moment)
    {
        _keys.Clear();
        _touched.Clear();
    }

    protected override void Compute(StreamMoment moment)
    {
        var floor = Timestamps.ToMicros(moment.Floor);
        foreach (var state in _touched)
        {
            Fold(state, moment.Lookup);
            Trim(state, floor);
        }
        _touched.Clear();
        if (floor < _nextSweep)
            return;
        _nextSweep = floor + Timestamps.ToMicros(TimeSpan.FromTicks(Math.Max(TimeSpan.TicksPerMinute, (moment.Clock - moment.Floor).Ticks)));
        foreach (var state in _keys.Values.ToArray())
            Trim(state, floor);
    }

    private Comparer<TEvent> EventOrder => field ??= Comparer<TEvent>.Create(_events.Compare);

    private void Fold(KeyState state, OnlineLookup? lookup)
    {
        if (!state.HasBase)
        {
            var before = new Window(Earliest, Timestamps.FromMicros(_events.EventTime(state.Recent[0])));
            (state.Base, state.HasBase) = (lookup?.Find(_lookup, state.Key, before, KnownWhen.Always)?.Row, true);
        }
        var kept = 0;
        while (kept < state.Rows.Count && state.Rows[kept].Time < state.Dirty)
            kept++;
        var given = state.Rows[kept..].ToDictionary(r => r.Time, r => r.Given);
        state.Rows.RemoveRange(kept, state.Rows.Count - kept);
        var last = LastStored(state.Rows) ?? state.Base;
        var next = 0;
        while (next < state.Recent.Count && _events.EventTime(state.Recent[next]) < state.Dirty)
            next++;
        while (next < state.Recent.Count)
        {
            var time = _events.EventTime(state.Recent[next]);
            var row = plan.Seed(last, time);
            for (; next < state.Recent.Count && _events.EventTime(state.Recent[next]) == time; next++)
                row = plan.Apply(pipeline, row, state.Recent[next], state.Key, time);
            var result = Give(row!, given.TryGetValue(time, out var known) ? known : null);
            state.Rows.Add((time, result));
            if (result.IsStored)
                last = result.Row;
        }
        state.Dirty = long.MaxValue;
    }

    private void Trim(KeyState state, long floor)
    {
        var past = 0;
        while (past < state.Rows.Count && state.Rows[past].Time < floor)
            past++;
        if (past == 0)
            return;
        if (past == state.Rows.Count)
        {
            _keys.Remove(state.Key);
            return;
        }
        state.Base = LastStored(state.Rows[..past]) ?? state.Base;
        state.Rows.RemoveRange(0, past);
        var events = 0;
        while (events < state.Recent.Count && _events.EventTime(state.Recent[events]) < floor)
            events++;
        state.Recent.RemoveRange(0, events);
    }

    private static TRow? LastStored(List<(long Time, Given<TRow> Given)> rows) => rows.FindLastIndex(r => r.Given.IsStored) is var index and >= 0 ? rows[index].Given.Row : null;

    private sealed class KeyState(object[] key)
    {
        public object[] Key => key;

        /// <summary>The events that may still be preceded by others, in canonical order.</summary>
        public List<TEvent> Recent { get; } = [];

        /// <summary>The rows of their moments.</summary>
        public List<(long Time, Given<TRow> Given)> Rows { get; } = [];

        /// <summary>The row before them.</summary>
        public TRow? Base { get; set; }

        public bool HasBase { get; set; }

        /// <summary>Rows from this moment on have to be folded again.</summary>
        public long Dirty { get; set; } = long.MaxValue;
    }
}
