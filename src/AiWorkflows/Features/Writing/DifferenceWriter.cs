namespace AiWorkflows.Features;

/// <summary>
/// Takes the rows of a window in canonical order, merges them with what is current at the base sequence, and writes only the difference:
/// new and changed rows, and tombstones for rows that are no longer there.
/// </summary>
internal sealed class DifferenceWriter<TRow> : IAsyncDisposable where TRow : class
{
    private const long Day = 86_400_000_000;

    private readonly RowCodec<TRow> _codec = RowCodec<TRow>.Instance;
    private readonly ICommitWriter _writer;
    private readonly Func<GroupFeed<TRow>> _openFeed;
    private GroupFeed<TRow>? _feed;
    private readonly StatisticsSink _statistics;
    private readonly StageProgress _progress;
    private readonly List<DateTime> _buckets = [];
    private FeedBatch<TRow>? _current;
    private int _position;
    private bool _feedEnded;
    private PendingRows<TRow> _filling = new();
    private PendingRows<TRow> _writing = new();
    private Task _write = Task.CompletedTask;
    private TRow? _previous;
    private long _bucket = long.MinValue;
    private long _firstTime = long.MaxValue;
    private long _lastTime = long.MinValue;

    private DifferenceWriter(ICommitWriter writer, Func<GroupFeed<TRow>> openFeed, bool isEmpty, StageProgress progress)
    {
        (_writer, _openFeed, _feedEnded, _progress) = (writer, openFeed, isEmpty, progress);
        _statistics = new StatisticsSink(_codec.Schema.Columns);
    }

    public long Written { get; private set; }

    public long Tombstones { get; private set; }

    public long Added { get; private set; }

    public DateTime? MinEventTime => _firstTime <= _lastTime ? Timestamps.FromMicros(_firstTime) : null;

    public DateTime? MaxEventTime => _firstTime <= _lastTime ? Timestamps.FromMicros(_lastTime) : null;

    /// <summary>The UTC days whose rows changed.</summary>
    public IReadOnlyList<DateTime> Buckets => _buckets;

    public CommitStatistics Statistics => _statistics.ToStatistics();

    public static async Task<DifferenceWriter<TRow>> OpenAsync(IFeatureStore store, ICommitWriter writer, Window window, StageProgress progress, CancellationToken ct)
    {
        var commits = await store.CommitsAsync(RowCodec<TRow>.Instance.Schema, writer.BaseSeq, window, ct);
        return new(writer, () => new GroupFeed<TRow>(store, commits, null, window, FeedMode.Rows, progress: null, ct), commits.Count == 0, progress);
    }

    /// <summary>Takes the next row. True when <see cref="FlushAsync"/> is due.</summary>
    public bool Accept(TRow row)
    {
        if (_previous is not null && _codec.Compare(_previous, row) is var order && order >= 0)
            throw order > 0
                ? new InvalidOperationException($"{_codec.Schema}: {_codec.Describe(row)} came after {_codec.Describe(_previous)}.")
                : new StageFailedException(
                    $"{_codec.Schema}: {_codec.Describe(row)} was given twice: {_codec.Json(_previous)} and {_codec.Json(row)}. A group has one row for each key and event time; remove the duplicate, or add what tells them apart to the key.");
        _previous = row;
        _statistics.Rows++;
        _codec.Bind(row, _statistics);

        while (Current() is { } current)
        {
            var compared = _codec.Compare(current, row);
            if (compared > 0)
                break;
            _position++;
            if (compared == 0)
                return !_codec.SameFeatures(current, row) && Put(row, deleted: false, isNew: false);
            if (Put(current, deleted: true, isNew: false))
                FlushAsync(CancellationToken.None).GetAwaiter().GetResult();
        }
        return Put(row, deleted: false, isNew: true);
    }

    /// <summary>Hands what has been collected to the store, which writes it while the next rows are merged.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        await _write;
        _writing.Clear();
        (_filling, _writing) = (_writing, _filling);
        if (_writing.Count == 0)
            return;
        _progress.AddWritten(_writing.Count);
        var batch = _writing;
        _write = Task.Run(() => _writer.WriteAsync(batch, ct), ct);
    }

    /// <summary>Writes the tombstones of what is left, and waits until everything is written.</summary>
    public async Task CompleteAsync(CancellationToken ct)
    {
        while (Current() is { } current)
        {
            _position++;
            if (Put(current, deleted: true, isNew: false))
                await FlushAsync(ct);
        }
        await FlushAsync(ct);
        await _write;
    }

    public async ValueTask DisposeAsync()
    {
        _feed?.Dispose();
        // After a failure the last write may still run; its own outcome no longer matters.
        await _write.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private TRow? Current()
    {
        if (_feedEnded)
            return null;
        if (_current is not null && _position < _current.Count)
            return _current[_position].Row;
        // Opened with the first row: a scan that waits for a long computation would keep its snapshot open all the while.
        _feed ??= _openFeed();
        if (_current is not null)
            _feed.Return(_current);
        (_current, _position) = (_feed.Next(), 0);
        _feedEnded = _current is null;
        return _current?[0].Row;
    }

    private bool Put(TRow row, bool deleted, bool isNew)
    {
        _filling.Add(row, deleted);
        if (deleted)
            Tombstones++;
        else
            Written++;
        Added += deleted ? -1 : isNew ? 1 : 0;
        var time = _codec.EventTime(row);
        _firstTime = Math.Min(_firstTime, time);
        _lastTime = Math.Max(_lastTime, time);
        var bucket = Math.DivRem(time, Day, out var rest) - (rest < 0 ? 1 : 0);
        if (bucket != _bucket)
        {
            _bucket = bucket;
            _buckets.Add(Timestamps.FromMicros(bucket * Day));
        }
        return _filling.IsFull;
    }
}
