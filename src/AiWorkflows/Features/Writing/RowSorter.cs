namespace AiWorkflows.Features;

/// <summary>Brings rows into canonical order in bounded memory: what does not fit goes to temporary files as sorted runs, which are merged.</summary>
internal sealed class RowSorter<TRow> : IDisposable where TRow : class
{
    private const int MemoryBudget = 192 << 20;
    private const int LargestBuffer = 1 << 20;

    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private readonly int _limit;
    private readonly List<SpillFile<TRow>> _runs = [];
    private TRow[] _rows = new TRow[1024];
    private long[] _times = new long[1024];
    private int _count;
    private bool _ordered = true;

    /// <param name="bufferRows">Rows that are held in memory; by default as many as about 192 MB hold, at most 1,048,576.</param>
    public RowSorter(int? bufferRows = null)
    {
        var rowBytes = _codec.Schema.Columns.Sum(c => c.Type switch { ColumnType.Text or ColumnType.Guid => 48, ColumnType.Vector => 32 + 4 * c.MaxLength, _ => 10 }) + 48;
        _limit = bufferRows ?? Math.Clamp(MemoryBudget / rowBytes, 1024, LargestBuffer);
    }

    /// <summary>How many runs had to be written to disk.</summary>
    public int Spilled => _runs.Count;

    public void Add(TRow row)
    {
        if (_count == _limit)
            Spill();
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
        (_count, _ordered) = (0, true);
    }

    /// <summary>Sorts by the times as plain numbers, which is several times faster than by a comparison, and then only the ties by key.</summary>
    private void Sort()
    {
        if (_ordered)
            return;
        Array.Sort(_times, _rows, 0, _count);
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
}
