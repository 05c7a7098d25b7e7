using System.Data.Common;
using System.Diagnostics;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Faults;

/// <summary>
/// Several hosts on one database, on SQLite on a file whose lock is bypassed: zombies that wake up after their lease, jobs that are delivered twice, and hosts that come and go.
/// The workflow is a diamond: one stage, three that follow it, one of them in partitions, and one that waits for all.
/// </summary>
public sealed class ManyHostTests
{
    private const int Days = 3;
    private static readonly string Finished = HostCrowd.Finished(Days);

    public static TheoryData<StoreEngine, string> Zombies()
    {
        var data = new TheoryData<StoreEngine, string>();
        foreach (var engine in new[] { StoreEngine.Sqlite, StoreEngine.SqlServer })
            foreach (var point in new[] { "after ClaimAsync:3", "code peak:2", "code pulse written:2", "before WinAsync:4", "after AdvanceAsync:5", "before SetJobsAsync:3" })
                data.Add(engine, point);
        return data;
    }

    [Theory]
    [MemberData(nameof(Zombies))]
    public async Task A_host_that_stood_still_beyond_its_lease_publishes_nothing_when_it_goes_on(StoreEngine engine, string point)
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        var undisturbed = await FaultWorld.UndisturbedAsync(Days, engine);
        var (site, zombie) = await FrozenAsync(engine, point);
        using var _ = site;
        using var __ = zombie;
        var mine = await site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome IS NULL");
        using var other = FaultProcess.Serve(site, HostCrowd.Sharing(site, Days));
        await other.UntilAsync(site, Finished);
        var (commits, attempts) = (await Published(site), await Succeeded(site));

