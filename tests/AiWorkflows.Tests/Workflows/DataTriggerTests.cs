using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Workflow v reads what w writes, and starts when there is something new.</summary>
public class DataTriggerTests
{
    private static readonly TimeSpan Debounce = TimeSpan.FromMilliseconds(400);

    [Fact]
    public async Task A_commit_of_another_workflow_starts_it_once_and_its_own_commits_do_not()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await StartAsync(file);
        await PublishAsync(host, Days(1, 3));
        var run = await NextRunAsync(host, 0);
        (run.TriggeredBy, run.RequestedBy, run.Window, run.State).ShouldBe(("data", "data", Days(1, 5), "succeeded"));
        (await file.Database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {feature_store.doubles_v1}", null, default)).ShouldBe(16);

        await Task.Delay(Debounce * 3);
        (await host.Engine.TriggerOnDataAsync(default)).ShouldBeNull("nothing is waited for");
        (await host.Ledger.LatestRunIdAsync("v", default)).ShouldBe(run.RunId);

        // New data for cells that it has covered: they are computed again.
        await PublishAsync(host, Days(3, 4));
        (await NextRunAsync(host, run.RunId)).Window.ShouldBe(Days(3, 4));
    }

    [Fact]
    public async Task A_series_of_commits_is_one_run()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await StartAsync(file, TimeSpan.FromSeconds(2));
        for (var day = 1; day < 4; day++)
            await PublishAsync(host, Days(day, day + 1));
        (await host.Ledger.LatestRunIdAsync("v", default)).ShouldBe(0);
        (await host.Engine.TriggerOnDataAsync(default)).ShouldNotBeNull().ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromSeconds(2));
        var run = await NextRunAsync(host, 0);
        run.Window.ShouldBe(Days(1, 5));
        (await file.Database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.runs} WHERE workflow = 'v'", null, default)).ShouldBe(1);
    }

    [Fact]
    public async Task What_came_while_no_host_was_there_counts_for_the_next_and_several_make_one_run()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using (var before = await StartAsync(file, triggers: false))
        {
            await PublishAsync(before, Days(1, 3));
            await Task.Delay(Debounce);
        }
        var hosts = new List<EngineHost>();
        for (var i = 0; i < 3; i++)
            hosts.Add(await StartAsync(file, loop: false));
        await Task.WhenAll(hosts.SelectMany(h => Enumerable.Repeat(h, 3)).Select(h => Task.Run(() => h.Engine.TriggerOnDataAsync(default))));
        (await file.Database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {workflows.runs} WHERE workflow = 'v'", null, default)).ShouldBe(1);
        foreach (var host in hosts)
            await host.DisposeAsync();
    }

    [Fact]
    public async Task While_it_is_paused_nothing_starts_it()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await StartAsync(file, loop: false);
        await host.Engine.PauseAsync("v", "me", default);
        await host.RequestAsync(Days(1, 3));
        await host.Engine.AdmitRequestedAsync(default);
        await Task.WhenAll(host.Dispatcher.Jobs);
        await Task.Delay(Debounce);
        (await host.Engine.TriggerOnDataAsync(default)).ShouldBeNull();
        (await host.Ledger.LatestRunIdAsync("v", default)).ShouldBe(0);
        await host.Engine.ResumeScheduleAsync("v", "me", default);
        await host.Engine.TriggerOnDataAsync(default);
        (await host.Ledger.LatestRunIdAsync("v", default)).ShouldBeGreaterThan(0);
    }

    private static async Task<EngineHost> StartAsync(SqliteFile file, TimeSpan? debounce = null, bool triggers = true, bool loop = true)
    {
        var host = await EngineHost.StartAsync(file, ai => ai
            .Workflow("w", w => w.Window(TimeSpan.FromDays(1), Origin).Stage<TickPipeline>())
            .Workflow("v", w => w.OnNewData(debounce ?? Debounce).Window(TimeSpan.FromDays(1), Origin).Stage<DoublePipeline>()), now: Day(5), loop: loop);
        host.Engine.TriggersOnData = triggers;
        return host;
    }

    private static async Task PublishAsync(EngineHost host, Window window) => (await host.EndAsync((await host.RequestAsync(window)).RunId!.Value)).Run.State.ShouldBe(States.Succeeded);

    private static async Task<RunRecord> NextRunAsync(EngineHost host, long after)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await host.Ledger.LatestRunIdAsync("v", default) <= after)
            await timer.WaitForNextTickAsync(timeout.Token);
        return (await host.EndAsync(await host.Ledger.LatestRunIdAsync("v", default))).Run;
    }
}
