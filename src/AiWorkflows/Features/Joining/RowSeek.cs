using System.Runtime.CompilerServices;

namespace AiWorkflows.Features;

/// <summary>Finds the latest row of one entity: the second plan of the join, for single look-ups.</summary>
internal static class RowSeek<TRow> where TRow : class
{
    /// <param name="keys">Canonical values.</param>
    public static FeedRow<TRow>? Latest(
        IFeatureStore store, VisibleCommits commits, IReadOnlySet<string>? properties, IReadOnlyList<object> keys, Window window, in KnownWhen known)
    {
        var columns = GroupResolver<TRow>.ColumnsFor(properties);
        using var cursor = store.Seek(RowCodec<TRow>.Instance.Schema, columns, keys, window);
        return Latest(cursor, commits, RowCodec<TRow>.Instance.Materializer(columns), known);
    }

    /// <param name="cursor">Versions of the rows of one entity, newest event time first.</param>
    public static FeedRow<TRow>? Latest(IRowCursor cursor, ICommitOrder commits, Func<IRowCursor, TRow> materialize, in KnownWhen known)
    {
        FeedRow<TRow>? best = null;
        var bestSequence = 0L;
        while (cursor.Read())
        {
            var (commit, time) = (cursor.CommitId, cursor.Integer(0));
            var sequence = commits.Sequence(commit);
            if (sequence == 0 || !known.At(time, commit, commits))
                continue;
            if (best is { } earlier && earlier.Time != time)
            {
                if (!earlier.IsDeleted)
                    return best;
                (best, bestSequence) = (null, 0);
            }
            if (sequence <= bestSequence)
                continue;
            bestSequence = sequence;
            best = new FeedRow<TRow>(cursor.IsDeleted ? null! : materialize(cursor), time, commit, cursor.IsDeleted, IsWinner: true);
        }
        return best is { IsDeleted: false } ? best : null;
    }
}

/// <summary>From when on a version of a row counts for an example. Times in microseconds.</summary>
/// <param name="Time">Event time of the example.</param>
/// <param name="Lag">What the group's rows lag behind their event time.</param>
/// <param name="Strictly">Whether a row that becomes known at that very time does not count yet.</param>
/// <param name="AsPublished">Whether a version counts only once it was published; until then the one before it stands.</param>
internal readonly record struct KnownWhen(long Time, long Lag, bool Strictly, bool AsPublished)
{
    /// <summary>Whatever is there.</summary>
    public static KnownWhen Always => new(long.MaxValue, 0, false, false);

    /// <summary>The latest event time that counts, where it does not matter when a row was published.</summary>
    public long Latest => Time == long.MaxValue ? Time : Strictly ? Time - Lag - 1 : Time - Lag;

    public bool At(long eventTime, long commitId, ICommitOrder commits)
    {
        var known = eventTime + Lag;
        if (AsPublished)
            known = Math.Max(known, commits.PublishedAt(commitId));
        return Strictly ? known < Time : known <= Time;
    }
}

/// <summary>Typed join keys as the canonical values that a store seeks by.</summary>
internal static class CanonicalKey
{
    public static IReadOnlyList<object> Of<TKey>(GroupSchema group, TKey key) where TKey : notnull =>
        group.Keys.Count == 1 ? [Value(key)] : [.. Enumerable.Range(0, group.Keys.Count).Select(i => Value(((ITuple)key)[i]!))];

    /// <summary>The canonical value of one key.</summary>
    public static object Value(object part) => part switch
    {
        string text => text,
        Enum name => name.ToString(),
        Guid guid => guid.ToByteArray(bigEndian: true),
        DateOnly date => (long)(date.DayNumber - CellWriter.EpochDay),
        _ => Convert.ToInt64(part, System.Globalization.CultureInfo.InvariantCulture),
    };
}
