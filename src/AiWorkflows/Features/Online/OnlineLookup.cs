using System.Collections.Concurrent;

namespace AiWorkflows.Features;

/// <summary>Look-ups of one request, all as of one sequence: they are added, and then made together. For one thread at a time.</summary>
internal sealed class OnlineLookup : ICommitOrder, IDisposable
{
    private static readonly DateTime End = DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc);
    private static readonly long LastTime = Timestamps.ToMicros(End);

    private readonly OnlineFeatures _owner;
    private readonly IFeatureStore _store;
    private readonly PublishedCommits _published;
    private readonly List<KeySeek> _seeks = [];
    private IKeyReader? _reader;
    private long _asOfSeq = -1;
    private bool _isDisposed;

    /// <param name="known">Not null: assumed to be as of the newest sequence.</param>
    public OnlineLookup(OnlineFeatures owner, IFeatureStore store, PublishedCommits published, KnownRows? known)
    {
        (_owner, _store, _published, Known) = (owner, store, published, known);
        if (known is not null)
            _asOfSeq = known.Seq;
    }

    /// <summary>Rows that are known already; null where everything is to be read.</summary>
    public KnownRows? Known { get; }

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

    /// <summary>As <see cref="Add"/>, of rows that count whenever they were published; of what is known already, where that is enough.</summary>
    /// <param name="owner">Who looks up: a key means the same in all its look-ups.</param>
    /// <param name="canonical">Makes canonical values of the key.</param>
    /// <param name="from">The earliest event time, microseconds since 1970.</param>
    /// <param name="known">What counts; nothing after its time is looked for.</param>
    /// <returns>Has the row after the next <see cref="FindAsync"/>.</returns>
    public IFoundRow AddKnown<TKey, TRow>(object owner, TKey key, Func<TKey, IReadOnlyList<object>> canonical, RowLookup<TRow> lookup, long from, in KnownWhen known)
        where TKey : notnull where TRow : class
    {
        var window = new Window(Timestamps.FromMicros(from), known.Time < LastTime ? Timestamps.FromMicros(known.Time + 1) : End);
        if (Known is null)
            return Add(lookup, canonical(key), window, known);
        var rows = Known.Of<TKey, TRow>(owner);
        if (KnownRows.Find(rows, key, from, known.Latest) is { } found)
            return found;
        var seek = new RememberedRow<TKey, TRow>(this, Known, rows, key, lookup, canonical(key), window, known);
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
    /// <returns>False where what was assumed is known not to hold: then nothing that was found is good for anything.</returns>
    public async ValueTask<bool> FindAsync(CancellationToken ct)
    {
        if (_seeks.Count == 0 && _asOfSeq >= 0)
            return true;
        var isFirst = _reader is null;
        _reader ??= _store.OpenKeys();
        var holds = true;
        if (isFirst && Known is not null)
            holds = await _reader.SeekAssumedAsync(_seeks, _asOfSeq, ct);
        else
            await _reader.SeekAsync(_seeks, isFirst ? FixAsync : null, ct);
        _seeks.Clear();
        return holds;
    }

    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _reader?.Dispose();
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

    /// <summary>Its event time, microseconds since 1970.</summary>
    long Time { get; }
}

/// <summary>Finds the latest row of an entity that counts.</summary>
internal class LatestRow<TRow>(ICommitOrder commits, RowLookup<TRow> lookup, IReadOnlyList<object> keys, Window window, KnownWhen known)
    : KeySeek(lookup.Group, lookup.Columns, keys, window), IFoundRow where TRow : class
{
    public KnownWhen Counts => known;

    /// <summary>The row; null where there is none.</summary>
    public FeedRow<TRow>? Found { get; private set; }

    public object? Row => Found?.Row;

    public long Time => Found?.Time ?? 0;

    public override void Read(IRowCursor rows) => Found = RowSeek<TRow>.Latest(rows, commits, lookup.Materialize, Counts);
}

/// <summary>Finds the latest row of an entity that counts, and remembers it for others.</summary>
internal sealed class RememberedRow<TKey, TRow>(
    OnlineLookup own, KnownRows remembered, ConcurrentDictionary<TKey, KnownRow<TRow>[]> rows, TKey key, RowLookup<TRow> lookup, IReadOnlyList<object> keys, Window window, KnownWhen known)
    : LatestRow<TRow>(own, lookup, keys, window, known) where TKey : notnull where TRow : class
{
    public override long? NextAfter => Counts.Latest;

    public override void Next(long? time) => remembered.Add(rows, key,
        new KnownRow<TRow>(Found?.Row, Found?.Time ?? Timestamps.ToMicros(Window.From), time is { } next ? next - 1 : long.MaxValue));
}

/// <summary>Which columns of a group are looked up, and how a row is made of them.</summary>
/// <param name="properties">Null for all.</param>
internal sealed class RowLookup<TRow>(IReadOnlySet<string>? properties) where TRow : class
{
    public GroupSchema Group { get; } = RowCodec<TRow>.Instance.Schema;

    public IReadOnlyList<FeatureColumn> Columns { get; } = GroupResolver<TRow>.ColumnsFor(properties);

    public Func<IRowCursor, TRow> Materialize { get; } = RowCodec<TRow>.Instance.Materializer(GroupResolver<TRow>.ColumnsFor(properties));
}
