namespace AiWorkflows.Features;

/// <summary>Opens look-ups by key as of the newest publication. What was published since the last look-up is added before the next one reads its rows.</summary>
internal sealed class OnlineFeatures(IFeatureStore store) : IDisposable
{
    private readonly PublishedCommits _published = new();
    private readonly SemaphoreSlim _refreshing = new(1, 1);
    private long _knownSeq = -1;
    private KnownRows? _known;
    private DateTime _knownUntil = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    /// <summary>A look-up that sees everything published up to its first find, and nothing that is published later.</summary>
    public OnlineLookup Open() => new(this, store, _published, null);

    /// <summary>
    /// A look-up that assumes that nothing was published since the last one, so that rows which were looked up before need not be read again. Whoever answers with it has to
    /// find out whether that was so, after the request has come.
    /// </summary>
    public OnlineLookup OpenAssumed()
    {
        var known = Volatile.Read(ref _known);
        if (known is not null && System.Diagnostics.Stopwatch.GetElapsedTime(known.Since) > KnownRows.Longest)
            Volatile.Write(ref _known, known = new(known.Seq));
        return new(this, store, _published, known);
    }

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
            Volatile.Write(ref _known, new(seq));
        }
        finally
        {
            _refreshing.Release();
        }
    }
}
