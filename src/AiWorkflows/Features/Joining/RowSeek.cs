using System.Runtime.CompilerServices;

namespace AiWorkflows.Features;

/// <summary>Finds the latest row of one entity: the second plan of the join, for single look-ups.</summary>
internal static class RowSeek<TRow> where TRow : class
{
    /// <param name="isKnown">Whether a version with this event time, published then (both microseconds), counts.</param>
    /// <param name="perVersion">Whether a version that does not count gives way to an earlier one of the same row.</param>
    public static FeedRow<TRow>? Latest(
        IFeatureStore store, VisibleCommits commits, IReadOnlySet<string>? properties, IReadOnlyList<object> keys, Window window, Func<long, long, bool> isKnown, bool perVersion)
    {
        var columns = GroupResolver<TRow>.ColumnsFor(properties);
        using var cursor = store.Seek(RowCodec<TRow>.Instance.Schema, columns, keys, window);
        var materialize = RowCodec<TRow>.Instance.Materializer(columns);
        FeedRow<TRow>? best = null;
        var bestSequence = 0L;
        while (cursor.Read())
        {
            var (commit, time) = (cursor.CommitId, cursor.Integer(0));
            var sequence = commits.Sequence(commit);
            if (sequence == 0 || (perVersion && !isKnown(time, commits.PublishedAt(commit))) || (!perVersion && !isKnown(time, long.MinValue)))
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

/// <summary>Typed join keys as the canonical values that a store seeks by.</summary>
internal static class CanonicalKey
{
    public static IReadOnlyList<object> Of<TKey>(GroupSchema group, TKey key) where TKey : notnull =>
        group.Keys.Count == 1 ? [Value(key)] : [.. Enumerable.Range(0, group.Keys.Count).Select(i => Value(((ITuple)key)[i]!))];

    private static object Value(object part) => part switch
    {
        string text => text,
        Enum name => name.ToString(),
        Guid guid => guid.ToByteArray(bigEndian: true),
        DateOnly date => (long)(date.DayNumber - CellWriter.EpochDay),
        _ => Convert.ToInt64(part, System.Globalization.CultureInfo.InvariantCulture),
    };
}
