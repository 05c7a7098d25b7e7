namespace AiWorkflows.Features;

/// <summary>One join of a view, compiled. Times in microseconds.</summary>
/// <param name="Index">Where its row goes in the array that the projection reads.</param>
/// <param name="MaxAge">Largest difference between the example's and the row's event time, inclusive.</param>
internal sealed record JoinPlan<TSpine, TKey>(int Index, string Alias, KeyOf<TSpine, TKey> Key, long MaxAge, bool StrictlyBefore, bool AsPublished);

/// <summary>All joins of one group: it is scanned once, however often it is joined.</summary>
internal abstract class GroupJoins<TSpine> where TSpine : class
{
    public required GroupSchema Schema { get; init; }

    /// <summary>The properties that any of the joins reads; null for all.</summary>
    public required IReadOnlySet<string>? Properties { get; init; }

    /// <summary>The largest age of any of the joins, microseconds.</summary>
    public required long MaxAge { get; init; }

    /// <summary>What has to be scanned for examples in <paramref name="spine"/>.</summary>
    public Window ScanWindow(Window spine) => new(
        Timestamps.FromMicros(Math.Max(Timestamps.ToMicros(DateTime.MinValue), Timestamps.ToMicros(spine.From) - MaxAge)),
        spine.To);

    /// <summary>Starts the scan.</summary>
    public abstract JoinSource<TSpine> Open(IFeatureStore store, IReadOnlyList<PublishedCommit> commits, Window window, StageProgress? progress, CancellationToken ct);

    /// <summary>Finds the rows of all its joins for one spine row by key, without a scan over other entities.</summary>
    /// <param name="rows">Receives the rows by join index.</param>
    public abstract Task<IReadOnlyList<JoinedRow>> SeekAsync(FeatureReadSession session, TSpine spine, long time, object?[] rows, CancellationToken ct);

    /// <summary>As <see cref="SeekAsync"/>, for an answer that somebody waits for: adds its look-ups to those of the others, and does not record what was read.</summary>
    /// <param name="found">Receives, by join index, what has the row afterwards; null where a part of the key is missing.</param>
    public abstract void Find(OnlineLookup lookup, TSpine spine, long time, IFoundRow?[] found);
}

/// <summary>The rows of one group as they become known while the pass moves on in time.</summary>
internal abstract class JoinSource<TSpine> : IDisposable where TSpine : class
{
    /// <summary>Takes in what is known at <paramref name="time"/>, which never goes back.</summary>
    public abstract void Advance(long time);

    /// <summary>Finds the row of every join of the group for a spine row at <paramref name="time"/>.</summary>
    public abstract void Find(TSpine spine, long time, object?[] rows);

    public abstract void Dispose();
}
