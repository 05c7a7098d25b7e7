namespace AiWorkflows.Features;

/// <summary>Tells of a row's commit whether a read may see it, and when it was published.</summary>
internal interface ICommitOrder
{
    /// <summary>The sequence under which the commit was published, or 0 where the read must not see it.</summary>
    long Sequence(long commitId);

    /// <summary>When a commit that the read sees was published, microseconds since 1970.</summary>
    long PublishedAt(long commitId);
}

/// <summary>From commit id to published sequence, for the commits that a read may see. An array, because it is asked once a row.</summary>
internal sealed class VisibleCommits : ICommitOrder
{
    private const int LargestArray = 1 << 22;

    private readonly long _first;
    private readonly long[] _sequences = [];
    private readonly Dictionary<long, long>? _sparse;
    private readonly Dictionary<long, long> _publishedAt;

    public VisibleCommits(IReadOnlyList<PublishedCommit> commits)
    {
        Count = commits.Count;
        _publishedAt = commits.ToDictionary(c => c.CommitId, c => Timestamps.ToMicros(c.PublishedAt));
        if (commits.Count == 0)
            return;
        _first = commits.Min(c => c.CommitId);
        var range = commits.Max(c => c.CommitId) - _first + 1;
        if (range > LargestArray)
        {
            _sparse = commits.ToDictionary(c => c.CommitId, c => c.PublishedSeq);
            return;
        }
        _sequences = new long[range];
        foreach (var commit in commits)
            _sequences[commit.CommitId - _first] = commit.PublishedSeq;
    }

    public int Count { get; }

    public long Sequence(long commitId)
    {
        var index = (ulong)(commitId - _first);
        if (index < (ulong)_sequences.Length)
            return _sequences[index];
        return _sparse is not null && _sparse.TryGetValue(commitId, out var sequence) ? sequence : 0;
    }

    public long PublishedAt(long commitId) => _publishedAt[commitId];
}
