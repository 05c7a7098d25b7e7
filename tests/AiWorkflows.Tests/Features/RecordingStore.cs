using AiWorkflows.Features;

namespace AiWorkflows.Tests.Features;

/// <summary>Notes what is scanned, and which cursors are still open.</summary>
internal sealed class RecordingStore : IFeatureStore
{
    private readonly Lock _lock = new();
    private int _open;

    public InMemoryFeatureStore Inner { get; } = new(TimeProvider.System);

    public List<string> Scans { get; } = [];

    public string? FailOn { get; init; }

    public int OpenCursors => Volatile.Read(ref _open);

    public IRowCursor Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns, Window window)
    {
        if (group.Name == FailOn)
            throw new IOException("disk gone");
        lock (_lock)
            Scans.Add($"{group.Name}: {string.Join(',', columns.Select(c => c.Name))}");
        Interlocked.Increment(ref _open);
        return new Cursor(this, Inner.Scan(group, columns, window));
    }

    public IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window) => Inner.Seek(group, columns, keys, window);

    public Task RegisterAsync(IReadOnlyList<RegisteredGroup> groups, IReadOnlyList<RegisteredView> views, CancellationToken ct) => Inner.RegisterAsync(groups, views, ct);

    public Task<long> CurrentSeqAsync(CancellationToken ct) => Inner.CurrentSeqAsync(ct);

    public Task<long> SeqAtAsync(DateTime publishedAt, CancellationToken ct) => Inner.SeqAtAsync(publishedAt, ct);

    public Task<IReadOnlyList<PublishedCommit>> CommitsAsync(GroupSchema group, long asOfSeq, Window window, CancellationToken ct) => Inner.CommitsAsync(group, asOfSeq, window, ct);

    public IAsyncEnumerable<PublishedCommit> PublishedSinceAsync(DateTime publishedAt, CancellationToken ct) => Inner.PublishedSinceAsync(publishedAt, ct);

    public Task<ICommitWriter> OpenCommitAsync(CommitRequest request, CancellationToken ct) => Inner.OpenCommitAsync(request, ct);

    private sealed class Cursor(RecordingStore store, IRowCursor inner) : IRowCursor
    {
        public bool Read() => inner.Read();

        public long CommitId => inner.CommitId;

        public bool IsDeleted => inner.IsDeleted;

        public bool IsNull(int ordinal) => inner.IsNull(ordinal);

        public long Integer(int ordinal) => inner.Integer(ordinal);

        public double Real(int ordinal) => inner.Real(ordinal);

        public string Text(int ordinal) => inner.Text(ordinal);

        public byte[] Blob(int ordinal) => inner.Blob(ordinal);

        public void Dispose()
        {
            inner.Dispose();
            Interlocked.Decrement(ref store._open);
        }
    }
}
