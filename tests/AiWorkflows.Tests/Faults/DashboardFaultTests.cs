using System.Diagnostics;
using System.Net;

namespace AiWorkflows.Tests.Faults;

/// <summary>People press Delete and Requeue on jobs in Hangfire's own pages, whatever the jobs are just doing: over HTTP, on a host that is a process of its own.</summary>
public sealed class DashboardFaultTests
{
    private const int Days = 4;
    private static readonly string Finished = HostCrowd.Finished(Days);

    /// <summary>Stages that take a while, so that people come in time.</summary>
    private static readonly string Slow = string.Join(';', new[] { "pulse", "peak", "peak written", "low", "spread", "alarm" }.Select(code => $"Pause:code {code}:0"));

    public static TheoryData<StoreEngine, int> Worlds() => new()
    {
        { StoreEngine.Sqlite, 1 }, { StoreEngine.Sqlite, 2 }, { StoreEngine.Sqlite, 3 }, { StoreEngine.SqlServer, 1 }, { StoreEngine.SqlServer, 2 },
    };

    [Theory]
    [MemberData(nameof(Worlds))]
    public async Task Jobs_that_are_deleted_and_requeued_at_random_instants_end_as_those_that_nobody_touches(StoreEngine engine, int seed)
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        var (random, watch) = (new Random(seed), Stopwatch.StartNew());
        var name = $"{engine}, seed {seed}";
        using var site = await FaultSite.OnAsync(engine);
        using var crowd = new HostCrowd(site, new() { Days = Days, Lease = HostCrowd.Sharing(site, Days).Lease });
        for (var hosts = 0; hosts < (site.IsOnServer ? 2 : 1); hosts++)
            crowd.Add(Slow);
        using var pages = await DashboardPages.OfAsync(crowd.Hosts[0], site);
        var pressed = new SortedDictionary<string, int>(StringComparer.Ordinal);
        while (await site.CountAsync(Finished) == 0)
        {
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromMinutes(5), name);
            if (pressed.Values.Sum() < 60 && await AnyJobAsync(site, random) is { } job)
            {
                var button = random.Next(3) == 0 ? "delete" : "requeue";
                (await pages.PostAsync($"/jobs/actions/{button}/{job.JobId}")).ShouldBe(HttpStatusCode.NoContent);
                Count($"{button} {job.What}");
            }
            await Task.Delay(random.Next(300), TestContext.Current.CancellationToken);
            foreach (var stopped in await StoppedAsync(site))
                // The button of the run, or the one of the job that was deleted.
                if (stopped.JobId is not null && random.Next(2) == 0)
                    Count($"requeue deleted: {await pages.PostAsync($"/jobs/actions/requeue/{stopped.JobId}")}");
                else
                    Count($"resume run: {await pages.PostAsync($"/runs/{stopped.RunId}/resume")}");
            await FaultState.CheckLedgerAsync(site, atRest: false, name);
        }
        await crowd.StopAllAsync();

        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {watch.Elapsed.TotalSeconds:0} s; {string.Join(", ", pressed.Select(p => $"{p.Key} {p.Value}"))}");
        (await site.CountAsync("SELECT SUM(failures + lost) FROM {workflows.stage_runs}")).ShouldBe(0, "no button is a failure");
        await FaultState.CheckLedgerAsync(site, atRest: true, name);
        (await FaultState.ReadAsync(site)).ShouldEqual(await FaultWorld.UndisturbedAsync(Days, engine), name);
        pressed.Keys.ShouldContain("requeue running", "no job was executed by two workers at once");
        pressed.Keys.ShouldContain("delete running");

        void Count(string what) => pressed[what] = pressed.GetValueOrDefault(what) + 1;
    }

    [Fact]
    public async Task A_button_without_the_token_of_a_page_changes_nothing()
    {
        Assert.SkipUnless(FaultTests.AtLength, FaultTests.WhySkipped);
        using var site = FaultSite.Embedded();
        using var crowd = new HostCrowd(site, new() { Days = 1 });
        var host = crowd.Add("Wait:code peak:1");
        using var pages = await DashboardPages.OfAsync(host, site);
        await host.UntilAsync(site, "SELECT COUNT(*) FROM {workflows.stage_runs} WHERE step = 'peak' AND state = 'running' AND job_id IS NOT NULL");
        var job = await site.ReadAsync(db => db.ReadFirstAsync<string>("SELECT job_id FROM {workflows.stage_runs} WHERE step = 'peak'", null, default));
        (await pages.PostWithoutTokenAsync($"/jobs/actions/delete/{job}")).ShouldBe(HttpStatusCode.Forbidden);
        (await site.CountAsync("SELECT COUNT(*) FROM {workflows.runs} WHERE state = 'cancelled'")).ShouldBe(0);
        (await pages.PostAsync($"/jobs/actions/delete/{job}")).ShouldBe(HttpStatusCode.NoContent);
        await host.UntilAsync(site, "SELECT COUNT(*) FROM {workflows.runs} WHERE state = 'cancelled'");
    }

    /// <summary>Mostly one that has a step to do, sometimes one of long ago.</summary>
    private static async Task<PressedJob?> AnyJobAsync(FaultSite site, Random random)
    {
        var open = await site.ReadAsync(db => db.ReadAsync<PressedJob>("SELECT job_id, state AS what FROM {workflows.stage_runs} WHERE state IN ('pending', 'running') AND job_id IS NOT NULL ORDER BY stage_run_id", null, default));
        var old = await site.ReadAsync(db => db.ReadAsync<PressedJob>("SELECT job_id, 'old' AS what FROM {workflows.attempts} WHERE outcome IS NOT NULL AND job_id IS NOT NULL ORDER BY stage_run_id, attempt", null, default));
        var from = open.Count == 0 || (old.Count > 0 && random.Next(5) == 0) ? old : open;
        return from.Count == 0 ? null : from[random.Next(from.Count)];
    }

    /// <summary>Runs that were cancelled, each with a job that was deleted.</summary>
    private static Task<IReadOnlyList<StoppedRun>> StoppedAsync(FaultSite site) => site.ReadAsync(db => db.ReadAsync<StoppedRun>("""
        SELECT r.run_id, MAX(s.job_id) AS job_id FROM {workflows.runs} r LEFT JOIN {workflows.stage_runs} s ON s.run_id = r.run_id AND s.state = 'cancelled'
        WHERE r.state IN ('cancelled', 'failed') GROUP BY r.run_id
        """, null, default));

    private sealed class PressedJob
    {
        public string JobId { get; set; } = "";

        public string What { get; set; } = "";
    }

    private sealed class StoppedRun
    {
        public long RunId { get; set; }

        public string? JobId { get; set; }
    }
}
