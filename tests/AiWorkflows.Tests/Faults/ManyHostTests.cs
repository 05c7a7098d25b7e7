using System.Diagnostics;
using AiWorkflows.Tests.Flights;
using Microsoft.Data.Sqlite;

namespace AiWorkflows.Tests.Faults;

/// <summary>Several hosts on one file, whose lock is bypassed: zombies that wake up after their lease, and hosts that come and go.</summary>
public sealed class ManyHostTests
{
    private const int Days = 3;
    private static readonly FaultSettings Sharing = new() { Days = Days, Shared = true };

    private const string Finished = "SELECT COUNT(*) = 7 AND MIN(state = 'succeeded') FROM workflows_runs";

    [Theory]
    [InlineData("after ClaimAsync:3")]
    [InlineData("code peak:2")]
    [InlineData("code pulse written:2")]
    [InlineData("before WinAsync:4")]
    [InlineData("after AdvanceAsync:5")]
    [InlineData("before SetJobsAsync:3")]
    public async Task A_host_that_stood_still_beyond_its_lease_publishes_nothing_when_it_goes_on(string point)
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        var (folder, zombie) = await FrozenAsync(point);
        using var _ = folder;
        using var __ = zombie;
        var mine = await FaultState.CountAsync(folder.Path, "SELECT COUNT(*) FROM workflows_attempts WHERE outcome IS NULL");
        using var other = FaultProcess.Serve(folder.Path, Sharing);
        await other.UntilAsync(folder.Path, Finished);
        var (commits, attempts) = (await Published(folder.Path), await Succeeded(folder.Path));

        await zombie.ThawAsync();
        // It finds its lease lost, and what it has written goes to the collector.
        await zombie.UntilAsync(folder.Path, "SELECT COUNT(*) = 0 FROM feature_store_commits WHERE state IN ('writing', 'discarded')");
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        (await Published(folder.Path), await Succeeded(folder.Path)).ShouldBe((commits, attempts), $"the zombie, which held {mine} leases, has published");
        foreach (var host in new[] { zombie, other })
        {
            await host.TerminateAsync();
            await host.EndAsync();
        }
        (await FaultState.CountAsync(folder.Path, "SELECT COUNT(*) FROM workflows_attempts WHERE outcome = 'lost'")).ShouldBe(mine);
        await FaultState.CheckLedgerAsync(folder.Path, atRest: true, point);
        (await FaultState.ReadAsync(folder.Path)).ShouldEqual(await FaultWorld.UndisturbedAsync(Days), point);
    }

    /// <summary>
    /// A host that stands still at the point. Where another of its threads happens to be inside a transaction, the file stays locked for as long as it stands, and nobody else
    /// can work on it: that is why a file has one host. Then it is tried anew.
    /// </summary>
    private static async Task<(TempFolder Folder, FaultProcess Zombie)> FrozenAsync(string point)
    {
        for (var tries = 1; ; tries++)
        {
            var folder = new TempFolder();
            var zombie = FaultProcess.Serve(folder.Path, Sharing with { At = $"Stop:{point}" });
            await zombie.FrozenAsync();
            if (CanWrite(folder.File("data/aiworkflows.db")))
                return (folder, zombie);
            tries.ShouldBeLessThan(10);
            zombie.Kill();
            await zombie.EndAsync();
            zombie.Dispose();
            folder.Dispose();
        }
    }

    private static bool CanWrite(string database)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False;Default Timeout=1");
        connection.Open();
        try
        {
            using var transaction = connection.BeginTransaction();
            return true;
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    [Fact]
    public async Task Four_hosts_that_are_killed_and_replaced_end_as_one_that_is_left_alone()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        var random = new Random(4);
        var watch = Stopwatch.StartNew();
        var kills = 0;
        using var folder = new TempFolder();
        var hosts = new List<FaultProcess>();
        try
        {
            while (hosts.Count < 4)
                hosts.Add(FaultProcess.Serve(folder.Path, Sharing));
            await hosts[0].UntilAsync(folder.Path, "SELECT COUNT(*) FROM workflows_attempts");
            for (; kills < 20 && await FaultState.CountAsync(folder.Path, Finished) == 0; kills++)
            {
                await Task.Delay(random.Next(500, 3000), TestContext.Current.CancellationToken);
                var victim = random.Next(hosts.Count);
                hosts[victim].Kill();
                await hosts[victim].EndAsync();
                hosts[victim].Dispose();
                hosts[victim] = FaultProcess.Serve(folder.Path, Sharing);
                await FaultState.CheckLedgerAsync(folder.Path, atRest: false, $"kill {kills}");
            }
            await hosts[0].UntilAsync(folder.Path, Finished);
            foreach (var host in hosts)
            {
                await host.TerminateAsync();
                await host.EndAsync();
            }
        }
        finally
        {
            foreach (var host in hosts)
                host.Dispose();
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kills} kills of 4 hosts, {await FaultState.CountAsync(folder.Path, "SELECT COUNT(DISTINCT host) FROM workflows_attempts")} hosts had steps, {watch.Elapsed.TotalSeconds:0} s");
        await FaultState.CheckLedgerAsync(folder.Path, atRest: true, "four hosts");
        (await FaultState.ReadAsync(folder.Path)).ShouldEqual(await FaultWorld.UndisturbedAsync(Days), "four hosts");
    }

    private static Task<long> Published(string folder) => FaultState.CountAsync(folder, "SELECT COUNT(*) FROM feature_store_commits WHERE state = 'published'");

    private static Task<long> Succeeded(string folder) => FaultState.CountAsync(folder, "SELECT COUNT(*) FROM workflows_attempts WHERE outcome = 'succeeded'");
}
