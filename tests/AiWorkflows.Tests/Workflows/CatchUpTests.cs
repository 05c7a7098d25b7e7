using System.Collections.Concurrent;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

/// <summary>What becomes of the windows that were missed while no host was there, and of requests while others run.</summary>
public class CatchUpTests
{
    [Theory]
    [InlineData(CatchUpPolicy.OneRun, "[2001-01-03, 2001-01-08)")]
    [InlineData(CatchUpPolicy.EachWindow, "[2001-01-03, 2001-01-04) [2001-01-04, 2001-01-05) [2001-01-05, 2001-01-06) [2001-01-06, 2001-01-07) [2001-01-07, 2001-01-08)")]
    [InlineData(CatchUpPolicy.Latest, "[2001-01-07, 2001-01-08)")]
    [InlineData(CatchUpPolicy.None, "")]
    public async Task After_five_days_without_a_host_a_tick_makes_what_the_policy_says(CatchUpPolicy policy, string windows)
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using (var before = await EngineHost.StartAsync(file, Ticking(policy), now: Day(2)))
            await TickToTheEndAsync(before);
        await using (var before = await EngineHost.StartAsync(file, Ticking(policy), now: Day(3)))
            await TickToTheEndAsync(before);

        await using var host = await EngineHost.StartAsync(file, Ticking(policy), now: Day(8.4));
        var known = await host.Ledger.LatestRunIdAsync("w", default);
        await TickToTheEndAsync(host);
        string.Join(" ", (await RunsAsync(host, known)).Select(r => r.Window)).ShouldBe(windows);

        // The next cell is due as ever, and an hourly tick over daily cells does nothing until then.
        known = await host.Ledger.LatestRunIdAsync("w", default);
        host.Get<BusinessClock>().MoveTo(Day(8.96));
        await TickToTheEndAsync(host);
        (await RunsAsync(host, known)).ShouldBeEmpty();
        host.Get<BusinessClock>().MoveTo(Day(9));
        await TickToTheEndAsync(host);
        (await RunsAsync(host, known)).ShouldHaveSingleItem().Window.ShouldBe(Days(8, 9));
    }

    [Theory]
    [InlineData(CatchUpPolicy.OneRun)]
    [InlineData(CatchUpPolicy.EachWindow)]
    [InlineData(CatchUpPolicy.Latest)]
    public async Task Several_hosts_that_tick_at_once_make_one_run(CatchUpPolicy policy)
    {
        await using var file = await SqliteFile.MigratedAsync();
        var hosts = new List<EngineHost>();
        for (var i = 0; i < 4; i++)
            hosts.Add(await EngineHost.StartAsync(file, Ticking(policy), now: Day(5), loop: false));
        var ticks = await Task.WhenAll(hosts.SelectMany(h => Enumerable.Repeat(h, 3)).Select(h => Task.Run(() => h.Engine.TickAsync("w", default))));
        ticks.Count(t => t.Outcome == RequestOutcome.Requested).ShouldBe(1);
        (await hosts[0].Ledger.OpenRunsAsync(default)).Count.ShouldBe(1);
        foreach (var host in hosts)
            await host.DisposeAsync();
    }

    [Fact]
    public async Task By_hand_one_gets_the_newest_window_even_where_nothing_is_caught_up()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, Ticking(CatchUpPolicy.None), now: Day(8.4));
        (await host.Engine.TickAsync("w", default)).Outcome.ShouldBe(RequestOutcome.NothingOwed);
        (await host.FollowAsync()).ShouldHaveSingleItem().Window.ShouldBe(Days(7, 8));
    }

    [Theory]
    [InlineData(OverlapPolicy.Queue, 1, 1, 3)]
    [InlineData(OverlapPolicy.Skip, 1, 1, 0)]
    [InlineData(OverlapPolicy.Parallel, 3, 3, 1)]
    public async Task Requests_that_overlap_wait_are_skipped_or_run_beside_each_other(OverlapPolicy policy, int maxRunning, int together, int waiting)
    {
        await using var file = await SqliteFile.MigratedAsync();
        var running = new ConcurrentDictionary<Window, bool>();
        var release = new TaskCompletionSource();
        var probe = new Probe();
        probe.Before["tick"] = async (window, ct) =>
        {
            running[window] = true;
            await release.Task.WaitAsync(ct);
        };
        await using var host = await EngineHost.StartAsync(file, ai => ai.Workflow("w", w => w.Window(TimeSpan.FromDays(1), Origin).Overlap(policy, maxRunning).Stage<TickPipeline>()), probe, loop: false);
        var runs = new List<long>();
        for (var day = 1; day <= 4; day++)
        {
            runs.Add((await host.RequestAsync(Days(day, day + 1))).RunId!.Value);
            await host.Engine.AdmitRequestedAsync(default);
        }
        var states = new List<string>();
        foreach (var run in runs)
            states.Add((await host.Ledger.FindRunAsync(run, default))!.State);
        states.Count(s => s == States.Running).ShouldBe(together);
        states.Count(s => s == States.Requested).ShouldBe(waiting);
        states.Count(s => s == States.Cancelled).ShouldBe(4 - together - waiting);
        release.SetResult();
        await Task.WhenAll(host.Dispatcher.Jobs);
        running.Count.ShouldBe(together);
    }

    private static Action<AiWorkflowsBuilder> Ticking(CatchUpPolicy policy) =>
        ai => ai.Workflow("w", w => w.Every("0 * * * *").Window(TimeSpan.FromDays(1), Origin).CatchUp(policy).Stage<TickPipeline>().Stage<DoublePipeline>());

    /// <summary>Ticks until there is nothing left to do.</summary>
    internal static async Task TickToTheEndAsync(EngineHost host, string workflow = "w")
    {
        while (true)
        {
            var tick = await host.Engine.TickAsync(workflow, default);
            if (tick.RunId is { } run)
                (await host.EndAsync(run)).Run.State.ShouldBe(States.Succeeded);
            // The engine goes on by itself, and may have come first.
            else if (!tick.Message.Contains("came first", StringComparison.Ordinal))
                return;
        }
    }

    private static async Task<IReadOnlyList<RunRecord>> RunsAsync(EngineHost host, long after)
    {
        var runs = new List<RunRecord>();
        for (var id = after + 1; id <= await host.Ledger.LatestRunIdAsync("w", default); id++)
            runs.Add((await host.Ledger.FindRunAsync(id, default))!);
        return runs;
    }
}
