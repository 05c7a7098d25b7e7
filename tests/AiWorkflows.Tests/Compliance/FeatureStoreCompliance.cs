using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What every feature store promises.</summary>
public abstract class FeatureStoreCompliance
{
    private protected abstract Task<TestStore> OpenAsync();

    private protected async Task<TestStore> OpenRegisteredAsync()
    {
        var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        return store;
    }

    [Fact]
    public async Task A_value_of_every_type_comes_back_as_it_went_in()
    {
        await using var store = await OpenRegisteredAsync();
        var tag = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        Reading[] rows =
        [
            new("a", int.MinValue, Readings.At(1), double.MaxValue, int.MaxValue, "", tag, new(1969, 12, 31)),
            new("b ü 漢字 😀", 2, Readings.At(1).AddMicroseconds(1), -0.1, -1, "x\ny", Guid.Empty, new(9999, 12, 31)),
            new("c", 3, Readings.At(2), double.NaN, null, null, null, null),
        ];
        await Readings.PublishAsync(store, Readings.Day, rows);
        var read = Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day));
        read.Count.ShouldBe(3);
        (read[0].Sensor, read[0].Channel, read[0].At, read[0].Value, read[0].Count, read[0].Note, read[0].Tag, read[0].Day)
            .ShouldBe(("a", int.MinValue, Readings.At(1), double.MaxValue, int.MaxValue, "", tag, -1L));
        (read[1].Sensor, read[1].At, read[1].Note, read[1].Tag).ShouldBe(("b ü 漢字 😀", Readings.At(1).AddMicroseconds(1), "x\ny", Guid.Empty));
        (read[2].Value, read[2].Count, read[2].Note, read[2].Tag, read[2].Day).ShouldBe((null, null, null, null, null));
    }

    [Fact]
    public async Task A_missing_value_is_never_that_of_the_row_before()
    {
        await using var store = await OpenRegisteredAsync();
        Reading[] rows = [.. Enumerable.Range(0, 6).Select(i => i % 2 == 0
            ? new Reading("a", i, Readings.At(i), i + 0.5, i + 1, $"note {i}", Guid.Parse("00112233-4455-6677-8899-aabbccddeeff"), new(2001, 1, i + 1))
            : new Reading("a", i, Readings.At(i), double.NaN, null, null, null, null))];
        await Readings.PublishAsync(store, Readings.Day, rows);

        var materialize = RowCodec<Reading>.Instance.Materializer(Readings.Group.Columns);
        var read = new List<Reading>();
        using (var cursor = store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day))
            while (cursor.Read())
                read.Add(materialize(cursor));
        read.ShouldBe(rows);
    }

    [Fact]
    public async Task A_commit_is_invisible_until_it_is_published_and_then_whole()
    {
        await using var store = await OpenRegisteredAsync();
        var attempt = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        await writer.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 1), Readings.Row("b", 1, 2)], []), default);
        (await Readings.AsOfAsync(store.Features, long.MaxValue, Readings.Day)).ShouldBeEmpty();
        (await store.Features.CurrentSeqAsync(default)).ShouldBe(0);

        var won = await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, Readings.Day, 2) }, default);
        won.Seq.ShouldBe(1);
        (await store.Features.CurrentSeqAsync(default)).ShouldBe(1);
        (await Readings.AsOfAsync(store.Features, 1, Readings.Day)).Count.ShouldBe(2);
        (await Readings.AsOfAsync(store.Features, 0, Readings.Day)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_read_as_of_an_earlier_sequence_never_changes()
    {
        await using var store = await OpenRegisteredAsync();
        var first = await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1), Readings.Row("b", 2, 2));
        var then = await Readings.AsOfAsync(store.Features, first, Readings.Day);
        var second = await Readings.PublishAsync(store, Readings.Day, [Readings.Row("a", 1, 10), Readings.Row("c", 3, 3)], [Readings.Row("b", 2, 0)]);
        (await Readings.AsOfAsync(store.Features, first, Readings.Day)).ShouldBe(then);
        (await Readings.AsOfAsync(store.Features, second, Readings.Day)).ShouldBe([("a", Readings.At(1), 10.0), ("c", Readings.At(3), 3.0)]);
    }

    [Fact]
    public async Task The_publication_of_a_time_is_found_by_its_time()
    {
        await using var store = await OpenRegisteredAsync();
        var first = await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        var second = await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        var commits = await store.Features.CommitsAsync(Readings.Group, second, Readings.Day, default);
        commits.Select(c => c.PublishedSeq).ShouldBe([first, second]);
        commits[1].PublishedAt.ShouldBeGreaterThan(commits[0].PublishedAt);
        (await store.Features.SeqAtAsync(commits[0].PublishedAt, default)).ShouldBe(first);
        (await store.Features.SeqAtAsync(commits[0].PublishedAt.AddMicroseconds(-1), default)).ShouldBe(0);
        (await store.Features.SeqAtAsync(commits[1].PublishedAt.AddYears(1), default)).ShouldBe(second);
    }

    [Fact]
    public async Task Commits_are_listed_by_their_windows()
    {
        await using var store = await OpenRegisteredAsync();
        var next = Readings.Day.Shift(TimeSpan.FromDays(1));
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        await Readings.PublishAsync(store, next, Readings.Row("a", 25, 1));
        (await store.Features.CommitsAsync(Readings.Group, 2, Readings.Day, default)).ShouldHaveSingleItem().Window.ShouldBe(Readings.Day);
        (await store.Features.CommitsAsync(Readings.Group, 2, new(Readings.Day.From, next.To), default)).Count.ShouldBe(2);
        (await store.Features.CommitsAsync(Readings.Group, 1, next, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_scan_gives_the_asked_columns_of_the_window_in_time_order_with_versions_side_by_side()
    {
        await using var store = await OpenRegisteredAsync();
        var random = new Random(1);
        for (var commit = 0; commit < 3; commit++)
            await Readings.PublishAsync(store, Readings.Day, [.. Enumerable.Range(0, 200).Select(_ => (Sensor: random.Next(20), Hour: random.Next(24))).Distinct()
                .Select(x => Readings.Row($"s{x.Sensor}", x.Hour, random.NextDouble()))]);
        var value = Readings.Group.Columns.Single(c => c.Name == "value");
        var window = new Window(Readings.At(5), Readings.At(20));
        var seen = new List<(long Time, string Sensor, long Commit)>();
        using (var cursor = store.Features.Scan(Readings.Group, [value, Readings.Group.Keys[0], Readings.Group.EventTime], window))
            while (cursor.Read())
            {
                cursor.Real(0).ShouldBeInRange(0, 1);
                seen.Add((cursor.Integer(2), cursor.Text(1), cursor.CommitId));
            }
        seen.Count.ShouldBe(Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day)).Count(r => window.Contains(r.At)));
        seen.ShouldBe(seen.OrderBy(x => x.Time).ThenBy(x => x.Sensor, StringComparer.Ordinal).ThenBy(x => x.Commit));
    }

    [Fact]
    public async Task Equal_texts_of_a_cursor_are_one_instance()
    {
        await using var store = await OpenRegisteredAsync();
        await Readings.PublishAsync(store, Readings.Day, [.. Enumerable.Range(0, 24).SelectMany(h => new[] { Readings.Row("ATL", h, 1), Readings.Row("LAX", h, 2) })]);
        var texts = Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day)).Select(r => r.Sensor).ToArray();
        texts.Length.ShouldBe(48);
        texts.Distinct(ReferenceEqualityComparer.Instance).Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_seek_gives_the_rows_of_one_entity_newest_first()
    {
        await using var store = await OpenRegisteredAsync();
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1), Readings.Row("a", 3, 3), Readings.Row("a", 9, 9), Readings.Row("b", 2, 2));
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 3, 30));
        var rows = Readings.Read(store.Features.Seek(Readings.Group, Readings.Group.Columns, ["a", 1L], new(Readings.At(0), Readings.At(9))));
        rows.Select(r => r.At).ShouldBe([Readings.At(3), Readings.At(3), Readings.At(1)]);
        rows.Take(2).Select(r => r.Value!.Value).Order().ShouldBe([3, 30]);
        Readings.Read(store.Features.Seek(Readings.Group, Readings.Group.Columns, ["a", 2L], Readings.Day)).ShouldBeEmpty();
        Should.Throw<ArgumentException>(() => store.Features.Seek(Readings.Group, Readings.Group.Columns, ["a"], Readings.Day));
    }

    [Fact]
    public async Task Readers_see_whole_commits_only_while_others_publish()
    {
        await using var store = await OpenRegisteredAsync();
        const int rowsPerCommit = 500;
        var done = false;
        var torn = 0;
        var reader = Task.Run(async () =>
        {
            while (!Volatile.Read(ref done))
            {
                var seq = await store.Features.CurrentSeqAsync(default);
                var rows = await Readings.AsOfAsync(store.Features, seq, Readings.Day);
                if (rows.Count != (seq == 0 ? 0 : rowsPerCommit) || rows.Select(r => r.Value).Distinct().Count() > 1 || rows.Exists(r => r.Value != seq))
                    torn++;
            }
        });
        for (var commit = 1; commit <= 20; commit++)
            await Readings.PublishAsync(store, Readings.Day, [.. Enumerable.Range(0, rowsPerCommit).Select(i => Readings.Row($"s{i}", i % 24, commit))]);
        Volatile.Write(ref done, true);
        await reader;
        torn.ShouldBe(0);
    }

    [Fact]
    public async Task An_attempt_that_has_lost_its_lease_can_neither_open_nor_write_nor_quarantine()
    {
        await using var store = await OpenRegisteredAsync();
        var attempt = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        await writer.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 1)], []), default);
        await store.LetLeasesRunOutAsync();
        (await store.Ledger.ExpireAsync(false, 10, default)).ShouldBe(1);

        await Should.ThrowAsync<FencedException>(writer.WriteAsync(new Readings.Batch([Readings.Row("b", 1, 1)], []), default));
        await Should.ThrowAsync<FencedException>(writer.QuarantineAsync([new("{}", "rule", "reason")], default));
        await Should.ThrowAsync<FencedException>(store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default));
        (await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, Readings.Day, 1) }, default)).Outcome.ShouldBe(PublishOutcome.Fenced);
        Readings.Read(store.Features.Scan(Readings.Group, Readings.Group.Columns, Readings.Day)).ShouldHaveSingleItem().Sensor.ShouldBe("a");
        (await Readings.AsOfAsync(store.Features, long.MaxValue, Readings.Day)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nobody_can_write_into_a_published_commit()
    {
        await using var store = await OpenRegisteredAsync();
        var attempt = await store.AttemptAsync(Readings.Day);
        await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, Readings.Day), default);
        await writer.WriteAsync(new Readings.Batch([Readings.Row("a", 1, 1)], []), default);
        await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, Readings.Day, 1) }, default);
        await Should.ThrowAsync<FencedException>(writer.WriteAsync(new Readings.Batch([Readings.Row("b", 1, 1)], []), default));
    }

    [Fact]
    public async Task Look_ups_made_together_find_what_counts_however_many_versions_stand_before_it()
    {
        await using var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, [.. Enumerable.Range(0, 20).SelectMany(h => new[] { Readings.Row("a", h, h), Readings.Row("b", h, 100 + h) })]);
        await Readings.PublishAsync(store, Readings.Day, [Readings.Row("b", 19, 7)], [.. Enumerable.Range(8, 12).Select(h => Readings.Row("a", h, 0))]);
        using var features = new OnlineFeatures(store.Features);
        using var lookup = features.Open();
        var all = new RowLookup<Reading>(null);
        var found = new[]
        {
            lookup.Add(all, ["a", 1L], Readings.Day, KnownWhen.Always), lookup.Add(all, ["b", 1L], Readings.Day, KnownWhen.Always), lookup.Add(all, ["c", 1L], Readings.Day, KnownWhen.Always),
            lookup.Add(all, ["b", 1L], new(Readings.Start, Readings.At(3)), KnownWhen.Always), lookup.Add(all, ["b", 1L], Readings.Day, new(Timestamps.ToMicros(Readings.At(5)), 0, true, false)),
        };
        await lookup.FindAsync(default);
        lookup.AsOfSeq.ShouldBe(await store.Features.CurrentSeqAsync(default));
        found.Select(f => f.Found?.Row.Value).ShouldBe([7, 7, null, 102, 104]);
        found[0].Found!.Value.Row.At.ShouldBe(Readings.At(7));
        var many = Enumerable.Range(0, 1500).Select(i => lookup.Add(all, ["b", 1L], new(Readings.Start, Readings.At(i % 20 + 0.5)), KnownWhen.Always)).ToArray();
        await lookup.FindAsync(default);
        many.Select((f, i) => f.Found!.Value.Row.Value == (i % 20 == 19 ? 7 : 100 + i % 20)).ShouldAllBe(same => same);
    }

    [Fact]
    public async Task What_was_looked_up_before_is_what_a_look_up_finds_as_long_as_nothing_newer_is_published()
    {
        await using var store = await OpenRegisteredAsync();
        var random = new Random(7);
        using var features = new OnlineFeatures(store.Features);
        var (all, hits) = (new RowLookup<Reading>(null), 0);
        for (var round = 0; round < 12; round++)
        {
            var rows = Some(8).ToArray();
            await Readings.PublishAsync(store, Readings.Day, rows, [.. Some(3).ExceptBy(rows.Select(r => (r.Sensor, r.At)), r => (r.Sensor, r.At))]);
            using (var first = features.Open())
                await first.FindAsync(default);
            for (var i = 0; i < 60; i++)
            {
                // Joins of one group differ in age, lag and whether a row at the very time counts, and share what they know.
                var (sensor, time) = ($"{(char)('a' + random.Next(3))}", Timestamps.ToMicros(Readings.At(random.Next(-2, 28))));
                var from = time - random.Next(1, 40) * Timestamps.ToMicros(DateTime.UnixEpoch.AddMinutes(30));
                var known = random.Next(8) == 0 ? KnownWhen.Always : new KnownWhen(time, random.Next(3) * 1_800_000_000L, random.Next(2) == 0, false);
                using var assumed = features.OpenAssumed();
                using var fresh = features.Open();
                var found = assumed.AddKnown(this, sensor, key => [key, 1L], all, from, known);
                hits += found is KnownRow<Reading> ? 1 : 0;
                var expected = fresh.Add(all, [sensor, 1L], new(Timestamps.FromMicros(from), known.Time == long.MaxValue ? Readings.Day.To.AddDays(9) : Timestamps.FromMicros(known.Time + 1)), known);
                (await assumed.FindAsync(default)).ShouldBeTrue();
                await fresh.FindAsync(default);
                found.Row.ShouldBe(expected.Row);
                if (found.Row is not null)
                    found.Time.ShouldBe(expected.Time);
                assumed.AsOfSeq.ShouldBe(fresh.AsOfSeq);
            }
        }
        if (store.Database is SqliteDatabase)
            hits.ShouldBeGreaterThan(100);

        IEnumerable<Reading> Some(int most) => Enumerable.Range(0, random.Next(most)).Select(_ => Readings.Row($"{(char)('a' + random.Next(3))}", random.Next(0, 24), random.Next(100))).DistinctBy(r => (r.Sensor, r.At));
    }

    [Fact]
    public async Task Who_assumes_that_nothing_was_published_is_found_out()
    {
        await using var store = await OpenRegisteredAsync();
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        using var features = new OnlineFeatures(store.Features);
        using (var first = features.Open())
            await first.FindAsync(default);
        using var before = features.OpenAssumed();
        var seq = await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        before.AsOfSeq.ShouldBeLessThan(seq);
        var found = before.AddKnown(this, "a", key => [key, 1L], new RowLookup<Reading>(null), 0, KnownWhen.Always);
        // An engine that has a view open may leave it to the log, whose look is the last.
        if (await before.FindAsync(default))
            ((Reading)found.Row!).Value.ShouldBe(1);
        using var own = store.Database is SqliteDatabase embedded ? new SqliteOnlineLog(embedded) : null;
        var log = own ?? new OnlineLog(store.Database);
        var batch = await log.OpenAsync(new("p", "champion", "m", 1, "v", 1, "code"), default);
        (await log.AppendAsync([Entry(0, before.AsOfSeq, true), Entry(1, before.AsOfSeq, false), Entry(2, seq, true)], default)).ShouldBe([Logged.Outdated, Logged.Written, Logged.Written]);
        (await store.Database.ReadAsync<long>("SELECT ordinal FROM {prediction_log.online_rows} ORDER BY ordinal", null, default)).ShouldBe([1L, 2L]);

        LogEntry Entry(int ordinal, long asOf, bool isAssumed) => new([new OnlineRow(
            batch, ordinal, null, 0, null, "[1]", Readings.Start, Readings.Start, asOf, new(0.5, null, null, "{}", "{}", 0), "{}", "[]")], isAssumed);
    }
}
