namespace AiWorkflows.Features;

/// <summary>Looks rows up by key, for one request at a time; what prepares a look-up is kept for the next request.</summary>
internal interface IKeyReader : IDisposable
{
    /// <summary>Makes look-ups, in as few round trips as the engine allows.</summary>
    /// <param name="seeks">Each reads its rows in turn.</param>
    /// <param name="fix">Not null in the first look-ups of a request: is given the newest published sequence before any row is read. Everything published under it is seen.</param>
    ValueTask SeekAsync(IReadOnlyList<KeySeek> seeks, Func<long, CancellationToken, ValueTask>? fix, CancellationToken ct);

    /// <summary>Makes the first look-ups of a request as of a sequence that is assumed to be the newest.</summary>
    /// <returns>Whether the rows are as of that sequence; an engine may leave it to others to find out if a newer one has been published since it last looked.</returns>
    async ValueTask<bool> SeekAssumedAsync(IReadOnlyList<KeySeek> seeks, long seq, CancellationToken ct)
    {
        var holds = false;
        await SeekAsync(seeks, (newest, _) =>
        {
            holds = newest == seq;
            return ValueTask.CompletedTask;
        }, ct);
        return holds;
    }
}

/// <summary>A look-up of the rows of one entity.</summary>
/// <param name="group">The group.</param>
/// <param name="columns">The columns to read; the same instance for the same look-up every time.</param>
/// <param name="keys">Canonical key values (long, string or byte[]), in the order of <see cref="GroupSchema.Keys"/>.</param>
/// <param name="window">Event times.</param>
internal abstract class KeySeek(GroupSchema group, IReadOnlyList<FeatureColumn> columns, IReadOnlyList<object> keys, Window window)
{
    public GroupSchema Group => group;

    public IReadOnlyList<FeatureColumn> Columns => columns;

    public IReadOnlyList<object> Keys => keys;

    public Window Window => window;

    /// <summary>Finds what is looked for among the versions of the entity's rows, newest event time first, and stops reading there. An engine that has cut them off too early calls it again with more.</summary>
    public abstract void Read(IRowCursor rows);

    /// <summary>The event time after which the look-up wants to know the next one of the entity's rows, whether it counts or not; null if it does not.</summary>
    public virtual long? NextAfter => null;

    /// <summary>Tells that event time, after <see cref="Read"/>; an engine for which it would cost a round trip leaves it out.</summary>
    /// <param name="time">Null if there is no later row.</param>
    public virtual void Next(long? time) { }
}

/// <summary>Looks up through the store's general interface.</summary>
internal sealed class StoreKeyReader(IFeatureStore store) : IKeyReader
{
    public async ValueTask SeekAsync(IReadOnlyList<KeySeek> seeks, Func<long, CancellationToken, ValueTask>? fix, CancellationToken ct)
    {
        if (fix is not null)
            await fix(await store.CurrentSeqAsync(ct), ct);
        foreach (var seek in seeks)
        {
            using var rows = store.Seek(seek.Group, seek.Columns, seek.Keys, seek.Window);
            seek.Read(rows);
        }
    }

    public void Dispose() { }
}
