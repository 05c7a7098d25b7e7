using System.Runtime.CompilerServices;

namespace AiWorkflows.Features;

/// <summary>
/// A feature store without a database, with the same meaning: invisible commits, publication in sequence, versions of rows. For tests of pipelines;
/// it holds everything in memory and sorts when it scans.
/// </summary>
internal sealed class InMemoryFeatureStore(TimeProvider clock) : IFeatureStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string, int), MemoryGroup> _groups = [];
    private readonly Dictionary<long, MemoryCommit> _commits = [];
    private readonly List<MemoryCommit> _published = [];
    private DateTime _lastPublished = DateTime.UnixEpoch;
    private long _seq;

    public Task RegisterAsync(IReadOnlyList<RegisteredGroup> groups, IReadOnlyList<RegisteredView> views, CancellationToken ct) => Task.CompletedTask;

    public Task<long> CurrentSeqAsync(CancellationToken ct) => Task.FromResult(CurrentSeq);

    public long CurrentSeq
    {
        get
        {
            lock (_lock)
                return _seq;
        }
    }

    public Task<long> SeqAtAsync(DateTime publishedAt, CancellationToken ct)
    {
        lock (_lock)
            return Task.FromResult(_published.Where(c => c.PublishedAt <= publishedAt).Select(c => c.Sequence).DefaultIfEmpty().Max());
    }

    public Task<IReadOnlyList<PublishedCommit>> CommitsAsync(GroupSchema group, long asOfSeq, Window window, CancellationToken ct)
    {
        lock (_lock)
            return Task.FromResult<IReadOnlyList<PublishedCommit>>([.. _published
                .Where(c => c.Group.Name == group.Name && c.Group.Version == group.Version && c.Sequence <= asOfSeq && c.Window.Overlaps(window))
                .Select(c => new PublishedCommit(c.CommitId, c.Sequence, c.PublishedAt, c.Window))]);
    }

    public IRowCursor Scan(GroupSchema group, IReadOnlyList<FeatureColumn> columns, Window window)
    {
        lock (_lock)
            return new MemoryCursor(group, columns, Group(group).Between(window));
    }

    public IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window)
    {
        lock (_lock)
            return new MemoryCursor(group, columns, [.. Group(group).Between(window).Where(r => r.HasKeys(keys)).OrderByDescending(r => r.Time)]);
    }

    public async IAsyncEnumerable<PublishedCommit> PublishedSinceAsync(DateTime publishedAt, [EnumeratorCancellation] CancellationToken ct)
    {
        PublishedCommit[] later;
        lock (_lock)
            later = [.. _published.Where(c => c.PublishedAt > publishedAt).Select(c => new PublishedCommit(c.CommitId, c.Sequence, c.PublishedAt, c.Window))];
        await Task.CompletedTask;
        foreach (var commit in later)
            yield return commit;
    }

    public Task<ICommitWriter> OpenCommitAsync(CommitRequest request, CancellationToken ct)
    {
        lock (_lock)
        {
            var commit = new MemoryCommit(_commits.Count + 1, request.Group, request.Window);
            _commits.Add(commit.CommitId, commit);
            return Task.FromResult<ICommitWriter>(new Writer(this, commit, _seq));
        }
    }

    /// <summary>Makes a commit visible under the next sequence number.</summary>
    /// <param name="at">When it is said to be published, UTC; later than anything before, or moved there. By default the clock's time.</param>
    public long Publish(long commitId, DateTime? at = null) => Publish([commitId], at);

    /// <summary>Makes the commits of all slices of a stage visible under the next sequence number.</summary>
    public long Publish(IReadOnlyList<long> commitIds, DateTime? at = null)
    {
        lock (_lock)
        {
            var now = at ?? clock.GetUtcNow().UtcDateTime;
            _lastPublished = now > _lastPublished ? now : _lastPublished.AddMicroseconds(1);
            _seq++;
            foreach (var commit in commitIds.Select(id => _commits[id]))
            {
                _published.Add(commit);
                (commit.Sequence, commit.PublishedAt) = (_seq, _lastPublished);
            }
            return _seq;
        }
    }

    /// <summary>The quarantined rows of the published commits of a group.</summary>
    public IReadOnlyList<QuarantinedRow> Quarantined(GroupSchema group)
    {
        lock (_lock)
            return [.. _published.Where(c => c.Group.Name == group.Name && c.Group.Version == group.Version).SelectMany(c => c.Quarantine)];
    }

    private MemoryGroup Group(GroupSchema schema)
    {
        if (!_groups.TryGetValue((schema.Name, schema.Version), out var group))
            _groups.Add((schema.Name, schema.Version), group = new MemoryGroup(schema));
        return group;
    }

    private sealed class MemoryCommit(long commitId, GroupSchema group, Window window)
    {
        public long CommitId => commitId;

        public GroupSchema Group => group;

        public Window Window => window;

        public long Sequence { get; set; }

        public DateTime PublishedAt { get; set; }

        public List<QuarantinedRow> Quarantine { get; } = [];
    }

    private sealed class Writer(InMemoryFeatureStore store, MemoryCommit commit, long baseSeq) : ICommitWriter
    {
        public long CommitId => commit.CommitId;

        public long BaseSeq => baseSeq;

        public Task WriteAsync(IRowBatch rows, CancellationToken ct)
        {
            ct.ThrowIfCancellationRequested();
            lock (store._lock)
                store.Group(commit.Group).Add(rows, commit.CommitId);
            return Task.CompletedTask;
        }

        public Task QuarantineAsync(IReadOnlyList<QuarantinedRow> rows, CancellationToken ct)
        {
            lock (store._lock)
                commit.Quarantine.AddRange(rows);
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
