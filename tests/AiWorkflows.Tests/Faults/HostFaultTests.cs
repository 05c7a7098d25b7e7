using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Faults;

/// <summary>What can happen to a host besides its death: it is asked to stop, hangs, loses its database, has a wrong clock, gets its jobs twice, or runs what kills it.</summary>
public sealed class HostFaultTests
{
    private const int Days = 3;
    private static readonly FaultSettings Quiet = new() { Days = Days };

    [Fact]
    public async Task A_host_that_is_asked_to_stop_gives_its_steps_back_at_once_and_nothing_is_counted()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = FaultSite.Embedded();
        using (var host = FaultProcess.Start(site, Quiet with { At = "Wait:code peak:2" }, "run", "meters"))
        {
            await host.UntilAsync(site, "SELECT COUNT(*) FROM {workflows.stage_runs} WHERE step = 'peak' AND state = 'running' AND run_id = 2");
            var watch = Stopwatch.StartNew();
            await host.TerminateAsync();
            await host.EndAsync();
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        }
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE state = 'running'")).ShouldBe(0);
        (await site.CountAsync("SELECT SUM(failures + lost) FROM {workflows.stage_runs}")).ShouldBe(0);
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'released'")).ShouldBeGreaterThan(0);
        await EndsAsUndisturbedAsync(site, "after SIGTERM");
    }

    [Fact]
    public async Task A_database_that_is_away_for_a_minute_costs_no_attempt()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = FaultSite.Embedded();
        using (var host = FaultProcess.Start(site, Quiet, "run", "meters"))
        {
            await host.UntilAsync(site, "SELECT COUNT(*) FROM {workflows.stage_runs} WHERE state = 'running' AND run_id >= 2");
            await using (var other = new SqliteConnection($"Data Source={site.DatabaseFile};Pooling=False"))
            {
                await other.OpenAsync(TestContext.Current.CancellationToken);
                // Nobody else can write while this transaction is open.
                using var transaction = other.BeginTransaction();
                await Task.Delay(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            }
            await host.EndAsync();
            host.ExitCode.ShouldBe(0, await host.TextAsync());
        }
        (await site.CountAsync("SELECT SUM(failures) FROM {workflows.stage_runs}")).ShouldBe(0);
        // The leases of three seconds have run out a dozen times over; nobody has taken them away.
        (await site.CountAsync("SELECT SUM(lost) FROM {workflows.stage_runs}")).ShouldBe(0);
        await EndsAsUndisturbedAsync(site, "after an outage");
    }

    [Theory]
    [InlineData("01:00:00")]
    [InlineData("-01:00:00")]
    public async Task A_host_whose_clock_is_an_hour_off_from_the_databases_works_as_any_other(string offset)
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = FaultSite.Embedded();
        var clock = TimeSpan.Parse(offset, System.Globalization.CultureInfo.InvariantCulture);
        // A failure and a stop, so that something has to be tried again later.
        using (var host = await FaultProcess.Start(site, Quiet with { Clock = clock, At = "Throw:code peak:1;Kill:after WinAsync:9" }, "run", "meters").EndAsync())
            host.WasKilled.ShouldBeTrue(await host.TextAsync());
        using (var host = await FaultProcess.Start(site, Quiet with { Clock = clock, At = "Throw:code peak:1" }, "run", "meters").EndAsync())
            host.ExitCode.ShouldBe(0, await host.TextAsync());
        (await site.CountAsync("SELECT SUM(failures) FROM {workflows.stage_runs}")).ShouldBe(2);
        await EndsAsUndisturbedAsync(site, $"clock {offset} off");
    }

    [Fact]
    public async Task Jobs_that_are_delivered_twice_do_their_work_once()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = FaultSite.Embedded();
        using (var host = await FaultProcess.Start(site, Quiet with { More = new Dictionary<string, string> { ["FAULT_TWICE"] = "1" } }, "run", "meters").EndAsync())
            host.ExitCode.ShouldBe(0, await host.TextAsync());
        (await site.CountAsync("SELECT MAX(attempt) FROM {workflows.stage_runs}")).ShouldBe(1);
        await EndsAsUndisturbedAsync(site, "delivered twice");
    }

    [Fact]
    public async Task Code_that_ignores_its_cancellation_is_left_behind_and_ends_the_process_when_it_has_taken_all_workers()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = FaultSite.Embedded();
        var hanging = Quiet with { At = "Hang:code peak:0", More = new Dictionary<string, string> { ["FAULT_LIMIT"] = "00:00:01", ["FAULT_WORKERS"] = "2" } };
        using (var host = await FaultProcess.Serve(site, hanging).EndAsync())
            host.ExitCode.ShouldBe(1, await host.TextAsync());
        (await site.CountAsync("SELECT failures FROM {workflows.stage_runs} WHERE step = 'peak'")).ShouldBe(2);
        await EndsAsUndisturbedAsync(site, "after code that hung");
    }

    [Fact]
    public async Task A_stage_that_takes_down_its_host_fails_after_ten_hosts_and_spares_its_neighbours()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = FaultSite.Embedded();
        // Whatever supervises the host starts it again and again.
        for (var hosts = 0; hosts < 10; hosts++)
        {
            using var host = await FaultProcess.Serve(site, Quiet with { At = "Kill:code spread:0" }).EndAsync();
            host.WasKilled.ShouldBeTrue(await host.TextAsync());
        }
        using (var host = FaultProcess.Serve(site, Quiet with { At = "Kill:code spread:0" }))
        {
            await host.UntilAsync(site, "SELECT COUNT(*) FROM {workflows.runs} WHERE state = 'failed' AND error LIKE '%lost its host too often%'");
            // Its schedule does not resume what has taken down ten of its kind.
            await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
            host.HasExited.ShouldBeFalse();
            await host.TerminateAsync();
            await host.EndAsync();
        }
        (await site.CountAsync("SELECT lost FROM {workflows.stage_runs} WHERE step = 'spread'")).ShouldBe(10);
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE step IN ('pulse', 'sum', 'peak', 'alarm') AND state <> 'succeeded'")).ShouldBe(0);
        (await site.CountAsync("SELECT MAX(lost) FROM {workflows.stage_runs} WHERE step <> 'spread'")).ShouldBeLessThan(3);
        await EndsAsUndisturbedAsync(site, "after a poison");
    }

    /// <summary>A host without faults does what is left.</summary>
    private static async Task EndsAsUndisturbedAsync(FaultSite site, string world)
    {
        using var last = await FaultProcess.Start(site, Quiet, "run", "meters").EndAsync();
        last.ExitCode.ShouldBe(0, await last.TextAsync());
        await FaultState.CheckLedgerAsync(site, atRest: true, world);
        (await FaultState.ReadAsync(site)).ShouldEqual(await FaultWorld.UndisturbedAsync(Days), world);
    }
}
