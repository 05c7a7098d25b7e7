namespace AiWorkflows.Features;

/// <summary>A version of a row on its way from a store to whoever reads it.</summary>
/// <param name="Time">Event time, microseconds since 1970.</param>
/// <param name="IsWinner">Whether it is the highest version as of the read's sequence.</param>
internal record struct FeedRow<TRow>(TRow Row, long Time, long CommitId, bool IsDeleted, bool IsWinner) where TRow : class;

/// <summary>Rows that travel together, so that threads meet once for many rows. Reused.</summary>
internal sealed class FeedBatch<TRow> where TRow : class
{
    public const int Size = 1024;

    private FeedRow<TRow>[] _rows = new FeedRow<TRow>[Size];

    public int Count { get; private set; }

    public ReadOnlySpan<FeedRow<TRow>> Rows => _rows.AsSpan(0, Count);

    public Span<FeedRow<TRow>> Writable => _rows.AsSpan(0, Count);

    public ref FeedRow<TRow> this[int index] => ref _rows[index];

    public void Add(in FeedRow<TRow> row)
    {
        if (Count == _rows.Length)
            Array.Resize(ref _rows, Count * 2);
        _rows[Count++] = row;
    }

    public void Clear()
    {
        Array.Clear(_rows, 0, Count);
        Count = 0;
    }
}
