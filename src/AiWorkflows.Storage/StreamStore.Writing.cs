using AiWorkflows.Features;
using AiWorkflows.Streaming;

namespace AiWorkflows.Storage;

internal abstract partial class StreamStore
{
    /// <summary>An event with its place.</summary>
    protected readonly record struct PlacedEvent(string Stream, int Partition, long Offset, DateTime ReceivedAt, string Payload);

    /// <summary>Inserts events as part of a transaction.</summary>
    protected abstract Task InsertEventsAsync(WriteTransaction tx, IReadOnlyList<PlacedEvent> events, CancellationToken ct);

    /// <summary>Inserts the rows of a commit as part of a transaction.</summary>
    protected abstract Task InsertRowsAsync(WriteTransaction tx, GroupSchema group, long commitId, IRowBatch rows, CancellationToken ct);

    public async Task<IReadOnlyList<bool>> AppendAsync(IReadOnlyList<StreamAppend> requests, CancellationToken ct)
    {
        try
        {
            return await TryAppendAsync(requests, ct);
        }
        catch (CommitUnknownException) when (requests.All(r => r.Key is not null))
        {
            // All of it was committed or nothing; the names of the requests tell.
            await TryAppendAsync(requests, ct);
            return [.. requests.Select(_ => true)];
        }
    }

    private Task<IReadOnlyList<bool>> TryAppendAsync(IReadOnlyList<StreamAppend> requests, CancellationToken ct) => database.WriteAsync<IReadOnlyList<bool>>(async tx =>
    {
        var isNew = new bool[requests.Count];
        var known = new HashSet<(string, string)>();
        for (var i = 0; i < requests.Count; i++)
        {
            var request = requests[i];
            if (request.Source is { } source && await tx.ExecuteAsync(
                $$"""UPDATE {workflows.stream_sources} SET source_offset = @Offset, error = NULL, updated_at = {now} WHERE {{SourceStillMine}}""",
                new { source.Stream, Source = source.Source, source.Owner, source.Epoch, source.Offset }) != 1)
                throw new FencedException($"Part {source.Source} of the source of stream '{source.Stream}' is read by another host; this one takes nothing more in.");
            isNew[i] = request.Key is not { } key || (known.Add((request.Stream, key)) && await NameAsync(tx, request.Stream, key, request.Events.Count));
        }
        var taken = requests.Where((_, i) => isNew[i]).SelectMany(r => r.Events.Select(e => (r.Stream, e.Partition, e.Json))).GroupBy(e => (e.Stream, e.Partition))
            .OrderBy(g => g.Key.Stream, StringComparer.Ordinal).ThenBy(g => g.Key.Partition);
        DateTime now = await tx.ScalarAsync<Utc>("SELECT {now}");
        var placed = new List<PlacedEvent>();
        // Always in the same order, so that two never wait for each other.
        foreach (var events in taken)
        {
            var head = new { events.Key.Stream, events.Key.Partition, Count = events.Count() };
            if (await tx.ExecuteAsync("UPDATE {workflows.stream_heads} SET head_offset = head_offset + @Count WHERE stream = @Stream AND partition_no = @Partition", head) != 1)
                throw new InvalidRequestException($"Stream '{head.Stream}' has no partition {head.Partition} in this store; a serving host that defines it makes it.");
            var last = await tx.ScalarAsync<long>("SELECT head_offset FROM {workflows.stream_heads} WHERE stream = @Stream AND partition_no = @Partition", head);
            placed.AddRange(events.Select((e, i) => new PlacedEvent(e.Stream, e.Partition, last - head.Count + 1 + i, now, e.Json)));
        }
        if (placed.Count > 0)
            await InsertEventsAsync(tx, placed, ct);
        return isNew;
    }, ct);

    private static async Task<bool> NameAsync(WriteTransaction tx, string stream, string key, int events)
    {
        var name = new { Stream = stream, Key = key, Events = events };
        if (await tx.ScalarAsync<long>("SELECT COUNT(*) FROM {workflows.stream_requests} WHERE stream = @Stream AND idempotency_key = @Key", name) > 0)
            return false;
        await tx.ExecuteAsync("INSERT INTO {workflows.stream_requests} (stream, idempotency_key, events, received_at) VALUES (@Stream, @Key, @Events, {now})", name);
        return true;
    }

