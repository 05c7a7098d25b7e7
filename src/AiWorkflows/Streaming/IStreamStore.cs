namespace AiWorkflows.Streaming;

/// <summary>A worker's claim on a partition.</summary>
/// <param name="Epoch">Counts the claims; who has an older one publishes nothing.</param>
/// <param name="Committed">Offset of the last event whose rows are published.</param>
/// <param name="Latest">The latest event time of the partition.</param>
internal sealed record StreamClaim(string Stream, int Partition, string Owner, long Epoch, long Committed, DateTime? Latest);

/// <summary>A worker's claim on a part of a source.</summary>
/// <param name="Offset">Where the source was read up to, as it names it; null for its beginning.</param>
internal sealed record SourceClaim(string Stream, int Source, string Owner, long Epoch, string? Offset);

/// <summary>An event as it was taken in.</summary>
/// <param name="Payload">JSON by column name.</param>
internal readonly record struct TakenEvent(long Offset, string Payload, DateTime ReceivedAt);

/// <summary>Events of one request, to be taken in together or not at all.</summary>
/// <param name="Key">Names the request, so that it brings nothing when it comes again; null where it has no name.</param>
/// <param name="Events">Partition and JSON of each.</param>
/// <param name="Source">Not null: they come from a source, which has been read up to an offset with them.</param>
internal sealed record StreamAppend(string Stream, string? Key, IReadOnlyList<(int Partition, string Json)> Events, SourceClaim? Source = null);

/// <summary>A micro-batch on its way into the store.</summary>
/// <param name="Committed">Offset of its last event.</param>
/// <param name="Seen">The sequence up to which the state of the partition knows what others have published.</param>
/// <param name="DependsOn">The earliest event time that this state depends on.</param>
/// <param name="Oldest">When the first of its events was taken in.</param>
internal sealed record StreamPublication(
    StreamClaim Claim, StreamDefinition Stream, long Committed, StreamBatch Batch, long Seen, DateTime DependsOn, DateTime? Oldest, TimeSpan Ttl, string CodeVersion);

/// <summary>What became of it.</summary>
/// <param name="Seq">The sequence that it was published under; 0 where it showed nothing.</param>
/// <param name="OthersWrote">Somebody else has changed events that the state depends on.</param>
internal readonly record struct StreamPublished(long Seq, bool OthersWrote);

/// <summary>A partition as the store knows it.</summary>
/// <param name="Head">Offset of the last event that was taken in.</param>
/// <param name="Committed">Offset of the last event whose rows are published.</param>
/// <param name="Waiting">How long the first event that is not published has waited; null where none waits.</param>
/// <param name="IsHeld">Whether a worker has it.</param>
internal sealed record PartitionState(
    string Stream, int Partition, long Head, long Committed, DateTime? Latest, string? Owner, string? Host, bool IsHeld, TimeSpan? Waiting,
    StreamCounts Counts, string? Error, DateTime UpdatedAt);

/// <summary>A part of a source as the store knows it.</summary>
internal sealed record SourceState(string Stream, int Source, string? Offset, string? Owner, string? Host, bool IsHeld, string? Error);

/// <summary>What happened in one minute, in all partitions of a stream.</summary>
internal sealed record StreamMinute(string Stream, DateTime Minute, long Events, long Late, long Duplicates, long Rows, long Batches, TimeSpan Lag);

/// <summary>Streams in a database: the log of events, who works on what, and the publication of micro-batches.</summary>
internal interface IStreamStore
{
    /// <summary>Makes the partitions of a stream known.</summary>
    /// <param name="onlyHost">Nobody else can be alive: what others had claimed is free.</param>
    /// <exception cref="InvalidRequestException">The stream has events in another number of partitions.</exception>
    Task RegisterAsync(IReadOnlyList<StreamDefinition> streams, bool onlyHost, CancellationToken ct);

    /// <summary>Prolongs all that the worker has; returns those of its claims that are still its own, and the workers that are alive, by name.</summary>
    Task<StreamBeat> BeatAsync(string owner, string host, TimeSpan ttl, CancellationToken ct);

    /// <summary>Claims a partition that nobody has; null where somebody has it.</summary>
    Task<StreamClaim?> ClaimAsync(string stream, int partition, string owner, string host, TimeSpan ttl, CancellationToken ct);

    /// <summary>Claims a part of a source that nobody has.</summary>
    Task<SourceClaim?> ClaimSourceAsync(string stream, int source, string owner, string host, TimeSpan ttl, CancellationToken ct);

    /// <summary>Gives a partition back, so that another takes it at once.</summary>
    Task ReleaseAsync(StreamClaim claim, CancellationToken ct);

    Task ReleaseSourceAsync(SourceClaim claim, CancellationToken ct);

    /// <summary>Gives back everything that the worker has.</summary>
    Task GoneAsync(string owner, CancellationToken ct);

    /// <summary>Writes down why a partition does not go on.</summary>
    Task FailAsync(StreamClaim claim, string error, CancellationToken ct);

    Task FailSourceAsync(SourceClaim claim, string? error, CancellationToken ct);

    /// <summary>Takes events in, durably; of each request, whether it was new.</summary>
    /// <exception cref="FencedException">The claim on a source is lost.</exception>
    Task<IReadOnlyList<bool>> AppendAsync(IReadOnlyList<StreamAppend> requests, CancellationToken ct);

    /// <summary>The next events of a partition, in their order.</summary>
    Task<IReadOnlyList<TakenEvent>> ReadAsync(string stream, int partition, long after, int limit, CancellationToken ct);

    /// <summary>Publishes events, rows and offset in one transaction.</summary>
    /// <exception cref="FencedException">The claim is lost; nothing was published.</exception>
    Task<StreamPublished> PublishAsync(StreamPublication publication, CancellationToken ct);

    /// <summary>Offset of the last event that was taken in, of each partition.</summary>
    Task<IReadOnlyList<(string Stream, int Partition, long Head)>> HeadsAsync(CancellationToken ct);

    Task<IReadOnlyList<PartitionState>> PartitionsAsync(CancellationToken ct);

    Task<IReadOnlyList<SourceState>> SourcesAsync(CancellationToken ct);

    /// <summary>What happened in the last day.</summary>
    Task<IReadOnlyList<StreamMinute>> MinutesAsync(string stream, TimeSpan since, CancellationToken ct);

    /// <summary>Deletes published events, names of requests and counts that are older than so long; returns how many events.</summary>
    Task<long> CollectAsync(TimeSpan keep, CancellationToken ct);

    /// <summary>Merges small commits that were published longer ago than <paramref name="age"/>, without changing any read that somebody may repeat; returns how many have gone.</summary>
    Task<long> CompactAsync(IReadOnlyList<Workflows.ViewReads> views, TimeSpan age, CancellationToken ct);
}

/// <summary>What a worker learns when it says that it is alive.</summary>
/// <param name="Workers">All that are alive, in the order of their names.</param>
/// <param name="Claims">Its own: stream, partition and epoch.</param>
/// <param name="Sources">Its own: stream, part and epoch.</param>
internal sealed record StreamBeat(
    IReadOnlyList<string> Workers, IReadOnlySet<(string Stream, int Partition, long Epoch)> Claims, IReadOnlySet<(string Stream, int Source, long Epoch)> Sources);
