using AiWorkflows.Features;
using AiWorkflows.Storage;
using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Compliance;

/// <summary>What the stores promise while many hosts, each over connections of its own, do the same or different things at once.</summary>
public abstract class ConcurrencyCompliance
{
    private const int Hosts = 6;

    private protected abstract Task<TestStore> OpenAsync();

    private protected abstract Task MigrateAsync(TestStore store);

    [Fact]
    public async Task Publishers_of_one_window_lose_no_update_and_those_of_other_windows_do_not_disturb_them()
    {
        const int each = 4;
        await using var store = await OpenRegisteredAsync();
        var conflicts = 0;
        var stop = false;
        // What was read once as of a sequence is read again and again while others publish.
        var reader = Task.Run(async () =>
        {
            var known = new Dictionary<long, string>();
            await using var mine = store.Another();
            while (!Volatile.Read(ref stop))
            {
                known[await mine.Features.CurrentSeqAsync(default)] = "";
                foreach (var seq in known.Keys.Order().TakeLast(3).ToArray())
                {
                    var rows = string.Join(' ', await Readings.AsOfAsync(mine.Features, seq, Readings.Day));
                    if (known[seq].Length > 0)
                        rows.ShouldBe(known[seq]);
                    known[seq] = rows;
                }
            }
        });
        Window WindowOf(int host) => host % 3 == 2 ? Readings.Day.Shift(TimeSpan.FromDays(host)) : Readings.Day;
        var attempts = await AttemptsAsync(store, Enumerable.Range(0, Hosts * each).Select(i => WindowOf(i / each)));
        var sequences = await AtOnceAsync(store, async (mine, host) =>
        {
            var seqs = new List<long>();
            foreach (var attempt in attempts.Skip(host * each).Take(each))
                seqs.Add(await CountUpAsync(mine, attempt, WindowOf(host), () => Interlocked.Increment(ref conflicts)));
            return seqs;
        });
        Volatile.Write(ref stop, true);
        await reader;

        sequences.ShouldAllBe(s => s.SequenceEqual(s.Order()));
        sequences.SelectMany(s => s).Order().ShouldBe(Enumerable.Range(1, Hosts * each).Select(i => (long)i));
        // Every publication has added one to what it had read.
        (await Readings.AsOfAsync(store.Features, long.MaxValue, Readings.Day)).ShouldBe([("counter", Readings.At(1), each * Enumerable.Range(0, Hosts).Count(h => h % 3 != 2))]);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'discarded'")).ShouldBe(conflicts);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state NOT IN ('discarded', 'published')")).ShouldBe(0);
        (await store.CountAsync("""
            SELECT COUNT(*) FROM {feature_store.commits} a JOIN {feature_store.commits} b ON b.published_seq > a.published_seq AND b.published_at <= a.published_at
            """)).ShouldBe(0);
    }

    [Fact]
    public async Task Claimers_of_the_same_and_of_other_steps_get_each_step_once_per_attempt()
    {
        const int steps = 12;
        await using var store = await OpenRegisteredAsync();
        var (run, _) = await store.Ledger.RequestAsync(Request(), default);
        await store.Ledger.AdmitAsync(run, new([.. Enumerable.Range(0, steps).Select(i => Plans.Step($"s{i:00}", i))], []), "code", default);
        var claimed = new List<AttemptRef>();
        for (var round = 1; round <= 3; round++)
        {
            var ids = (await store.Ledger.AdvanceAsync(run, "e", 100, default)).Dispatched.Select(d => d.StageRunId).ToArray();
            ids.Length.ShouldBe(steps);
            var won = await AtOnceAsync(store, async (mine, host) =>
            {
                var mineNow = new List<AttemptRef>();
                // From the second round on a host takes one step at a time of those that have lost their host: give each one of its own.
                for (var i = 0; i < steps; i++)
                    if (await mine.ClaimAsync(ids[(i + host * 5) % steps], $"host {host} {(ids[(i + host * 5) % steps])}") is { } attempt)
                        mineNow.Add(attempt);
                return mineNow;
            });
            won.Sum(w => w.Count).ShouldBe(steps);
            claimed.AddRange(won.SelectMany(w => w));
            (await AtOnceAsync(store, (mine, _) => mine.Ledger.ExpireAsync(true, 10, default))).Sum().ShouldBe(steps);
        }
        claimed.Select(c => (c.StageRunId, c.Attempt)).Distinct().Count().ShouldBe(3 * steps);
        claimed.GroupBy(c => c.StageRunId).ShouldAllBe(g => g.Select(c => c.Attempt).Order().SequenceEqual(new[] { 1, 2, 3 }));
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'lost'")).ShouldBe(3 * steps);
    }

    [Fact]
    public async Task Of_predecessors_that_end_at_once_somebody_sees_that_all_have_ended()
    {
        await using var store = await OpenRegisteredAsync();
        for (var round = 0; round < 8; round++)
        {
            var (run, _) = await store.Ledger.RequestAsync(Request(), default);
            string[] before = [.. Enumerable.Range(0, Hosts).Select(i => $"p{i}")];
            await store.Ledger.AdmitAsync(run, new([.. before.Select((p, i) => Plans.Step(p, i)), Plans.Step("last", Hosts)], [.. before.Select(p => ("last", p))]), "code", default);
            var attempts = new List<AttemptRef>();
            foreach (var step in (await store.Ledger.AdvanceAsync(run, "e", 100, default)).Dispatched)
                attempts.Add((await store.ClaimAsync(step.StageRunId))!);
            var dispatched = await AtOnceAsync(store, async (mine, host) =>
            {
                (await mine.Ledger.WinAsync(new(attempts[host]), default)).Outcome.ShouldBe(PublishOutcome.Published);
                return (await mine.Ledger.AdvanceAsync(run, "e", 100, default)).Dispatched.Select(d => d.Step).ToArray();
            });
            dispatched.SelectMany(d => d).ShouldHaveSingleItem().ShouldBe("last");
        }
    }

    [Fact]
    public async Task However_many_admit_at_once_no_more_runs_are_running_than_may()
    {
        const int runs = 10;
        await using var store = await OpenAsync();
        await store.Ledger.RegisterWorkflowsAsync([("w", 3, OverlapPolicy.Queue)], default);
        var requested = new List<long>();
        for (var i = 0; i < runs; i++)
            requested.Add((await store.Ledger.RequestAsync(Request(), default)).RunId);
        while (await store.CountAsync("SELECT COUNT(*) FROM {workflows.runs} WHERE state = 'requested'") > 0)
        {
            await AtOnceAsync(store, async (mine, _) =>
            {
                foreach (var run in requested)
                    await mine.Ledger.AdmitAsync(run, Plans.Chain("s"), "code", default);
                return 0;
            });
            var running = await store.Database.ReadAsync<long>("SELECT run_id FROM {workflows.runs} WHERE state = 'running' ORDER BY run_id", null, default);
            running.Count.ShouldBeInRange(1, 3);
            await AtOnceAsync(store, async (mine, host) => host >= running.Count || await mine.Ledger.CancelAsync(running[host], "ada", "next", default));
        }
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.stage_runs}")).ShouldBe(runs);
    }

    [Fact]
    public async Task Requests_with_one_key_are_one_run()
    {
        await using var store = await OpenAsync();
        for (var round = 0; round < 5; round++)
        {
            var answers = await AtOnceAsync(store, (mine, _) => mine.Ledger.RequestAsync(Request($"key {round}"), default));
            answers.Count(a => a.Created).ShouldBe(1);
            answers.Select(a => a.RunId).Distinct().Count().ShouldBe(1);
        }
        (await store.CountAsync("SELECT COUNT(*) FROM {workflows.runs}")).ShouldBe(5);
    }

    [Fact]
    public async Task The_watermark_is_at_the_end_when_all_have_covered_their_part()
    {
        await using var store = await OpenRegisteredAsync();
        var days = Enumerable.Range(0, Hosts * 3).Select(i => Readings.Day.Shift(TimeSpan.FromDays(i))).ToArray();
        Random.Shared.Shuffle(days);
        var attempts = await AttemptsAsync(store, days);
        await AtOnceAsync(store, async (mine, host) =>
        {
            foreach (var (day, attempt) in days.Zip(attempts).Skip(host * 3).Take(3))
            {
                await using var writer = await mine.Features.OpenCommitAsync(Readings.Commit(attempt, day), default);
                await mine.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, day, 0, inputs: [new("raw", 1, host, day)]), Coverage = (day, Readings.Start) }, default);
            }
            return 0;
        });
        foreach (var input in (string[])["", "raw"])
            (await store.Database.ReadFirstAsync<Utc>("SELECT event_time FROM {workflows.watermarks} WHERE pipeline = 'readings' AND input = @Input", new { Input = input }, default)).Value
                .ShouldBe(Readings.Start.AddDays(Hosts * 3));
        // The smallest that anything was read at: what came later has to be looked at again.
        (await store.CountAsync("SELECT processed_seq FROM {workflows.watermarks} WHERE input = 'raw'")).ShouldBe(0);
    }

    [Fact]
    public async Task Hosts_that_start_at_once_create_each_table_once()
    {
        await using var store = await OpenAsync();
        for (var round = 0; round < 2; round++)
            await AtOnceAsync(store, async (mine, _) =>
            {
                await MigrateAsync(mine);
                await Readings.RegisterAsync(mine.Features);
                return 0;
            });
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.feature_groups}")).ShouldBe(1);
        (await store.CountAsync("SELECT COUNT(*) FROM {feature_store.group_schemas}")).ShouldBe(1);
        await Readings.PublishAsync(store, Readings.Day, Readings.Row("a", 1, 1));
    }

    /// <summary>Takes what is current at the base, adds one, and does it again where somebody was faster.</summary>
    private static async Task<long> CountUpAsync(TestStore store, AttemptRef attempt, Window window, Action conflict)
    {
        while (true)
        {
            await using var writer = await store.Features.OpenCommitAsync(Readings.Commit(attempt, window), default);
            var before = (await Readings.AsOfAsync(store.Features, writer.BaseSeq, window)).SingleOrDefault().Value ?? 0;
            await writer.WriteAsync(new Readings.Batch([Readings.Row("counter", (window.From - Readings.Start).TotalHours + 1, before + 1)], []), default);
            var won = await store.Ledger.WinAsync(new(attempt) { Commit = Readings.Seal(writer, window, 1) }, default);
            if (won.Outcome == PublishOutcome.Published)
                return won.Seq;
            won.Outcome.ShouldBe(PublishOutcome.Conflict);
            conflict();
        }
    }

    /// <summary>Made one by one, for runs are admitted oldest first.</summary>
    private static async Task<List<AttemptRef>> AttemptsAsync(TestStore store, IEnumerable<Window> windows)
    {
        var attempts = new List<AttemptRef>();
        foreach (var window in windows)
            attempts.Add(await store.AttemptAsync(window));
        return attempts;
    }

    private static async Task<T[]> AtOnceAsync<T>(TestStore store, Func<TestStore, int, Task<T>> work)
    {
        using var start = new SemaphoreSlim(0);
        var tasks = Enumerable.Range(0, Hosts).Select(host => Task.Run(async () =>
        {
            await using var mine = store.Another();
            // Connections are open when all start.
            await mine.Features.CurrentSeqAsync(default);
            await start.WaitAsync();
            return await work(mine, host);
        })).ToArray();
        start.Release(Hosts);
        return await Task.WhenAll(tasks);
    }

    private static RunRequest Request(string? key = null) => new("w", Readings.Day, "ada", "manual", DedupKey: key);

    private async Task<TestStore> OpenRegisteredAsync()
    {
        var store = await OpenAsync();
        await Readings.RegisterAsync(store.Features);
        await store.Ledger.RegisterWorkflowsAsync([("w", 1000, OverlapPolicy.Queue)], default);
        return store;
    }
}
