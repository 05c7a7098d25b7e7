namespace AiWorkflows.Features;

/// <summary>Brings rows into canonical order in bounded memory: what does not fit goes to temporary files as sorted runs, which are merged.</summary>
internal sealed class RowSorter<TRow> : IDisposable where TRow : class
{
    private const long MemoryBudget = 256 << 20;
    private const int LargestBuffer = 1 << 20;
    private const int SampleEvery = 64;

    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private readonly int _limit;
    private readonly List<SpillFile<TRow>> _runs = [];
    private TRow[] _rows = new TRow[1024];
    private long[] _times = new long[1024];
    private readonly SizeSink _size = new();
    private int _count;
    private long _bytes;
    private bool _ordered = true;

    /// <param name="bufferRows">Rows that are held in memory; by default 1,048,576, or as many as about 256 MB hold.</param>
    public RowSorter(int? bufferRows = null) => _limit = bufferRows ?? LargestBuffer;

    /// <summary>How many runs had to be written to disk.</summary>
    public int Spilled => _runs.Count;

    public void Add(TRow row)
    {
        if (_count == _limit || _bytes > MemoryBudget)
            Spill();
        if (_count % SampleEvery == 0)
            _bytes += SampleEvery * _size.Of(_codec, row);
        if (_count == _rows.Length)
        {
            var size = Math.Min(_limit, _count * 2);
            Array.Resize(ref _rows, size);
            Array.Resize(ref _times, size);
        }
        var time = _codec.EventTime(row);
        if (_ordered && _count > 0)
            _ordered = time > _times[_count - 1] || (time == _times[_count - 1] && _codec.CompareKeys(_rows[_count - 1], row) <= 0);
        (_rows[_count], _times[_count]) = (row, time);
        _count++;
    }

    /// <summary>All rows in canonical order; to be enumerated once.</summary>
    public IEnumerable<TRow> Sorted()
    {
        Sort();
        if (_runs.Count == 0)
        {
            for (var i = 0; i < _count; i++)
            {
                yield return _rows[i];
                _rows[i] = null!;
            }
            yield break;
        }
        var sources = _runs.Select(r => r.Read(_codec)).Append(((IEnumerable<TRow>)new ArraySegment<TRow>(_rows, 0, _count)).GetEnumerator()).ToArray();
        var heads = new PriorityQueue<IEnumerator<TRow>, TRow>(Comparer<TRow>.Create(_codec.Compare));
        foreach (var source in sources)
            if (source.MoveNext())
                heads.Enqueue(source, source.Current);
        while (heads.TryPeek(out var source, out var row))
        {
            yield return row;
            if (source.MoveNext())
                heads.DequeueEnqueue(source, source.Current);
            else
                heads.Dequeue();
        }
    }

    public void Dispose()
    {
        foreach (var run in _runs)
            run.Dispose();
        _runs.Clear();
    }

    private void Spill()
    {
        Sort();
        _runs.Add(new SpillFile<TRow>(_codec, _rows.AsSpan(0, _count)));
        Array.Clear(_rows, 0, _count);
        (_count, _bytes, _ordered) = (0, 0, true);
    }

    /// <summary>Sorts numbers, which is several times faster than comparing rows and moving references about, and then only the ties by key.</summary>
    private void Sort()
    {
        if (_ordered)
            return;
        var order = new int[_count];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(_times, order, 0, _count);
        var rows = new TRow[_rows.Length];
        for (var i = 0; i < order.Length; i++)
            rows[i] = _rows[order[i]];
        _rows = rows;
        for (var start = 0; start < _count;)
        {
            var end = start + 1;
            while (end < _count && _times[end] == _times[start])
                end++;
            if (end - start > 1)
                _rows.AsSpan(start, end - start).Sort(_codec.CompareKeys);
            start = end;
        }
        _ordered = true;
    }

    /// <summary>Estimates what a row takes in memory: texts may be shared between rows, but need not be.</summary>
    private sealed class SizeSink : ICellSink
    {
        private const int Overhead = 40;

        private long _bytes;

        public long Of(RowCodec<TRow> codec, TRow row)
        {
            _bytes = Overhead;
            codec.Bind(row, this);
            return _bytes;
        }

        public void Null(int ordinal) => _bytes += 8;

        public void Integer(int ordinal, long value) => _bytes += 8;

        public void Real(int ordinal, double value) => _bytes += 8;

        public void Text(int ordinal, string value) => _bytes += 32 + 2 * value.Length;

        public void Blob(int ordinal, ReadOnlySpan<byte> value) => _bytes += 32 + value.Length;
    }
}
