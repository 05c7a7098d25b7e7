namespace AiWorkflows.Storage.Retention;

/// <summary>A version of a row as it lies in the table of its group.</summary>
internal readonly record struct StoredVersion(long CommitId, bool IsDeleted, long Bytes);

/// <summary>All versions of one (event time, keys).</summary>
/// <param name="Key">Event time and keys as the database gives them.</param>
internal sealed record VersionedRow(DateTime Time, object[] Key, IReadOnlyList<StoredVersion> Versions);

/// <param name="ReplacedSeq">From this sequence on the version cannot be seen.</param>
/// <param name="Breaks">Datasets that had read it and hold it no longer.</param>
internal sealed record ExpiredVersion(object[] Key, long CommitId, long Bytes, long ReplacedSeq, IReadOnlyList<long> Breaks);

/// <summary>Decides row by row, in the order of event time, which versions go.</summary>
internal sealed class ExpiredVersionFinder(IReadOnlyDictionary<long, CommitSpan> commits, Utc before, ActivePins pins)
{
    private readonly record struct Published(StoredVersion Version, CommitSpan Commit);

    /// <summary>Adds what goes; returns how many versions are old enough but needed.</summary>
    public long Find(VersionedRow row, List<ExpiredVersion> expired)
    {
        var published = row.Versions.Where(v => commits.ContainsKey(v.CommitId)).Select(v => new Published(v, commits[v.CommitId])).OrderBy(p => p.Commit.PublishedSeq).ToArray();
        if (published.Length == 0 || (published.Length == 1 && !published[0].Version.IsDeleted))
            return 0;
        pins.MoveTo(row.Time);
        var (held, isBottom) = (0L, true);
        for (var i = 0; i < published.Length; i++)
        {
            var (version, commit) = published[i];
            var next = i + 1 < published.Length ? published[i + 1].Commit : null;
            var isOld = next is not null && next.PublishedAt < before && next.PublishedSeq > commit.PublishedSeq;
            if (isOld && !pins.Holds(commit.PublishedSeq, next!.PublishedSeq))
                expired.Add(new(row.Key, version.CommitId, version.Bytes, next.PublishedSeq, [.. pins.Breaks(commit.PublishedSeq, next.PublishedSeq)]));
            // A tombstone with nothing below it says what its absence says, at every sequence.
            else if (isBottom && version.IsDeleted && commit.PublishedAt < before && !pins.ReadsAll(commit.PublishedSeq))
                expired.Add(new(row.Key, version.CommitId, version.Bytes, commit.PublishedSeq, []));
            else
            {
                isBottom = false;
                held += isOld ? 1 : 0;
            }
        }
        return held;
    }
}
