using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Streaming;
using AiWorkflows.Tests.Streaming;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every store promises about streams: events in order, one worker for each partition, and all of a micro-batch or nothing of it.</summary>
public abstract class StreamCompliance
{
    private const string Name = "movements";
    private static readonly DateTime Start = new(2024, 3, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    private protected abstract Task<TestStore> OpenAsync();

    [Fact]
    public async Task Events_are_numbered_in_each_partition_without_gaps_however_many_bring_them()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 2);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(sender => Task.Run(async () =>
        {
            for (var i = 0; i < 5; i++)
                await streams.AppendAsync([new(Name, null, [(0, $"{sender}a{i}"), (1, $"{sender}b{i}")]), new(Name, $"{sender}/{i}", [(1, $"{sender}c{i}")])], default);
        }, TestContext.Current.CancellationToken)));

        var (first, second) = (await streams.ReadAsync(Name, 0, 0, 1000, default), await streams.ReadAsync(Name, 1, 0, 1000, default));
        first.Select(e => e.Offset).ShouldBe(Enumerable.Range(1, 30).Select(i => (long)i));
        second.Select(e => e.Offset).ShouldBe(Enumerable.Range(1, 60).Select(i => (long)i));
        first.Where(e => e.Payload.StartsWith('3')).Select(e => e.Payload).ShouldBe(Enumerable.Range(0, 5).Select(i => $"3a{i}"));
        (await streams.ReadAsync(Name, 1, 57, 2, default)).Select(e => e.Offset).ShouldBe([58, 59]);
        (await streams.PartitionsAsync(default)).Select(p => (p.Partition, p.Head, p.Committed, p.Waiting >= TimeSpan.Zero)).ShouldBe([(0, 30, 0, true), (1, 60, 0, true)]);
    }

    [Fact]
    public async Task A_request_that_names_itself_is_taken_once()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 1);
        (await streams.AppendAsync([new(Name, "k", [(0, "a"), (0, "b")]), new(Name, "k", [(0, "a")]), new(Name, null, [(0, "c")])], default)).ShouldBe([true, false, true]);
        (await streams.AppendAsync([new(Name, "k", [(0, "a"), (0, "b")])], default)).ShouldBe([false]);
        (await streams.ReadAsync(Name, 0, 0, 10, default)).Select(e => e.Payload).ShouldBe(["a", "b", "c"]);
    }

    [Fact]
    public async Task A_partition_belongs_to_one_worker_until_it_gives_it_back_or_is_silent_for_long()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 1);
        var mine = (await streams.ClaimAsync(Name, 0, "a", "host a", Lease, default)).ShouldNotBeNull();
        (mine.Epoch, mine.Committed, mine.Latest).ShouldBe((1, 0, null));
        (await streams.ClaimAsync(Name, 0, "b", "host b", Lease, default)).ShouldBeNull();
        await streams.ReleaseAsync(mine, default);
        var second = (await streams.ClaimAsync(Name, 0, "b", "host b", Lease, default)).ShouldNotBeNull();
        await streams.ReleaseAsync(mine, default);
        (await streams.PartitionsAsync(default)).Single().Owner.ShouldBe("b");

        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stream_partitions} SET lease_until = {ago:1000000}"), default);
        var third = (await streams.ClaimAsync(Name, 0, "c", "host c", Lease, default)).ShouldNotBeNull();
        third.Epoch.ShouldBe(3);
        var beat = await streams.BeatAsync("b", "host b", Lease, default);
        beat.Claims.ShouldBeEmpty();
        (await streams.BeatAsync("c", "host c", Lease, default)).ShouldSatisfyAllConditions(b => b.Claims.ShouldBe([(Name, 0, 3L)]), b => b.Workers.ShouldBe(["b", "c"]));
        await streams.GoneAsync("c", default);
        (await streams.PartitionsAsync(default)).Single().IsHeld.ShouldBeFalse();
        _ = second;
    }

    [Fact]
    public async Task Whoever_has_lost_a_partition_publishes_nothing_of_it()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 1);
        var stream = Catalog(1).Streams[0];
        var mine = (await streams.ClaimAsync(Name, 0, "a", "host a", Lease, default))!;
        var batch = await BatchAsync(store, stream, new Movement("LHR", 1, Start, 5, "BA"), new Movement("LHR", 1, Start, 6, "BA"));
        StreamPublication Publication(StreamClaim claim) => new(claim, stream, 2, batch, 0, Start.AddDays(-1), null, Lease, "code");
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stream_partitions} SET lease_until = {ago:1000000}"), default);
        var theirs = (await streams.ClaimAsync(Name, 0, "b", "host b", Lease, default))!;

        await Should.ThrowAsync<FencedException>(() => streams.PublishAsync(Publication(mine), default));
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits}")).ShouldBe(0);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.quarantine}")).ShouldBe(0);
        (await streams.PartitionsAsync(default)).Single().Committed.ShouldBe(0);

        var seq = (await streams.PublishAsync(Publication(theirs), default)).Seq;
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'published' AND published_seq = @Seq AND kind = 'patch' AND run_id IS NULL", new { Seq = seq })).ShouldBe(4);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.quarantine} WHERE rule_name = 'duplicate'")).ShouldBe(1);
        var state = (await streams.PartitionsAsync(default)).Single();
        (state.Committed, state.Latest, state.Counts).ShouldBe((2, Start, new StreamCounts(2, 0, 0, 1)));
        (await Rows<Movement>(store)).ShouldHaveSingleItem().Delay.ShouldBe(5);
        (await Rows<Pulse>(store)).ShouldHaveSingleItem().At.ShouldBe(Start.AddMinutes(10));
        var minute = (await streams.MinutesAsync(Name, TimeSpan.FromMinutes(5), default)).ShouldHaveSingleItem();
        (minute.Events, minute.Batches, minute.Rows).ShouldBe((2, 1, 4));
    }

    [Fact]
    public async Task A_commit_of_others_that_the_state_depends_on_is_told()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 1);
        var stream = Catalog(1).Streams[0];
        var claim = (await streams.ClaimAsync(Name, 0, "a", "host a", Lease, default))!;
        var first = await streams.PublishAsync(new(claim, stream, 1, await BatchAsync(store, stream, new Movement("LHR", 1, Start, 5, "BA")), 0, Start.AddHours(-1), null, Lease, "code"), default);
        first.OthersWrote.ShouldBeFalse();

        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {feature_store.commits} SET run_id = 1 WHERE feature_group = 'stream_events'"), default);
        var batch = await BatchAsync(store, stream, new Movement("LHR", 2, Start.AddMinutes(1), 5, "BA"));
        (await streams.PublishAsync(new(claim, stream, 2, batch, first.Seq, Start.AddHours(-1), null, Lease, "code"), default)).OthersWrote.ShouldBeFalse();
        (await streams.PublishAsync(new(claim, stream, 3, await BatchAsync(store, stream, new Movement("LHR", 3, Start.AddMinutes(2), 5, "BA")), 0, Start.AddHours(-1), null, Lease, "code"), default)).OthersWrote.ShouldBeTrue();
        (await streams.PublishAsync(new(claim, stream, 4, await BatchAsync(store, stream, new Movement("LHR", 4, Start.AddMinutes(3), 5, "BA")), 0, Start.AddHours(1), null, Lease, "code"), default)).OthersWrote.ShouldBeFalse();
    }

    [Fact]
    public async Task The_number_of_partitions_stays_once_events_have_come()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 3);
        await streams.RegisterAsync(Catalog(2).Streams, onlyHost: false, default);
        (await streams.PartitionsAsync(default)).Count.ShouldBe(2);
        await streams.AppendAsync([new(Name, null, [(1, "a")])], default);
        (await Should.ThrowAsync<InvalidRequestException>(() => streams.RegisterAsync(Catalog(4).Streams, onlyHost: false, default))).Message.ShouldContain("has events in 2 partitions, but is defined with 4");
        await streams.RegisterAsync(Catalog(2).Streams, onlyHost: true, default);
    }

    [Fact]
    public async Task Published_events_go_when_they_are_old_and_others_stay()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 1);
        var stream = Catalog(1).Streams[0];
        await streams.AppendAsync([new(Name, "k", [(0, "a"), (0, "b"), (0, "c")])], default);
        var claim = (await streams.ClaimAsync(Name, 0, "a", "host a", Lease, default))!;
        await streams.PublishAsync(new(claim, stream, 2, await BatchAsync(store, stream, new Movement("LHR", 1, Start, 5, "BA")), 0, Start, null, Lease, "code"), default);
        (await streams.CollectAsync(TimeSpan.FromHours(1), default)).ShouldBe(0);
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {workflows.stream_events} SET received_at = {ago:7200000000}"), default);
        (await streams.CollectAsync(TimeSpan.FromHours(1), default)).ShouldBe(2);
        (await streams.ReadAsync(Name, 0, 0, 10, default)).Select(e => e.Payload).ShouldBe(["c"]);
    }

    /// <summary>The oracle: every read that somebody may repeat, before and after.</summary>
    [Fact]
    public async Task Merging_commits_changes_no_read_at_a_pinned_sequence()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 1);
        var stream = Catalog(1).Streams[0];
        using var online = new OnlineFeatures(store.Features);
        var processor = (PartitionProcessor<Movement>)stream.Open(0, new ServiceCollection().BuildServiceProvider(), store.Features, online, new(store.Features, 0));
        await processor.RestoreAsync(null, null, default);
        var claim = (await streams.ClaimAsync(Name, 0, "a", "host a", Lease, default))!;
        var random = new Random(3);
        var pushed = StreamOracleTests.Disorder(random, StreamOracleTests.Events(random, 400));
        var (pins, offset) = (new List<long>(), 0L);
        for (var next = 0; next < pushed.Count;)
        {
            foreach (var e in pushed.Skip(next).Take(10))
                await processor.TakeAsync(e, default);
            next += 10;
            var seq = (await streams.PublishAsync(new(claim, stream, ++offset, await processor.FlushAsync(null, default), 0, Start, null, Lease, "code"), default)).Seq;
            if (random.Next(8) == 0 && seq > 0)
                pins.Add(seq);
        }
        // Somebody else's commit, between those of the stream.
        await store.Database.WriteAsync(tx => tx.ExecuteAsync("""
            UPDATE {feature_store.commits} SET run_id = 1 WHERE commit_id IN (SELECT MIN(commit_id) FROM {feature_store.commits} WHERE feature_group = 'stream_pulses' AND published_seq >= @Seq)
            """, new { Seq = pins[1] + 2 }), default);
        // Where several publish at a time, ids are not in the order of publication.
        for (var swap = 0; swap < 20; swap++)
            if (pins[0] + random.Next((int)(pins[^1] - pins[0])) is var seq && !pins.Contains(seq))
                await store.Database.WriteAsync(tx => tx.ExecuteAsync("UPDATE {feature_store.commits} SET published_seq = @Sum - published_seq WHERE published_seq IN (@Seq, @Seq + 1)", new { Seq = seq, Sum = 2 * seq + 1 }), default);
        foreach (var pin in pins)
            foreach (var group in new[] { "stream_events", "stream_pulses", "stream_queues", "stream_sessions" })
                await store.Database.WriteAsync(tx => tx.ExecuteAsync("""
                    INSERT INTO {feature_store.commits} (feature_group, version, kind, window_from, window_to, base_seq, state, created_at) VALUES (@Group, 1, 'replace', {now}, {now}, @Pin, 'writing', {now})
                    """, new { Group = group, Pin = pin }), default);
        async Task<string> ReadsAsync()
        {
            var reads = new System.Text.StringBuilder();
            foreach (var seq in pins.Append(await store.Features.CurrentSeqAsync(default)))
                reads.AppendJoin('\n', (await Rows<Movement>(store, seq)).Cast<object>().Concat(await Rows<Pulse>(store, seq)).Concat(await Rows<AiWorkflows.Tests.Streaming.Queue>(store, seq)).Concat(await Rows<Sitting>(store, seq)));
            return reads.ToString();
        }
        Task<long> PublishedAsync() => store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'published'");

        var (before, commits) = (await ReadsAsync(), await PublishedAsync());
        pins.Count.ShouldBeGreaterThan(3);
        (await streams.CompactAsync([], TimeSpan.FromHours(1), default)).ShouldBe(0);
        (await streams.CompactAsync([new("v", 1, [("stream_events", 1), ("stream_pulses", 1), ("stream_queues", 1), ("stream_sessions", 1)])], TimeSpan.Zero, default)).ShouldBe(0);
        // A scan that has begun is overtaken, and reads what it would have read.
        var whole = await Rows<Pulse>(store);
        var always = new Window(Start.AddYears(-1), Start.AddYears(1));
        using var scan = new GroupFeed<Pulse>(store.Features, await store.Features.CommitsAsync(RowCodec<Pulse>.Instance.Schema, await store.Features.CurrentSeqAsync(default), always, default), null, always, FeedMode.Rows, null, default);
        var gone = await streams.CompactAsync([], TimeSpan.Zero, default);
        var scanned = new List<Pulse>();
        while (await scan.NextAsync(default) is { } rows)
            for (var i = 0; i < rows.Count; i++)
                scanned.Add(rows[i].Row);
        scanned.ShouldBe(whole);
        gone.ShouldBe(commits - await PublishedAsync());
        // A run before each pin, one after the last, and one more where somebody else has written.
        (await PublishedAsync()).ShouldBeInRange(4, 4 * (pins.Count + 1) + 2);
        (await ReadsAsync()).ShouldBe(before);
        (await streams.CompactAsync([], TimeSpan.Zero, default)).ShouldBe(0);
    }

    /// <summary>Workers come and go without a word while events arrive in disorder; the rows are those of the batch.</summary>
    [Fact]
    public async Task Whatever_becomes_of_the_workers_the_rows_are_those_of_the_batch()
    {
        await using var store = await OpenAsync();
        const int partitions = 3;
        await RegisterAsync(store, partitions);
        var catalog = Catalog(partitions);
        var stream = (StreamDefinition<Movement>)catalog.Streams[0];
        var streams = Streams(store);
        var random = new Random(5);
        var events = StreamOracleTests.Events(random, 1500);
        var pushed = StreamOracleTests.Disorder(random, events);
        using var stop = new CancellationTokenSource();
        var workers = new List<(StreamWorkers Worker, CancellationTokenSource Stop, Task Run, FaultyStreams Store)>();
        void Begin()
        {
            var own = new CancellationTokenSource();
            var faulty = new FaultyStreams(streams, new Random(workers.Count + 7));
            var worker = Worker(store, catalog, faulty, $"host {workers.Count}");
            workers.Add((worker, own, Task.Run(() => worker.RunAsync(own.Token), TestContext.Current.CancellationToken), faulty));
        }
        Begin();
        Begin();
        for (var next = 0; next < pushed.Count;)
        {
            var size = Math.Min(pushed.Count - next, random.Next(1, 120));
            await streams.AppendAsync([new(Name, null, [.. pushed.GetRange(next, size).Select(e => (stream.PartitionOf(e), RowCodec<Movement>.Instance.Json(e)))])], default);
            next += size;
            await Task.Delay(20, TestContext.Current.CancellationToken);
            if (random.Next(5) == 0 && workers.Count < 6)
            {
                // As if it had been killed: whatever it tries from now on does not reach the store.
                workers[^2].Store.IsDead = true;
                await workers[^2].Stop.CancelAsync();
                Begin();
            }
        }
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while ((await streams.PartitionsAsync(default)).Any(p => p.Head != p.Committed))
            await Task.Delay(50, patience.Token);
        // Quiet partitions learn how far the others have come.
        await Task.Delay(1000, patience.Token);
        foreach (var worker in workers)
        {
            worker.Store.IsCalm = true;
            await worker.Stop.CancelAsync();
            await worker.Run;
        }
        (await Rows<Movement>(store)).ShouldBe(events.Order(StreamOracleTests.Canonical));
        await using var batch = await StreamOracleTests.BatchAsync(events);
        (await Rows<Pulse>(store)).ShouldBe(batch.Rows<Pulse>());
        (await Rows<AiWorkflows.Tests.Streaming.Queue>(store)).ShouldBe(batch.Rows<AiWorkflows.Tests.Streaming.Queue>());
        (await Rows<Sitting>(store)).ShouldBe(batch.Rows<Sitting>());
        workers.Sum(w => w.Store.Faults).ShouldBeGreaterThan(3);
        (await streams.PartitionsAsync(default)).Sum(p => p.Counts.Events).ShouldBe(pushed.Count);
    }

    [Fact]
    public async Task Events_that_another_process_has_taken_in_are_found_by_a_worker_at_rest()
    {
        await using var store = await OpenAsync();
        var streams = await RegisterAsync(store, 1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = Worker(store, Catalog(1), streams, "host").RunAsync(stop.Token);
        for (var id = 1; id <= 3; id++)
        {
            await streams.AppendAsync([new(Name, null, [(0, RowCodec<Movement>.Instance.Json(new Movement("LHR", id, Start.AddMinutes(id), 5, "BA")))])], default);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            patience.CancelAfter(TimeSpan.FromSeconds(20));
            while ((await streams.PartitionsAsync(default)).Single().Committed != id)
                await Task.Delay(20, patience.Token);
            // Long enough to have nothing left to do.
            await Task.Delay(300, patience.Token);
        }
        await stop.CancelAsync();
        await running;
    }

    private static StreamWorkers Worker(TestStore store, Catalog catalog, IStreamStore streams, string host) => new(
        catalog, streams, store.Features, new OnlineFeatures(store.Features), new ServiceCollection().BuildServiceProvider(), new StreamSignals(),
        new StreamOptions
        {
            Host = host, CodeVersion = "code", Lease = TimeSpan.FromSeconds(2), Beat = TimeSpan.FromMilliseconds(150), Poll = TimeSpan.FromMilliseconds(50), MostEvents = 100, Linger = TimeSpan.FromMilliseconds(20),
            Retry = TimeSpan.FromMilliseconds(50),
        },
        TimeProvider.System, NullLogger<StreamWorkers>.Instance);

    private static async Task<StreamBatch> BatchAsync(TestStore store, StreamDefinition stream, params Movement[] events)
    {
        using var online = new OnlineFeatures(store.Features);
        var processor = (PartitionProcessor<Movement>)stream.Open(0, new ServiceCollection().BuildServiceProvider(), store.Features, online, new(store.Features, 0));
        await processor.RestoreAsync(null, null, default);
        foreach (var e in events)
            await processor.TakeAsync(e, default);
        return await processor.FlushAsync(null, default);
    }

    private static async Task<IStreamStore> RegisterAsync(TestStore store, int partitions)
    {
        var catalog = Catalog(partitions);
        await store.Features.RegisterAsync(catalog.Groups, [], default);
        await Streams(store).RegisterAsync(catalog.Streams, onlyHost: false, default);
        return Streams(store);
    }

    private static IStreamStore Streams(TestStore store) => store.Database is SqliteDatabase sqlite ? new SqliteStreamStore(sqlite) : new SqlServerStreamStore((SqlServerDatabase)store.Database);

    private static Catalog Catalog(int partitions)
    {
        var builder = new AiWorkflowsBuilder(new ServiceCollection());
        builder.Stream<Movement>(Name, s => StreamOracleTests.Define(s, partitions));
        return AiWorkflows.Workflows.Catalog.Build(builder, builder.Services.BuildServiceProvider());
    }

    private static async Task<IReadOnlyList<TRow>> Rows<TRow>(TestStore store, long? asOfSeq = null) where TRow : class
    {
        var always = new Window(DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc).AddYears(1800), new DateTime(9000, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var commits = await store.Features.CommitsAsync(RowCodec<TRow>.Instance.Schema, asOfSeq ?? await store.Features.CurrentSeqAsync(default), always, default);
        using var feed = new GroupFeed<TRow>(store.Features, commits, null, always, FeedMode.Rows, null, default);
        var rows = new List<TRow>();
        while (await feed.NextAsync(default) is { } batch)
            for (var i = 0; i < batch.Count; i++)
                rows.Add(batch[i].Row);
        return rows;
    }
}
