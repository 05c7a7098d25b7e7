using System.Net;

namespace AiWorkflows.Tests.Dashboard;

public sealed class RunComparisonTests
{
    [Fact]
    public async Task Two_runs_stand_side_by_side_stage_by_stage()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/runs/41/compare?with=60");
        html.ShouldContain("<h1>Runs 41 and 60</h1>");
        html.ShouldContain("Of flight-delays and of route-stats.");
        // 29 s in run 41, 41 s in run 60, which wrote 96 rows more.
        html.ShouldContain("<span class=\"aw-t-bad\">+12.0 s</span>");
        html.ShouldContain("<td class=\"aw-num\">+96</td>");
        html.ShouldContain("not in it");
        html.ShouldContain("departures");
    }

    [Fact]
    public async Task Without_the_other_it_is_the_last_that_has_succeeded_before()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        (await client.GetStringAsync(host.Url + "/hangfire/runs/41/compare")).ShouldContain("<h1>Runs 38 and 41</h1>");
        (await client.GetStringAsync(host.Url + "/hangfire/runs/10/compare")).ShouldContain("No run before it has succeeded; name another one.");
        (await client.GetAsync(host.Url + "/hangfire/runs/41/compare?with=7777")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetAsync(host.Url + "/hangfire/runs/41/compare?with=x")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetStringAsync(host.Url + "/hangfire/runs/41")).ShouldContain("/hangfire/runs/41/compare\">Compare</a>");
    }

    private static async Task<DashboardHost> FilledAsync()
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        await DashboardSeed.FillAsync(host);
        await host.Database.WriteAsync(async tx =>
        {
            await DashboardSeed.RunAsync(tx, 60, "route-stats", DashboardSeed.Clock.Date, "succeeded", 0, DashboardSeed.Seconds(90));
            await DashboardSeed.StepAsync(tx, 600, 60, "departures", "feature", "succeeded", 0, DashboardSeed.Seconds(1), DashboardSeed.Seconds(42), 10, 2_000);
        }, CancellationToken.None);
        return host;
    }
}
