using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>The events of a partition that may still come a second time, by key and event time. Kept in slices of event time, so that the past is forgotten at once.</summary>
internal sealed class EventMemory<TEvent>(TimeSpan lateness) where TEvent : class
{
    private readonly long _slice = Math.Max(1_000_000, Timestamps.ToMicros(lateness) / 8);
    private readonly SortedDictionary<long, HashSet<TEvent>> _slices = [];

    /// <summary>The event that is known under the same keys and event time.</summary>
    public TEvent? Find(TEvent e, long time) => _slices.TryGetValue(SliceOf(time), out var slice) && slice.TryGetValue(e, out var known) ? known : null;

    public void Add(TEvent e, long time)
    {
        if (!_slices.TryGetValue(SliceOf(time), out var slice))
            _slices.Add(SliceOf(time), slice = new(Identity.Instance));
        slice.Add(e);
    }

    /// <summary>From when on events are remembered, of those that come while the latest is at <paramref name="latest"/>: of nothing but that, so that it is the same after a restart.</summary>
    public long Since(long latest) => SliceOf(latest - Timestamps.ToMicros(lateness)) * _slice;

    public void Forget(long latest)
    {
        var first = SliceOf(Since(latest));
        while (_slices.Count > 0 && _slices.First().Key is var slice && slice < first)
            _slices.Remove(slice);
    }

    public void Clear() => _slices.Clear();

    private long SliceOf(long time) => Math.DivRem(time, _slice, out var rest) - (rest < 0 ? 1 : 0);

    private sealed class Identity : IEqualityComparer<TEvent>
    {
        public static Identity Instance { get; } = new();

        private readonly RowCodec<TEvent> _codec = RowCodec<TEvent>.Instance;

        public bool Equals(TEvent? a, TEvent? b) => _codec.Compare(a!, b!) == 0;

        public int GetHashCode(TEvent e)
        {
            var sink = new HashSink();
            _codec.BindTombstone(e, sink);
            return sink.Hash;
        }
    }

    private sealed class HashSink : ICellSink
    {
        private HashCode _hash;

        public int Hash => _hash.ToHashCode();

        public void Null(int ordinal) { }

        public void Integer(int ordinal, long value) => _hash.Add(value);

        public void Real(int ordinal, double value) => _hash.Add(value);

        public void Text(int ordinal, string value) => _hash.Add(value);

        public void Blob(int ordinal, ReadOnlySpan<byte> value) => _hash.AddBytes(value);
    }
}
