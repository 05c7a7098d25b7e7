namespace AiWorkflows.Features;

/// <summary>Looks rows up by key, for one thread at a time; what prepares a look-up is kept for the next one.</summary>
internal interface IKeyReader : IDisposable
{
    /// <summary>The newest published sequence.</summary>
    long CurrentSeq();

    /// <summary>Versions of the rows of one entity with an event time in <paramref name="window"/>, newest event time first. Dispose of it before the next look-up.</summary>
    /// <param name="group">The group.</param>
    /// <param name="columns">The columns to read; the same instance for the same look-up every time.</param>
    /// <param name="keys">Canonical key values (long, string or byte[]), in the order of <see cref="GroupSchema.Keys"/>.</param>
    /// <param name="window">Event times.</param>
    IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window);
}

/// <summary>Looks up through the store's general interface.</summary>
internal sealed class StoreKeyReader(IFeatureStore store) : IKeyReader
{
    public long CurrentSeq() => store.CurrentSeqAsync(CancellationToken.None).GetAwaiter().GetResult();

    public IRowCursor Seek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window) => store.Seek(group, columns, keys, window);

    public void Dispose() { }
}
