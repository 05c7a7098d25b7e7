using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Schedules that come due by the clock of a replay.</summary>
public class ReplayTickerTests
{
    private readonly FakeTimeProvider _system = new();
    private readonly BusinessClock _clock;
    private readonly List<(string Workflow, DateTime At)> _ticks = [];

    public ReplayTickerTests() => _clock = new(Day(5), _system);

    [Fact]
    public async Task Every_schedule_ticks_at_the_start_and_at_each_of_its_times_by_the_clock_of_the_replay_and_at_the_end()
    {
        await RunAsync(speed: 3600, until: Day(5).AddHours(5.5), step: TimeSpan.FromMilliseconds(250), ("hourly", "0 * * * *"), ("even", "0 */2 * * *"));
        _ticks.Where(t => t.Workflow == "hourly").Select(t => t.At.TimeOfDay.TotalHours).ShouldBe([0, 1, 2, 3, 4, 5, 5.5]);
        _ticks.Where(t => t.Workflow == "even").Select(t => t.At.TimeOfDay.TotalHours).ShouldBe([0, 2, 4, 5.5]);
        _ticks.ShouldAllBe(t => t.At.Date == Day(5));
    }

    [Fact]
    public async Task Ticks_that_were_missed_while_one_took_its_time_are_one()
    {
        // The second tick takes three hours of the replay.
        await RunAsync(speed: 3600, until: Day(5).AddHours(6), step: TimeSpan.FromMilliseconds(250), during: n =>
        {
            if (n == 2)
                _system.Advance(TimeSpan.FromSeconds(3));
        }, ("hourly", "0 * * * *"));
        // At four, give or take the pause between two ticks.
        _ticks.Select(t => t.At.Hour).ShouldBe([0, 1, 4, 5, 6]);
    }

    [Fact]
    public async Task However_fast_the_clock_a_workflow_ticks_at_most_four_times_a_second()
    {
        await RunAsync(speed: 1_000_000, until: Day(5).AddDays(10), step: TimeSpan.FromMilliseconds(50), ("hourly", "0 * * * *"));
        // Ten days are less than a second.
        _ticks.Count.ShouldBeInRange(2, 6);
        _ticks[^1].At.ShouldBe(Day(15));
    }

    [Fact]
    public async Task A_tick_that_fails_is_followed_by_the_next()
    {
        await RunAsync(speed: 3600, until: Day(5).AddHours(2), step: TimeSpan.FromMilliseconds(250), during: n =>
        {
            if (n == 2)
                throw new IOException("The disk is away.");
        }, ("hourly", "0 * * * *"));
        _ticks.Select(t => t.At.Hour).ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task By_its_ticks_a_workflow_warms_up_to_the_start_and_then_runs_window_after_window_until_the_clock_stops()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, ai =>
        {
            ai.ReplayFrom = Day(4).AddHours(7);
            ai.Add<TickView>().Workflow("w", w => w.Every("0 * * * *").Window(TimeSpan.FromDays(1), Origin).WarmUp(Day(7)).Until(Day(8))
                .Stage<ScorePipeline>().Stage<TrainPipeline>().Stage<DoublePipeline>().Stage<OutcomePipeline>().Stage<TickPipeline>());
        }, now: Day(4).AddHours(7));
        var clock = host.Get<BusinessClock>();
        // A day in a second and a half, while a run takes a fraction of one.
        clock.Run(Day(4).AddHours(7), 57_600, Day(8));
        await new ReplayTicker(host.Get<Catalog>().Workflows, clock, TimeProvider.System, Day(8), host.Engine.TickAsync, NullLogger.Instance).RunAsync(TestContext.Current.CancellationToken);
        while ((await host.RequestAsync()) is { RunId: { } open })
            await host.EndAsync(open);

        var runs = await host.Ledger.CoverageAsync(["score"], default);
        runs.ShouldHaveSingleItem().Window.ShouldBe(Days(4, 8));
        host.Probe.Executions.Where(e => e.Stage == "tick").Select(e => e.Window).First().ShouldBe(Days(1, 4));
        host.Probe.Executions.Count(e => e.Stage == "train").ShouldBeGreaterThan(1);
        (await host.Ledger.LatestRunIdAsync("w", default)).ShouldBe(1 + host.Probe.CountOf("train"));
    }

    private Task RunAsync(double speed, DateTime until, TimeSpan step, params (string Name, string Cron)[] workflows) => RunAsync(speed, until, step, null, workflows);

    private async Task RunAsync(double speed, DateTime until, TimeSpan step, Action<int>? during, params (string Name, string Cron)[] workflows)
    {
        WorkflowDefinition[] scheduled = [.. workflows.Select(w => new WorkflowDefinition(w.Name, w.Cron, TimeSpan.FromHours(1), Origin, null, until, CatchUpPolicy.OneRun, OverlapPolicy.Queue, 1, []))];
        _clock.Run(Day(5), speed, until);
        var ticker = new ReplayTicker(scheduled, _clock, _system, until, (workflow, _) =>
        {
            _ticks.Add((workflow, _clock.GetUtcNow().UtcDateTime));
            during?.Invoke(_ticks.Count);
            return Task.CompletedTask;
        }, NullLogger.Instance);
        var running = ticker.RunAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < 10_000 && !running.IsCompleted; i++)
        {
            _system.Advance(step);
            // The delay's continuation runs on another thread.
            for (var spin = 0; spin < 20; spin++)
                await Task.Yield();
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        await running.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }
}
