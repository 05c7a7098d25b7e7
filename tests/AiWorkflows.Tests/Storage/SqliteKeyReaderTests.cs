using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Storage.Sqlite;
using AiWorkflows.Tests.Compliance;

namespace AiWorkflows.Tests.Storage;

/// <summary>Views of the database that stay open between look-ups must neither show what is old nor hold the write-ahead log.</summary>
public sealed class SqliteKeyReaderTests
{
    private static readonly RowLookup<Reading> All = new(null);

    [Fact]
    public async Task Every_publication_is_seen_by_the_next_look_up_on_a_reader_that_is_kept()
    {
        await using var store = await SqliteTestStore.OpenAsync();
        await Readings.RegisterAsync(store.Features);
        using var features = new OnlineFeatures(store.Features);
        (await ValueAsync(features)).ShouldBeNull();
        for (var i = 1; i <= 5; i++)
        {
            await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, i));
            (await ValueAsync(features)).ShouldBe(i);
            (await ValueAsync(features)).ShouldBe(i);
        }
    }

    [Fact]
    public async Task A_look_up_sees_nothing_that_is_published_after_it_has_begun()
    {
        await using var store = await SqliteTestStore.OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        using var features = new OnlineFeatures(store.Features);
        using var lookup = features.Open();
        await lookup.FindAsync(default);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 2));
        (await FindAsync(lookup)).ShouldBe(1);
        (await ValueAsync(features)).ShouldBe(2);
    }

    [Fact]
    public async Task The_write_ahead_log_begins_anew_while_look_ups_go_on_without_a_pause()
    {
        await using var store = (SqliteTestStore)await SqliteTestStore.OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
        using var features = new OnlineFeatures(store.Features);
        using var log = new SqliteOnlineLog(store.File.Database);
        var batch = await log.OpenAsync(new("p", "champion", "m", 1, "v", 1, "code"), default);
        using var stop = new CancellationTokenSource();
        var reading = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var found = 0;
            for (; !stop.IsCancellationRequested; found++)
                (await ValueAsync(features)).ShouldBe(1);
            return found;
        })).ToArray();
        var text = $"\"{new string('x', 200_000)}\"";
        for (var i = 0; i < 700; i++)
            (await log.AppendAsync([Entry(Row(batch, i, text))], default)).ShouldBe([Logged.Written]);
        await stop.CancelAsync();
        (await Task.WhenAll(reading)).ShouldAllBe(found => found > 0);
        // More than 140 MB went through it.
        new FileInfo(store.File.Database.Location + "-wal").Length.ShouldBeLessThan(80L << 20);
    }

    [Fact]
    public async Task The_same_request_is_logged_once_whether_in_one_group_or_in_two()
    {
        await using var store = (SqliteTestStore)await SqliteTestStore.OpenAsync();
        using var log = new SqliteOnlineLog(store.File.Database);
        var batch = await log.OpenAsync(new("p", "champion", "m", 1, "v", 1, "code"), default);
        var durable = store.Database.Activity.DurableTransactions;
        (await log.AppendAsync([Entry(Row(batch, 0, "{}", "a")), Entry(Row(batch, 1, "{}", "a")), Entry(Row(batch, 2, "{}"))], default)).ShouldBe([Logged.Written, Logged.Repeated, Logged.Written]);
        (await log.AppendAsync([Entry(Row(batch, 3, "{}", "a"))], default)).ShouldBe([Logged.Repeated]);
        (store.Database.Activity.DurableTransactions - durable).ShouldBe(2);
        (await store.Database.ReadAsync<long>("SELECT ordinal FROM {prediction_log.online_rows} ORDER BY ordinal", null, default)).ShouldBe([0L, 2L]);
    }

    private static LogEntry Entry(OnlineRow row) => new([row], IsAssumed: false);

    private static OnlineRow Row(long batch, int ordinal, string output, string? request = null) =>
        new(batch, ordinal, request, 0, null, $"[{ordinal}]", Readings.Start, Readings.Start, 1, new(0.5, null, null, output, "{}", ordinal), "{}", "[]");

    private static async Task<double?> ValueAsync(OnlineFeatures features)
    {
        using var lookup = features.Open();
        return await FindAsync(lookup);
    }

    private static async Task<double?> FindAsync(OnlineLookup lookup)
    {
        var found = lookup.Add(All, ["a", 1L], Readings.Day, KnownWhen.Always);
        await lookup.FindAsync(default);
        return found.Found?.Row.Value;
    }
}
