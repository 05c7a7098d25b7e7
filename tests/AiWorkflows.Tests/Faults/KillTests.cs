using System.Diagnostics;
using System.Globalization;

namespace AiWorkflows.Tests.Faults;

/// <summary>
/// Hosts that are killed with SIGKILL again and again, at random instants and at every point of the protocol: 200 times with AIWORKFLOWS_TEST_LONG=1,
/// as often as AIWORKFLOWS_TEST_KILLS says where that is set. A world begins with its seed, the first one with AIWORKFLOWS_TEST_SEED (1).
/// </summary>
public sealed class KillTests
{
    private const int Days = 6;
    private const int KillsPerWorld = 25;

    /// <summary>Hosts start more slowly there; a soak is one on SQLite.</summary>
    private const int OnServer = 40;

    private const int DaysOnServer = 1;

    [Fact]
    public async Task However_often_hosts_are_killed_the_end_is_that_of_an_undisturbed_run()
    {
        var kills = Asked();
        Assert.SkipWhen(kills == 0, "Takes minutes; set AIWORKFLOWS_TEST_LONG=1, or AIWORKFLOWS_TEST_KILLS to a number of kills.");
        var watch = Stopwatch.StartNew();
        await FaultWorld.UndisturbedAsync(Days);
        var (done, stops, worlds) = (0, 0, 0);
        var at = new SortedDictionary<string, int>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(Seeds(), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            using var world = new FaultWorld(seed, Days);
            await world.RunAsync(Math.Min(KillsPerWorld, Math.Max(1, kills - Volatile.Read(ref done))));
            lock (at)
            {
                (done, stops, worlds) = (done + world.Kills, stops + world.Stops, worlds + 1);
                foreach (var (point, count) in world.KilledAt)
                    at[point] = at.GetValueOrDefault(point) + count;
                TestContext.Current.TestOutputHelper?.WriteLine($"{world.Name}: {world.Kills} kills and {world.Stops} stops; {done} kills after {watch.Elapsed.TotalSeconds:0} s");
            }
        });
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{done} kills and {stops} stops in {worlds} worlds, {watch.Elapsed.TotalSeconds:0} s; at {at.Count} points: {string.Join(", ", at.Select(a => $"{a.Key} {a.Value}"))}");
        done.ShouldBeGreaterThanOrEqualTo(kills);

        IEnumerable<int> Seeds()
        {
            for (var seed = FirstSeed; Volatile.Read(ref done) < kills; seed++)
                yield return seed;
        }
    }

    [Fact]
    public async Task However_often_hosts_that_share_a_server_are_killed_the_end_is_that_of_an_undisturbed_run()
    {
        var kills = Math.Min(Asked(), OnServer);
        Assert.SkipWhen(kills == 0, "Takes minutes; set AIWORKFLOWS_TEST_LONG=1, or AIWORKFLOWS_TEST_KILLS to a number of kills.");
        var watch = Stopwatch.StartNew();
        await FaultWorld.UndisturbedAsync(DaysOnServer, StoreEngine.SqlServer);
        var (done, stops, seed) = (0, 0, FirstSeed - 1);
        var at = new SortedDictionary<string, int>(StringComparer.Ordinal);
        while (done < kills)
        {
            using var site = await FaultSite.OnSqlServerAsync();
            using var world = new SharedFaultWorld(++seed, DaysOnServer, site);
            await world.RunAsync(Math.Min(KillsPerWorld, kills - done));
            (done, stops) = (done + world.Kills, stops + world.Stops);
            foreach (var (point, count) in world.KilledAt)
                at[point] = at.GetValueOrDefault(point) + count;
            TestContext.Current.TestOutputHelper?.WriteLine($"{world.Name}: {world.Kills} kills and {world.Stops} stops; {done} kills after {watch.Elapsed.TotalSeconds:0} s");
        }
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{done} kills and {stops} stops in {seed - FirstSeed + 1} worlds on SQL Server, {watch.Elapsed.TotalSeconds:0} s; at {at.Count} points: {string.Join(", ", at.Select(a => $"{a.Key} {a.Value}"))}");
    }

    [Fact]
    public async Task Every_point_at_which_hosts_are_killed_is_one_that_hosts_pass()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        // The points that hosts pass, as they tell themselves: one that has been renamed, or that nobody passes any more, is no proof.
        var passed = new HashSet<string>();
        var never = new List<string>();
        using (var site = FaultSite.Embedded())
        {
            var trace = Path.Combine(site.Folder, "trace");
            using var host = await FaultProcess.Start(site, new() { Trace = trace, At = "Throw:code peak:1" }, "run", "meters").EndAsync();
            host.ExitCode.ShouldBe(0, await host.TextAsync());
            passed.UnionWith(await File.ReadAllLinesAsync(trace));
            never.AddRange(FaultWorld.Points.Where(p => !passed.Contains(p)));
        }
        // Those that only recovery passes.
        never.ShouldBeSubsetOf(["before UndispatchAsync", "after UndispatchAsync", "before a commit is collected", "before ExpireAsync", "after ExpireAsync"]);
    }

    private static int FirstSeed => Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_SEED") is { Length: > 0 } seed ? int.Parse(seed, CultureInfo.InvariantCulture) : 1;

    private static int Asked() => Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_KILLS") is { Length: > 0 } asked
        ? int.Parse(asked, CultureInfo.InvariantCulture)
        : FaultTests.AtLength ? 200 : 0;
}

internal static class FaultTests
{
    public const string WhySkipped = "Starts and kills processes for minutes; set AIWORKFLOWS_TEST_LONG=1.";

    public static bool AtLength => Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1";
}