        await zombie.ThawAsync();
        // It finds its lease lost, and what it has written goes to the collector.
        await zombie.UntilAsync(site, "SELECT CASE WHEN COUNT(*) = 0 THEN 1 ELSE 0 END FROM {feature_store.commits} WHERE state IN ('writing', 'discarded')");
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        (await Published(site), await Succeeded(site)).ShouldBe((commits, attempts), $"the zombie, which held {mine} leases, has published");
        foreach (var host in new[] { zombie, other })
        {
            await host.TerminateAsync();
            await host.EndAsync();
        }
        // A server goes on with the statement of another worker that had reached it, and that attempt may have ended.
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'lost'")).ShouldBeInRange(engine == StoreEngine.Sqlite ? mine : 1, engine == StoreEngine.Sqlite ? mine : long.MaxValue);
        await FaultState.CheckLedgerAsync(site, atRest: true, point);
        (await FaultState.ReadAsync(site)).ShouldEqual(undisturbed, point);
    }

    [Theory]
    [InlineData(StoreEngine.Sqlite)]
    [InlineData(StoreEngine.SqlServer)]
    public async Task Four_hosts_that_are_killed_and_replaced_end_as_one_that_is_left_alone(StoreEngine engine)
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        var random = new Random(4);
        var watch = Stopwatch.StartNew();
        var kills = 0;
        using var site = await FaultSite.OnAsync(engine);
        using var crowd = new HostCrowd(site, HostCrowd.Sharing(site, Days));
        while (crowd.Hosts.Count < 4)
            crowd.Add();
        await crowd.Hosts[0].UntilAsync(site, "SELECT COUNT(*) FROM {workflows.attempts}");
        for (; kills < 20 && await site.CountAsync(Finished) == 0; kills++)
        {
            await Task.Delay(random.Next(500, 3000), TestContext.Current.CancellationToken);
            await crowd.KillAsync(crowd.Hosts[random.Next(4)]);
            crowd.Add();
            await FaultState.CheckLedgerAsync(site, atRest: false, $"kill {kills}");
        }
        await EndAsUndisturbedAsync(site, crowd, engine);
        TestContext.Current.TestOutputHelper?.WriteLine($"{kills} kills of 4 hosts on {site.Engine}, {await HostsAsync(site)} hosts had steps, {watch.Elapsed.TotalSeconds:0} s");
    }

    [Theory]
    [InlineData(StoreEngine.Sqlite)]
    [InlineData(StoreEngine.SqlServer)]
    public async Task Four_hosts_that_get_every_job_twice_do_its_work_once(StoreEngine engine)
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = await FaultSite.OnAsync(engine);
        using var crowd = new HostCrowd(site, HostCrowd.Sharing(site, Days) with { More = new Dictionary<string, string> { ["FAULT_TWICE"] = "1" } });
        while (crowd.Hosts.Count < 4)
            crowd.Add();
        await EndAsUndisturbedAsync(site, crowd, engine);
        // Two workers have had each job; one of them has found nothing to claim.
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome NOT IN ('succeeded', 'lost')")).ShouldBe(0);
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'succeeded'"))
            .ShouldBe(await site.CountAsync("SELECT COUNT(*) FROM {workflows.stage_runs} WHERE state = 'succeeded'"));
        TestContext.Current.TestOutputHelper?.WriteLine($"{await Succeeded(site)} steps on {site.Engine}, each with two jobs, in {await HostsAsync(site)} hosts");
    }

    [Fact]
    public async Task Hosts_that_share_a_server_and_are_replaced_one_after_another_lose_and_double_nothing()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        const int days = 8;
        var (random, watch) = (new Random(8), Stopwatch.StartNew());
        using var site = await FaultSite.OnSqlServerAsync();
        using var crowd = new HostCrowd(site, HostCrowd.Sharing(site, days));
        while (crowd.Hosts.Count < 3)
            crowd.Add();
        await crowd.Hosts[0].UntilAsync(site, "SELECT COUNT(*) FROM {workflows.attempts}");
        var replaced = 0;
        for (; await site.CountAsync(HostCrowd.Finished(days)) == 0; replaced++)
        {
            // The oldest goes while its successor starts.
            var started = crowd.Add();
            await crowd.StopAsync(crowd.Hosts[0]);
            await SomeStepsLaterAsync(site, days, started, random.Next(1, 8));
            await FaultState.CheckLedgerAsync(site, atRest: false, $"host {replaced} was replaced");
        }
        await crowd.StopAllAsync();
        await NothingWasLostAsync(site, replaced, watch);
        await FaultState.CheckLedgerAsync(site, atRest: true, "rolling restart");
        (await FaultState.ReadAsync(site)).ShouldEqual(await FaultWorld.UndisturbedAsync(days, StoreEngine.SqlServer), "rolling restart");
    }

    [Fact]
    public async Task Hosts_that_hand_an_embedded_database_over_one_after_another_lose_and_double_nothing()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        const int days = 8;
        var (random, watch, replaced) = (new Random(8), Stopwatch.StartNew(), 0);
        using var site = FaultSite.Embedded();
        using var crowd = new HostCrowd(site, new() { Days = days });
        for (; replaced == 0 || await site.CountAsync(HostCrowd.Finished(days)) == 0; replaced++)
        {
            var host = crowd.Add();
            await SomeStepsLaterAsync(site, days, host, random.Next(1, 25));
            await crowd.StopAsync(host);
            await FaultState.CheckLedgerAsync(site, atRest: false, $"host {replaced} was stopped");
        }
        await NothingWasLostAsync(site, replaced, watch);
        await FaultState.CheckLedgerAsync(site, atRest: true, "hand-over");
        (await FaultState.ReadAsync(site)).ShouldEqual(await FaultWorld.UndisturbedAsync(days), "hand-over");
    }

    /// <summary>The host is there, and so many more steps have succeeded, if there are as many.</summary>
    private static async Task SomeStepsLaterAsync(FaultSite site, int days, FaultProcess host, int steps)
    {
        await host.UntilAsync(site, $"SELECT COUNT(*) FROM {{workflows.hosts}} WHERE process_id = {host.Id}");
        var before = await Succeeded(site);
        await host.UntilAsync(site, $$"""
            SELECT CASE WHEN ({{HostCrowd.Finished(days)}}) = 1 OR (SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'succeeded') >= {{before + steps}} THEN 1 ELSE 0 END
            """);
    }

    private static async Task NothingWasLostAsync(FaultSite site, int replaced, Stopwatch watch)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{replaced} hosts replaced on {site.Engine}, {await site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'released'")} attempts given back, {watch.Elapsed.TotalSeconds:0} s");
        replaced.ShouldBeGreaterThan(3);
        (await site.CountAsync("SELECT SUM(failures + lost) FROM {workflows.stage_runs}")).ShouldBe(0);
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome NOT IN ('succeeded', 'released')")).ShouldBe(0);
        (await HostsAsync(site)).ShouldBeGreaterThan(2);
    }

    private static async Task EndAsUndisturbedAsync(FaultSite site, HostCrowd crowd, StoreEngine engine)
    {
        await crowd.Hosts[0].UntilAsync(site, Finished);
        await crowd.StopAllAsync();
        await FaultState.CheckLedgerAsync(site, atRest: true, "four hosts");
        (await FaultState.ReadAsync(site)).ShouldEqual(await FaultWorld.UndisturbedAsync(Days, engine), "four hosts");
    }

    /// <summary>
    /// A host that stands still at the point. Where another of its threads happens to be inside a transaction, its locks stay for as long as it stands, and nobody else
    /// can work on what they hold: of a file that is all. Then it is tried anew.
    /// </summary>
    private static async Task<(FaultSite Site, FaultProcess Zombie)> FrozenAsync(StoreEngine engine, string point)
    {
        for (var tries = 1; ; tries++)
        {
            var site = await FaultSite.OnAsync(engine);
            var zombie = FaultProcess.Serve(site, HostCrowd.Sharing(site, Days) with { At = $"Stop:{point}" });
            await zombie.FrozenAsync();
            if (await CanWriteAsync(site))
                return (site, zombie);
            tries.ShouldBeLessThan(10);
            zombie.Kill();
            await zombie.EndAsync();
            zombie.Dispose();
            site.Dispose();
        }
    }

    private static async Task<bool> CanWriteAsync(FaultSite site)
    {
        await using DbConnection connection = site.IsOnServer
            ? new SqlConnection(site.Settings["AiWorkflows__ConnectionString"]) : new SqliteConnection($"Data Source={site.DatabaseFile};Pooling=False;Default Timeout=1");
        await connection.OpenAsync();
        try
        {
            await using var transaction = await connection.BeginTransactionAsync();
            if (site.IsOnServer)
                foreach (var sql in new[]
                {
                    "UPDATE workflows.workflows SET touch = touch", "UPDATE workflows.runs SET touch = touch", "UPDATE workflows.stage_runs SET attempt = attempt",
                    "UPDATE feature_store.publication_clock SET seq = seq", "UPDATE feature_store.commits SET rows = rows",
                })
                {
                    await using var command = connection.CreateCommand();
                    (command.CommandText, command.Transaction, command.CommandTimeout) = (sql, transaction, 3);
                    await command.ExecuteNonQueryAsync();
                }
            await transaction.RollbackAsync();
            return true;
        }
        catch (DbException)
        {
            return false;
        }
    }

    private static Task<long> Published(FaultSite site) => site.CountAsync("SELECT COUNT(*) FROM {feature_store.commits} WHERE state = 'published'");

    private static Task<long> Succeeded(FaultSite site) => site.CountAsync("SELECT COUNT(*) FROM {workflows.attempts} WHERE outcome = 'succeeded'");

    private static Task<long> HostsAsync(FaultSite site) => site.CountAsync("SELECT COUNT(DISTINCT host) FROM {workflows.attempts}");
}