    public Task<StreamPublished> PublishAsync(StreamPublication publication, CancellationToken ct) => database.WriteAsync(async tx =>
    {
        var (claim, batch) = (publication.Claim, publication.Batch);
        // The fence is an update whose rows are counted, and comes first: whoever has lost the claim writes nothing.
        if (await tx.ExecuteAsync($$"""
            UPDATE {workflows.stream_partitions} SET committed_offset = @Committed, max_event_time = @Latest, events = events + @Events, late_events = late_events + @Late,
                duplicate_events = duplicate_events + @Duplicates, refused_events = refused_events + @Refused, lease_until = {in:@Ttl}, error = NULL, updated_at = {now}
            WHERE {{StillMine}} AND committed_offset <= @Committed
            """, new
        {
            claim.Stream, claim.Partition, claim.Owner, claim.Epoch, publication.Committed, Latest = Utc.From(batch.Latest),
            batch.Counts.Events, batch.Counts.Late, batch.Counts.Duplicates, batch.Counts.Refused, Ttl = Timestamps.ToMicros(publication.Ttl),
        }) != 1)
            throw new FencedException($"Partition {claim.Partition} of stream '{claim.Stream}' has been claimed by another host; this one publishes nothing more of it.");

        var commits = new List<long>();
        foreach (var changes in batch.Changes)
        {
            var commit = await OpenAsync(tx, publication, changes);
            commits.Add(commit);
            if (changes.Rows.Count > 0)
                await InsertRowsAsync(tx, changes.Group, commit, changes.Rows, ct);
            if (changes.Quarantine.Count > 0)
                await tx.ExecuteAsync("INSERT INTO {feature_store.quarantine} (commit_id, row_json, rule_name, reason, quarantined_at) VALUES (@CommitId, @RowJson, @Rule, @Reason, {now})",
                    changes.Quarantine.Select(q => new { CommitId = commit, q.RowJson, q.Rule, q.Reason }).ToArray());
            for (var day = changes.Min?.Date; day <= changes.Max; day = day.Value.AddDays(1))
                await tx.ExecuteAsync("INSERT INTO {feature_store.commit_buckets} (commit_id, bucket) VALUES (@CommitId, @Bucket)", new { CommitId = commit, Bucket = (Utc)day.Value });
        }
        await CountAsync(tx, publication);
        if (commits.Count == 0)
            return default;

        // Last, because everybody who publishes waits here.
        await tx.ExecuteAsync($$"""UPDATE {{PublicationClock.Next}}""");
        var clock = await tx.FirstAsync<ClockRow>("SELECT seq, published_at FROM {feature_store.publication_clock} WHERE clock_id = 1");
        await tx.ExecuteAsync("UPDATE {feature_store.commits} SET state = 'published', published_seq = @Seq, published_at = @PublishedAt WHERE commit_id = @CommitId",
            commits.Select(c => new { CommitId = c, clock!.Seq, clock.PublishedAt }).ToArray());
        // What streams publish belongs to no run.
        var others = await tx.ScalarAsync<long>("""
            SELECT COUNT(*) FROM {feature_store.commits}
            WHERE feature_group = @Name AND version = @Version AND published_seq > @Seen AND state = 'published' AND run_id IS NOT NULL AND window_to > @DependsOn AND rows + tombstones > 0
            """, new { publication.Stream.Events.Name, publication.Stream.Events.Version, publication.Seen, DependsOn = (Utc)publication.DependsOn });
        return new StreamPublished(clock!.Seq, others > 0);
    }, ct);

    private static async Task<long> OpenAsync(WriteTransaction tx, StreamPublication publication, StreamChanges changes)
    {
        var window = changes.WindowAt(publication.Batch.Latest);
        return await tx.ScalarAsync<long>("""
            INSERT INTO {feature_store.commits} (feature_group, version, kind, window_from, window_to, base_seq, stage, state, created_at, rows, tombstones, new_rows,
                rows_computed, rows_quarantined, min_event_time, max_event_time, code_version)
            {inserted:commit_id}
            VALUES (@Group, @Version, 'patch', @From, @To, @Seen, @Stream, 'writing', {now}, @Rows, @Tombstones, @Added, @Computed, @Quarantined, @Min, @Max, @CodeVersion)
            {returning:commit_id}
            """, new
        {
            Group = changes.Group.Name,
            changes.Group.Version,
            From = (Utc)window.From,
            To = (Utc)window.To,
            publication.Seen,
            Stream = publication.Claim.Stream,
            Rows = changes.Written,
            changes.Tombstones,
            changes.Added,
            Computed = changes.Written,
            Quarantined = changes.Quarantine.Count,
            Min = Utc.From(changes.Min),
            Max = Utc.From(changes.Max),
            publication.CodeVersion,
        });
    }

    private static async Task CountAsync(WriteTransaction tx, StreamPublication publication)
    {
        DateTime now = await tx.ScalarAsync<Utc>("SELECT {now}");
        var (claim, batch) = (publication.Claim, publication.Batch);
        var counts = new
        {
            claim.Stream, claim.Partition, Minute = (Utc)now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMinute)),
            batch.Counts.Events, batch.Counts.Late, batch.Counts.Duplicates, batch.Rows, Lag = publication.Oldest is { } oldest ? (long)Math.Max(0, (now - oldest).TotalMilliseconds) : 0,
        };
        if (await tx.ExecuteAsync("""
            UPDATE {workflows.stream_minutes} SET events = events + @Events, late_events = late_events + @Late, duplicate_events = duplicate_events + @Duplicates,
                written_rows = written_rows + @Rows, batches = batches + 1, lag_ms = CASE WHEN lag_ms > @Lag THEN lag_ms ELSE @Lag END
            WHERE stream = @Stream AND partition_no = @Partition AND minute_at = @Minute
            """, counts) == 0)
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.stream_minutes} (stream, partition_no, minute_at, events, late_events, duplicate_events, written_rows, batches, lag_ms)
                VALUES (@Stream, @Partition, @Minute, @Events, @Late, @Duplicates, @Rows, 1, @Lag)
                """, counts);
    }

    private sealed class ClockRow
    {
        public long Seq { get; set; }

        public Utc PublishedAt { get; set; }
    }
}
