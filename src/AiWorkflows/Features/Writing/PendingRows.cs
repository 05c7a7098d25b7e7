namespace AiWorkflows.Features;

/// <summary>Rows and tombstones that wait to be written. May hold more than a full batch, where many rows come at once.</summary>
internal sealed class PendingRows<TRow>(int capacity = PendingRows<TRow>.Size) : IRowBatch where TRow : class
{
    public const int Size = 4096;

    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private TRow[] _rows = new TRow[capacity];
    private bool[] _deleted = new bool[capacity];

    public int Count { get; private set; }

    public bool IsFull => Count >= Size;

    public bool IsDeleted(int row) => _deleted[row];

    public void Bind(int row, ICellSink sink)
    {
        if (_deleted[row])
            _codec.BindTombstone(_rows[row], sink);
        else
            _codec.Bind(_rows[row], sink);
    }

    public void Add(TRow row, bool deleted)
    {
        if (Count == _rows.Length)
        {
            Array.Resize(ref _rows, Count * 2);
            Array.Resize(ref _deleted, Count * 2);
        }
        (_rows[Count], _deleted[Count]) = (row, deleted);
        Count++;
    }

    public void Clear()
    {
        Array.Clear(_rows, 0, Count);
        Count = 0;
    }
}
