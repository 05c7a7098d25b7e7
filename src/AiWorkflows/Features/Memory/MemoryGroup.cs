namespace AiWorkflows.Features;

/// <summary>One version of a row: its cells as long, double, string or byte[], null where missing.</summary>
internal sealed record MemoryRow(GroupSchema Schema, object?[] Cells, long CommitId, bool IsDeleted) : IComparable<MemoryRow>
{
    public long Time => (long)Cells[0]!;

    public bool HasKeys(IReadOnlyList<object> keys)
    {
        for (var i = 0; i < keys.Count; i++)
            if (CompareCell(Cells[i + 1]!, keys[i]) != 0)
                return false;
        return true;
    }

    public int CompareTo(MemoryRow? other)
    {
        var order = Time.CompareTo(other!.Time);
        for (var i = 1; order == 0 && i <= Schema.Keys.Count; i++)
            order = CompareCell(Cells[i]!, other.Cells[i]!);
        return order != 0 ? order : CommitId.CompareTo(other.CommitId);
    }

    private static int CompareCell(object a, object b) => a switch
    {
        string text => KeyOrder.Compare(text, (string)b),
        byte[] bytes => bytes.AsSpan().SequenceCompareTo((byte[])b),
        _ => ((long)a).CompareTo((long)b),
    };
}

/// <summary>All versions of the rows of one group, sorted when they are read.</summary>
internal sealed class MemoryGroup(GroupSchema schema)
{
    private readonly List<MemoryRow> _rows = [];
    private bool _sorted = true;

    public void Add(IRowBatch batch, long commitId)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            var sink = new Sink(schema.Columns.Count);
            batch.Bind(i, sink);
            _rows.Add(new MemoryRow(schema, sink.Cells, commitId, batch.IsDeleted(i)));
        }
        _sorted = false;
    }

    public MemoryRow[] Between(Window window)
    {
        if (!_sorted)
            _rows.Sort();
        _sorted = true;
        var (from, to) = (FirstAt(Timestamps.ToMicros(window.From)), FirstAt(Timestamps.ToMicros(window.To)));
        return [.. _rows[from..to]];
    }

    private int FirstAt(long time)
    {
        var (low, high) = (0, _rows.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_rows[middle].Time < time)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private sealed class Sink(int columns) : ICellSink
    {
        public object?[] Cells { get; } = new object?[columns];

        public void Null(int ordinal) => Cells[ordinal] = null;

        public void Integer(int ordinal, long value) => Cells[ordinal] = value;

        public void Real(int ordinal, double value) => Cells[ordinal] = value;

        public void Text(int ordinal, string value) => Cells[ordinal] = value;

        public void Blob(int ordinal, ReadOnlySpan<byte> value) => Cells[ordinal] = value.ToArray();
    }
}

/// <summary>A cursor over a snapshot of row versions.</summary>
internal sealed class MemoryCursor(GroupSchema schema, IReadOnlyList<FeatureColumn> columns, MemoryRow[] rows) : IRowCursor
{
    private readonly int[] _cells = [.. columns.Select(c => schema.Columns.ToList().IndexOf(c))];
    private int _row = -1;

    public long CommitId => rows[_row].CommitId;

    public bool IsDeleted => rows[_row].IsDeleted;

    public bool Read() => ++_row < rows.Length;

    public bool IsNull(int ordinal) => rows[_row].Cells[_cells[ordinal]] is null;

    public long Integer(int ordinal) => rows[_row].Cells[_cells[ordinal]] is long value ? value : 0;

    public double Real(int ordinal) => rows[_row].Cells[_cells[ordinal]] is double value ? value : 0;

    public string Text(int ordinal) => rows[_row].Cells[_cells[ordinal]] as string ?? "";

    public byte[] Blob(int ordinal) => rows[_row].Cells[_cells[ordinal]] as byte[] ?? [];

    public void Dispose() { }
}
