using System.Collections.Concurrent;

namespace AiWorkflows.Features;

/// <summary>Opens look-ups by key as of the newest publication. Readers are pooled; what was published since the last look-up is added before the next one.</summary>
internal sealed class OnlineFeatures(IFeatureStore store) : IDisposable
{
    private readonly ConcurrentBag<IKeyReader> _idle = [];
    private readonly PublishedCommits _published = new();
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private long _knownSeq = -1;
    private DateTime _knownUntil = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);
    private volatile bool _disposed;

    /// <summary>A look-up that sees everything published up to now, and nothing that is published later.</summary>
    public async Task<OnlineLookup> OpenAsync(CancellationToken ct)
    {
        var reader = _idle.TryTake(out var idle) ? idle : store.OpenKeys();
        try
        {
            var seq = reader.CurrentSeq();
            if (seq > Volatile.Read(ref _knownSeq))
                await RefreshAsync(seq, ct);
            return new OnlineLookup(this, reader, _published, seq);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryTake(out var reader))
            reader.Dispose();
        _refreshing.Dispose();
    }

    internal void Return(IKeyReader reader, bool isSound)
    {
        if (_disposed || !isSound)
            reader.Dispose();
        else
            _idle.Add(reader);
    }

    private async Task RefreshAsync(long seq, CancellationToken ct)
    {
        await _refreshing.WaitAsync(ct);
        try
        {
            if (seq <= _knownSeq)
                return;
            var until = _knownUntil;
            await foreach (var commit in store.PublishedSinceAsync(_knownUntil, ct))
            {
                _published.Add(commit);
                until = commit.PublishedAt;
            }
            _knownUntil = until;
            Volatile.Write(ref _knownSeq, seq);
        }
        finally
        {
            _refreshing.Release();
        }
    }
}

/// <summary>Look-ups of one request, all as of one sequence. For one thread.</summary>
internal sealed class OnlineLookup(OnlineFeatures owner, IKeyReader reader, PublishedCommits published, long asOfSeq) : ICommitOrder, IDisposable
{
    private bool _isBroken;
    private bool _isDisposed;

    public long AsOfSeq => asOfSeq;

    public long Sequence(long commitId) => published.Sequence(commitId) is var sequence && sequence <= asOfSeq ? sequence : 0;

    public long PublishedAt(long commitId) => published.PublishedAt(commitId);

    /// <summary>The latest row of an entity that counts.</summary>
    /// <param name="lookup">What to read, prepared once.</param>
    /// <param name="keys">Canonical values.</param>
    /// <param name="window">Event times.</param>
    /// <param name="known">What counts.</param>
    public FeedRow<TRow>? Find<TRow>(RowLookup<TRow> lookup, IReadOnlyList<object> keys, Window window, in KnownWhen known) where TRow : class
    {
        try
        {
            using var cursor = reader.Seek(lookup.Group, lookup.Columns, keys, window);
            return RowSeek<TRow>.Latest(cursor, this, lookup.Materialize, known);
        }
        catch
        {
            _isBroken = true;
            throw;
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        owner.Return(reader, !_isBroken);
    }
}

/// <summary>Which columns of a group are looked up, and how a row is made of them.</summary>
/// <param name="properties">Null for all.</param>
internal sealed class RowLookup<TRow>(IReadOnlySet<string>? properties) where TRow : class
{
    public GroupSchema Group { get; } = RowCodec<TRow>.Instance.Schema;

    public IReadOnlyList<FeatureColumn> Columns { get; } = GroupResolver<TRow>.ColumnsFor(properties);

    public Func<IRowCursor, TRow> Materialize { get; } = RowCodec<TRow>.Instance.Materializer(GroupResolver<TRow>.ColumnsFor(properties));
}
