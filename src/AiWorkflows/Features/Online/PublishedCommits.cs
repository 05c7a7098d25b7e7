using System.Collections.Concurrent;

namespace AiWorkflows.Features;

/// <summary>
/// When each commit of the store was published, for look-ups that cannot ask the database about every row. Only grows: what is published stays so, and a read as of a
/// sequence ignores later ones, so nothing in it can be stale. Two numbers a commit.
/// </summary>
internal sealed class PublishedCommits
{
    private const int ChunkBits = 10;

    private readonly ConcurrentDictionary<long, Chunk> _chunks = [];

    /// <summary>Sequence under which a commit was published; 0 for one that is not known as published.</summary>
    public long Sequence(long commitId) => _chunks.TryGetValue(commitId >> ChunkBits, out var chunk) ? Volatile.Read(ref chunk.Sequences[commitId & Chunk.Mask]) : 0;

    /// <summary>Microseconds since 1970.</summary>
    public long PublishedAt(long commitId) => _chunks[commitId >> ChunkBits].Times[commitId & Chunk.Mask];

    public void Add(in PublishedCommit commit)
    {
        var chunk = _chunks.GetOrAdd(commit.CommitId >> ChunkBits, static _ => new Chunk());
        var index = commit.CommitId & Chunk.Mask;
        chunk.Times[index] = Timestamps.ToMicros(commit.PublishedAt);
        // Last, so that who sees the sequence sees the time.
        Volatile.Write(ref chunk.Sequences[index], commit.PublishedSeq);
    }

    private sealed class Chunk
    {
        public const long Mask = (1 << ChunkBits) - 1;

        public readonly long[] Sequences = new long[1 << ChunkBits];

        public readonly long[] Times = new long[1 << ChunkBits];
    }
}
