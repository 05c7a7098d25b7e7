using AiWorkflows.Features;

namespace AiWorkflows.Streaming;

/// <summary>A keyed fold as it was declared; the batch and the stream fold by it.</summary>
internal sealed class FoldPlan<TEvent, TRow>(KeyParts<TEvent> key, TimeSpan? gap) where TEvent : class where TRow : class
{
    private readonly RowCodec<TRow> _rows = RowCodec<TRow>.Instance;
    private readonly long _gap = gap is { } length ? Timestamps.ToMicros(length) : long.MaxValue;

    public KeyParts<TEvent> Key => key;

    /// <summary>The row that the fold goes on from at a moment; null where there is none, or the session has ended.</summary>
    public TRow? Seed(TRow? last, long time) => last is null || time - _rows.EventTime(last) > _gap ? null : last;

    /// <summary>The next row, with canonical values: what is stored is what the fold goes on from.</summary>
    /// <exception cref="StageFailedException">The row has another key or time than its event, or cannot be stored.</exception>
    public TRow Apply(StreamFeaturePipeline<TEvent, TRow> pipeline, TRow? seed, TEvent e, object[] parts, long time)
    {
        var row = _rows.Canonicalize(pipeline.Apply(seed, e));
        if (_rows.EventTime(row) == time && KeyPartsComparer.Instance.Equals(RowKey(row), parts))
            return row;
        throw new StageFailedException(
            $"{pipeline.GetType().Name}.Apply made {_rows.Describe(row)} of {RowCodec<TEvent>.Instance.Describe(e)}; a row has the key that the events are folded by ({string.Join(", ", parts)}) and the event's time ({Timestamps.Iso(Timestamps.FromMicros(time))}).");
    }

    private object[] RowKey(TRow row)
    {
        var sink = new KeySink(_rows.Schema.Keys.Count);
        _rows.BindTombstone(row, sink);
        return sink.Keys;
    }

    private sealed class KeySink(int keys) : ICellSink
    {
        public object[] Keys { get; } = new object[keys];

        public void Null(int ordinal) { }

        public void Integer(int ordinal, long value) => Put(ordinal, value);

        public void Real(int ordinal, double value) { }

        public void Text(int ordinal, string value) => Put(ordinal, value);

        public void Blob(int ordinal, ReadOnlySpan<byte> value) => Put(ordinal, value.ToArray());

        private void Put(int ordinal, object value)
        {
            if (ordinal >= 1 && ordinal <= keys)
                Keys[ordinal - 1] = value;
        }
    }
}
