namespace AiWorkflows.Features;

/// <summary>Look-ups of one request, all as of one sequence: they are added, and then made together. For one thread at a time.</summary>
internal sealed class OnlineLookup : ICommitOrder, IDisposable
{
    private readonly OnlineFeatures _owner;
    private readonly IKeyReader _reader;
    private readonly PublishedCommits _published;
    private readonly List<KeySeek> _seeks = [];
    private long _asOfSeq = -1;
    private bool _isDisposed;

    public OnlineLookup(OnlineFeatures owner, IKeyReader reader, PublishedCommits published) => (_owner, _reader, _published) = (owner, reader, published);

    /// <summary>Known after the first <see cref="FindAsync"/>.</summary>
    public long AsOfSeq => _asOfSeq;

    public long Sequence(long commitId) => _published.Sequence(commitId) is var sequence && sequence <= _asOfSeq ? sequence : 0;

    public long PublishedAt(long commitId) => _published.PublishedAt(commitId);

    /// <summary>Adds a look-up of the latest row of an entity that counts.</summary>
    /// <param name="lookup">What to read, prepared once.</param>
    /// <param name="keys">Canonical values.</param>
    /// <param name="window">Event times.</param>
    /// <param name="known">What counts.</param>
    /// <returns>Has the row after the next <see cref="FindAsync"/>.</returns>
    public LatestRow<TRow> Add<TRow>(RowLookup<TRow> lookup, IReadOnlyList<object> keys, Window window, in KnownWhen known) where TRow : class
    {
        var seek = new LatestRow<TRow>(this, lookup, keys, window, known);
        _seeks.Add(seek);
        return seek;
    }

    /// <summary>Makes one look-up at once, for code that may hold its thread.</summary>
    /// <inheritdoc cref="Add{TRow}" path="/param"/>
    public FeedRow<TRow>? Find<TRow>(RowLookup<TRow> lookup, IReadOnlyList<object> keys, Window window, in KnownWhen known) where TRow : class
    {
        var seek = Add(lookup, keys, window, known);
        FindAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return seek.Found;
    }

    /// <summary>Makes all look-ups that were added since the last time.</summary>
    public async ValueTask FindAsync(CancellationToken ct)
    {
        if (_seeks.Count == 0 && _asOfSeq >= 0)
            return;
        await _reader.SeekAsync(_seeks, _asOfSeq < 0 ? FixAsync : null, ct);
        _seeks.Clear();
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _reader.Dispose();
    }

    private ValueTask FixAsync(long seq, CancellationToken ct)
    {
        _asOfSeq = seq;
        return _owner.KnowAsync(seq, ct);
    }
}

/// <summary>What a look-up has found.</summary>
internal interface IFoundRow
{
    /// <summary>The row; null where there is none.</summary>
    object? Row { get; }
}

/// <summary>Finds the latest row of an entity that counts.</summary>
internal sealed class LatestRow<TRow>(ICommitOrder commits, RowLookup<TRow> lookup, IReadOnlyList<object> keys, Window window, KnownWhen known)
    : KeySeek(lookup.Group, lookup.Columns, keys, window), IFoundRow where TRow : class
{
    /// <summary>The row; null where there is none.</summary>
    public FeedRow<TRow>? Found { get; private set; }

    public object? Row => Found?.Row;

    public override void Read(IRowCursor rows) => Found = RowSeek<TRow>.Latest(rows, commits, lookup.Materialize, known);
}

/// <summary>Which columns of a group are looked up, and how a row is made of them.</summary>
/// <param name="properties">Null for all.</param>
internal sealed class RowLookup<TRow>(IReadOnlySet<string>? properties) where TRow : class
{
    public GroupSchema Group { get; } = RowCodec<TRow>.Instance.Schema;

    public IReadOnlyList<FeatureColumn> Columns { get; } = GroupResolver<TRow>.ColumnsFor(properties);

    public Func<IRowCursor, TRow> Materialize { get; } = RowCodec<TRow>.Instance.Materializer(GroupResolver<TRow>.ColumnsFor(properties));
}
