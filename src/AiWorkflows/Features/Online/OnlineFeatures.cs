namespace AiWorkflows.Features;

/// <summary>Opens look-ups by key as of the newest publication. What was published since the last look-up is added before the next one reads its rows.</summary>
internal sealed class OnlineFeatures(IFeatureStore store) : IDisposable
{
    private readonly PublishedCommits _published = new();
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private long _knownSeq = -1;
    private DateTime _knownUntil = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    /// <summary>A look-up that sees everything published up to its first find, and nothing that is published later.</summary>
    public OnlineLookup Open() => new(this, store.OpenKeys(), _published);

    public void Dispose() => _refreshing.Dispose();

    /// <summary>Sees to it that everything published up to a sequence is known.</summary>
    internal ValueTask KnowAsync(long seq, CancellationToken ct) => seq <= Volatile.Read(ref _knownSeq) ? ValueTask.CompletedTask : new(RefreshAsync(seq, ct));

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
