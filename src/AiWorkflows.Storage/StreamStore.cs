using AiWorkflows.Features;
using AiWorkflows.Storage.Retention;
using AiWorkflows.Streaming;
using AiWorkflows.Workflows;

namespace AiWorkflows.Storage;

/// <summary>What the streams of both engines share. How many rows go in at once differs, so that is left to each.</summary>
internal abstract partial class StreamStore(StoreDatabase database) : IStreamStore
{
    /// <summary>The claim of a worker, and the fence of everything that it does.</summary>
    private const string StillMine = "stream = @Stream AND partition_no = @Partition AND owner = @Owner AND epoch = @Epoch";

    private const string SourceStillMine = "stream = @Stream AND source_no = @Source AND owner = @Owner AND epoch = @Epoch";

    public Task RegisterAsync(IReadOnlyList<StreamDefinition> streams, bool onlyHost, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        if (onlyHost)
        {
            await tx.ExecuteAsync("UPDATE {workflows.stream_partitions} SET owner = NULL, host = NULL, lease_until = NULL WHERE owner IS NOT NULL");
            await tx.ExecuteAsync("UPDATE {workflows.stream_sources} SET owner = NULL, host = NULL, lease_until = NULL WHERE owner IS NOT NULL");
            await tx.ExecuteAsync("DELETE FROM {workflows.stream_workers}");
        }
        foreach (var stream in streams)
        {
            var known = (await tx.ReadAsync<HeadRow>("SELECT partition_no, head_offset FROM {workflows.stream_heads} WHERE stream = @Name", new { stream.Name })).ToDictionary(h => h.PartitionNo, h => h.HeadOffset);
            if (known.Count > 0 && known.Count != stream.Partitions && known.Values.Any(head => head > 0))
                throw new InvalidRequestException(
                    $"Stream '{stream.Name}' has events in {known.Count} partition{(known.Count == 1 ? "" : "s")}, but is defined with {stream.Partitions}; keys would move to other partitions than their events, so set it back, or give the stream another name.");
            foreach (var partition in known.Keys.Where(p => p >= stream.Partitions))
            {
                await tx.ExecuteAsync("DELETE FROM {workflows.stream_heads} WHERE stream = @Name AND partition_no = @Partition", new { stream.Name, Partition = partition });
                await tx.ExecuteAsync("DELETE FROM {workflows.stream_partitions} WHERE stream = @Name AND partition_no = @Partition", new { stream.Name, Partition = partition });
            }
            for (var partition = 0; partition < stream.Partitions; partition++)
                if (!known.ContainsKey(partition))
                {
                    await tx.ExecuteAsync("INSERT INTO {workflows.stream_heads} (stream, partition_no) VALUES (@Name, @Partition)", new { stream.Name, Partition = partition });
                    await tx.ExecuteAsync("INSERT INTO {workflows.stream_partitions} (stream, partition_no, updated_at) VALUES (@Name, @Partition, {now})", new { stream.Name, Partition = partition });
                }
        }
    }, ct);

    public Task<StreamBeat> BeatAsync(string owner, string host, TimeSpan ttl, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var me = new { Owner = owner, Host = host, Ttl = Timestamps.ToMicros(ttl) };
        if (await tx.ExecuteAsync("UPDATE {workflows.stream_workers} SET lease_until = {in:@Ttl} WHERE owner = @Owner", me) == 0)
            await tx.ExecuteAsync("INSERT INTO {workflows.stream_workers} (owner, host, lease_until) VALUES (@Owner, @Host, {in:@Ttl})", me);
        await tx.ExecuteAsync("UPDATE {workflows.stream_partitions} SET lease_until = {in:@Ttl} WHERE owner = @Owner", me);
        await tx.ExecuteAsync("UPDATE {workflows.stream_sources} SET lease_until = {in:@Ttl} WHERE owner = @Owner", me);
        var workers = await tx.ReadAsync<string>("SELECT owner FROM {workflows.stream_workers} WHERE lease_until > {now} ORDER BY owner");
        var claims = (await tx.ReadAsync<ClaimRow>("""
            SELECT stream, partition_no AS part, epoch, 0 AS is_source FROM {workflows.stream_partitions} WHERE owner = @Owner
            UNION ALL SELECT stream, source_no, epoch, 1 FROM {workflows.stream_sources} WHERE owner = @Owner
            """, me)).ToLookup(c => c.IsSource == 1, c => (c.Stream, c.Part, c.Epoch));
        return new StreamBeat([.. workers.Order(StringComparer.Ordinal)], claims[false].ToHashSet(), claims[true].ToHashSet());
    }, ct, durable: false);

    public Task<StreamClaim?> ClaimAsync(string stream, int partition, string owner, string host, TimeSpan ttl, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var key = new { Stream = stream, Partition = partition, Owner = owner, Host = host, Ttl = Timestamps.ToMicros(ttl) };
        if (await tx.ExecuteAsync("""
            UPDATE {workflows.stream_partitions} SET owner = @Owner, host = @Host, epoch = epoch + 1, lease_until = {in:@Ttl}, updated_at = {now}
            WHERE stream = @Stream AND partition_no = @Partition AND (owner IS NULL OR lease_until < {now})
            """, key) == 0)
            return null;
        var row = await tx.FirstAsync<ClaimRow>(
            "SELECT stream, partition_no AS part, epoch, committed_offset, max_event_time FROM {workflows.stream_partitions} WHERE stream = @Stream AND partition_no = @Partition", key);
        return new StreamClaim(stream, partition, owner, row!.Epoch, row.CommittedOffset, row.MaxEventTime?.Value);
    }, ct);

    public Task<SourceClaim?> ClaimSourceAsync(string stream, int source, string owner, string host, TimeSpan ttl, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var key = new { Stream = stream, Source = source, Owner = owner, Host = host, Ttl = Timestamps.ToMicros(ttl) };
        if (await tx.ScalarAsync<long>("SELECT COUNT(*) FROM {workflows.stream_sources} WHERE stream = @Stream AND source_no = @Source", key) == 0)
            await tx.ExecuteAsync("INSERT INTO {workflows.stream_sources} (stream, source_no, updated_at) VALUES (@Stream, @Source, {now})", key);
        if (await tx.ExecuteAsync("""
            UPDATE {workflows.stream_sources} SET owner = @Owner, host = @Host, epoch = epoch + 1, lease_until = {in:@Ttl}, updated_at = {now}
            WHERE stream = @Stream AND source_no = @Source AND (owner IS NULL OR lease_until < {now})
            """, key) == 0)
            return null;
        var row = await tx.FirstAsync<SourceRow>("SELECT epoch, source_offset FROM {workflows.stream_sources} WHERE stream = @Stream AND source_no = @Source", key);
        return new SourceClaim(stream, source, owner, row!.Epoch, row.SourceOffset);
    }, ct);

    public Task ReleaseAsync(StreamClaim claim, CancellationToken ct) => database.WriteAsync(
        tx => tx.ExecuteAsync($$"""UPDATE {workflows.stream_partitions} SET owner = NULL, host = NULL, lease_until = NULL, updated_at = {now} WHERE {{StillMine}}""", Key(claim)), ct);

    public Task ReleaseSourceAsync(SourceClaim claim, CancellationToken ct) => database.WriteAsync(
        tx => tx.ExecuteAsync($$"""UPDATE {workflows.stream_sources} SET owner = NULL, host = NULL, lease_until = NULL, updated_at = {now} WHERE {{SourceStillMine}}""", Key(claim)), ct);

    public Task GoneAsync(string owner, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var me = new { Owner = owner };
        await tx.ExecuteAsync("UPDATE {workflows.stream_partitions} SET owner = NULL, host = NULL, lease_until = NULL, updated_at = {now} WHERE owner = @Owner", me);
        await tx.ExecuteAsync("UPDATE {workflows.stream_sources} SET owner = NULL, host = NULL, lease_until = NULL, updated_at = {now} WHERE owner = @Owner", me);
        await tx.ExecuteAsync("DELETE FROM {workflows.stream_workers} WHERE owner = @Owner", me);
    }, ct);

    public Task FailAsync(StreamClaim claim, string error, CancellationToken ct) => database.WriteAsync(
        tx => tx.ExecuteAsync($$"""UPDATE {workflows.stream_partitions} SET error = @Error, updated_at = {now} WHERE {{StillMine}}""",
            new { claim.Stream, claim.Partition, claim.Owner, claim.Epoch, Error = error }), ct, durable: false);

    public Task FailSourceAsync(SourceClaim claim, string? error, CancellationToken ct) => database.WriteAsync(
        tx => tx.ExecuteAsync($$"""UPDATE {workflows.stream_sources} SET error = @Error, updated_at = {now} WHERE {{SourceStillMine}}""",
            new { claim.Stream, claim.Source, claim.Owner, claim.Epoch, Error = error }), ct, durable: false);

    public async Task<IReadOnlyList<TakenEvent>> ReadAsync(string stream, int partition, long after, int limit, CancellationToken ct) =>
        [.. (await database.ReadAsync<EventRow>("""
            SELECT event_offset, received_at, payload FROM {workflows.stream_events}
            WHERE stream = @Stream AND partition_no = @Partition AND event_offset > @After ORDER BY event_offset {limit:@Limit}
            """, new { Stream = stream, Partition = partition, After = after, Limit = limit }, ct)).Select(r => new TakenEvent(r.EventOffset, r.Payload, r.ReceivedAt))];

    public async Task<IReadOnlyList<(string Stream, int Partition, long Head)>> HeadsAsync(CancellationToken ct) =>
        [.. (await database.ReadAsync<HeadRow>("SELECT stream, partition_no, head_offset FROM {workflows.stream_heads}", null, ct)).Select(h => (h.Stream, h.PartitionNo, h.HeadOffset))];

    public async Task<IReadOnlyList<PartitionState>> PartitionsAsync(CancellationToken ct) => [.. (await database.ReadAsync<PartitionRow>("""
        SELECT p.stream, p.partition_no, h.head_offset, p.committed_offset, p.max_event_time, p.owner, p.host, p.events, p.late_events, p.duplicate_events, p.refused_events, p.error, p.updated_at,
            CASE WHEN p.owner IS NOT NULL AND p.lease_until > {now} THEN 1 ELSE 0 END AS is_held, e.received_at AS waiting_since, {now} AS now_at
        FROM {workflows.stream_partitions} p
        JOIN {workflows.stream_heads} h ON h.stream = p.stream AND h.partition_no = p.partition_no
        LEFT JOIN {workflows.stream_events} e ON e.stream = p.stream AND e.partition_no = p.partition_no AND e.event_offset = p.committed_offset + 1
        ORDER BY p.stream, p.partition_no
        """, null, ct)).Select(r => r.ToState())];

    public async Task<IReadOnlyList<SourceState>> SourcesAsync(CancellationToken ct) => [.. (await database.ReadAsync<SourceRow>("""
        SELECT stream, source_no, source_offset, owner, host, error, CASE WHEN owner IS NOT NULL AND lease_until > {now} THEN 1 ELSE 0 END AS is_held
        FROM {workflows.stream_sources} ORDER BY stream, source_no
        """, null, ct)).Select(r => new SourceState(r.Stream, r.SourceNo, r.SourceOffset, r.Owner, r.Host, r.IsHeld == 1, r.Error))];

    public async Task<IReadOnlyList<StreamMinute>> MinutesAsync(string stream, TimeSpan since, CancellationToken ct) => [.. (await database.ReadAsync<MinuteRow>("""
        SELECT stream, minute_at, SUM(events) AS events, SUM(late_events) AS late_events, SUM(duplicate_events) AS duplicate_events, SUM(written_rows) AS written_rows, SUM(batches) AS batches, MAX(lag_ms) AS lag_ms
        FROM {workflows.stream_minutes} WHERE stream = @Stream AND minute_at > {ago:@Since} GROUP BY stream, minute_at ORDER BY minute_at
        """, new { Stream = stream, Since = Timestamps.ToMicros(since) }, ct))
        .Select(r => new StreamMinute(r.Stream, r.MinuteAt, r.Events, r.LateEvents, r.DuplicateEvents, r.WrittenRows, r.Batches, TimeSpan.FromMilliseconds(r.LagMs)))];

    public async Task<long> CollectAsync(TimeSpan keep, CancellationToken ct)
    {
        const int chunk = 5_000;
        var deleted = 0L;
        foreach (var partition in await PartitionsAsync(ct))
            while (!ct.IsCancellationRequested)
            {
                var key = new { partition.Stream, partition.Partition, Keep = Timestamps.ToMicros(keep), Chunk = chunk };
                var done = await database.WriteAsync(async tx =>
                {
                    if (await tx.ScalarAsync<long?>("SELECT MIN(event_offset) FROM {workflows.stream_events} WHERE stream = @Stream AND partition_no = @Partition", key) is not { } first)
                        return 0;
                    var until = Math.Min(first + chunk - 1, partition.Committed);
                    return await tx.ExecuteAsync("""
                        DELETE FROM {workflows.stream_events} WHERE stream = @Stream AND partition_no = @Partition AND event_offset <= @Until AND received_at < {ago:@Keep}
                        """, new { key.Stream, key.Partition, key.Keep, Until = until });
                }, ct, durable: false);
                deleted += done;
                if (done < chunk)
                    break;
            }
        await database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync("DELETE FROM {workflows.stream_requests} WHERE received_at < {ago:@Keep}", new { Keep = Timestamps.ToMicros(keep) });
            await tx.ExecuteAsync("DELETE FROM {workflows.stream_minutes} WHERE minute_at < {ago:86400000000}");
            await tx.ExecuteAsync("DELETE FROM {workflows.stream_workers} WHERE lease_until < {ago:60000000}");
        }, ct, durable: false);
        return deleted;
    }

    public Task<long> CompactAsync(IReadOnlyList<ViewReads> views, TimeSpan age, CancellationToken ct) => new StreamCompaction(database).RunAsync(views, age, ct);

    private static object Key(StreamClaim claim) => new { claim.Stream, claim.Partition, claim.Owner, claim.Epoch };

    private static object Key(SourceClaim claim) => new { claim.Stream, claim.Source, claim.Owner, claim.Epoch };

    private sealed class HeadRow
    {
        public string Stream { get; set; } = "";

        public int PartitionNo { get; set; }

        public long HeadOffset { get; set; }
    }

    private sealed class ClaimRow
    {
        public string Stream { get; set; } = "";

        public int Part { get; set; }

        public int IsSource { get; set; }

        public long Epoch { get; set; }

        public long CommittedOffset { get; set; }

        public Utc? MaxEventTime { get; set; }
    }

    private sealed class EventRow
    {
        public long EventOffset { get; set; }

        public Utc ReceivedAt { get; set; }

        public string Payload { get; set; } = "";
    }

    private sealed class SourceRow
    {
        public string Stream { get; set; } = "";

        public int SourceNo { get; set; }

        public long Epoch { get; set; }

        public string? SourceOffset { get; set; }

        public string? Owner { get; set; }

        public string? Host { get; set; }

        public string? Error { get; set; }

        public long IsHeld { get; set; }
    }

    private sealed class PartitionRow
    {
        public string Stream { get; set; } = "";

        public int PartitionNo { get; set; }

        public long HeadOffset { get; set; }

        public long CommittedOffset { get; set; }

        public Utc? MaxEventTime { get; set; }

        public string? Owner { get; set; }

        public string? Host { get; set; }

        public long Events { get; set; }

        public long LateEvents { get; set; }

        public long DuplicateEvents { get; set; }

        public long RefusedEvents { get; set; }

        public string? Error { get; set; }

        public Utc UpdatedAt { get; set; }

        public long IsHeld { get; set; }

        public Utc? WaitingSince { get; set; }

        public Utc NowAt { get; set; }

        public PartitionState ToState() => new(
            Stream, PartitionNo, HeadOffset, CommittedOffset, MaxEventTime?.Value, Owner, Host, IsHeld == 1, WaitingSince is { } since ? NowAt.Value - since.Value : null,
            new(Events, LateEvents, DuplicateEvents, RefusedEvents), Error, UpdatedAt);
    }

    private sealed class MinuteRow
    {
        public string Stream { get; set; } = "";

        public Utc MinuteAt { get; set; }

        public long Events { get; set; }

        public long LateEvents { get; set; }

        public long DuplicateEvents { get; set; }

        public long WrittenRows { get; set; }

        public long Batches { get; set; }

        public long LagMs { get; set; }
    }
}
