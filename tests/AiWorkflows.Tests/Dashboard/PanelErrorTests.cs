using System.Diagnostics;
using System.Net;
using AiWorkflows.Hosting.Dashboard;
using AiWorkflows.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>A query that fails or takes too long costs its panel, not the page.</summary>
public sealed class PanelErrorTests
{
    [Theory]
    [InlineData("/runs/41", "workflows_stage_logs", "no such table: workflows_stage_logs", "scheduled-flights")]
    [InlineData("/runs/41", "workflows_attempts", "no such table: workflows_attempts", "372 of 524 examples")]
    [InlineData("/models/flight-delay", "model_registry_alias_history", "no such table: model_registry_alias_history", "AUC on the holdout")]
    [InlineData("/features/departures", "feature_store_lineage", "no such table: feature_store_lineage", "Rows per commit")]
    [InlineData("/predictions", "prediction_log_prediction_rows", "no such table: prediction_log_prediction_rows", "<h2>Live metric</h2>")]
    [InlineData("/hosts", "workflows_stage_runs", "no such table: workflows_stage_runs", "node-a")]
    [InlineData("/workflows", "prediction_log_metrics", "no such table: prediction_log_metrics", "flight-delays")]
    public async Task A_query_that_fails_is_told_in_its_panel_and_the_rest_of_the_page_stands(string path, string table, string why, string rest)
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        await DashboardSeed.FillAsync(host);
        await host.Database.WriteAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, DashboardSeed.Clock.Date, TimeSpan.FromDays(1), 5);
            // Views that read the table would keep it from being renamed.
            foreach (var view in await tx.ReadAsync<string>("SELECT name FROM sqlite_schema WHERE type = 'view'", null))
                await tx.ExecuteAsync($"DROP VIEW {view}");
            await tx.ExecuteAsync($"ALTER TABLE {table} RENAME TO elsewhere");
        }, CancellationToken.None);
        using var client = new HttpClient();
        var answer = await client.GetAsync(host.Url + "/hangfire" + path);
        var html = await answer.Content.ReadAsStringAsync();
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, html);
        html.ShouldContain("This part could not be read.");
        html.ShouldContain(why);
        html.ShouldContain(rest);
        (await client.GetStringAsync(host.Url + "/hangfire" + path + "/parts")).ShouldContain(why);
    }

    [Fact]
    public async Task A_query_that_takes_too_long_is_interrupted_and_its_panel_says_so()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        var panels = new PanelReader(TimeProvider.System, host.Database, TimeSpan.FromMilliseconds(300));
        var watch = Stopwatch.StartNew();
        // Counts to a number that it does not reach in a day.
        var endless = await panels.ReadAsync(-1L, ct => host.Database.ReadFirstAsync<long>("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000000000) SELECT COUNT(*) FROM c", null, ct), "rows");
        var next = await panels.ReadAsync(-1L, ct => host.Database.ReadFirstAsync<long>("SELECT 7", null, ct), "others");
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20));
        (endless, next).ShouldBe((-1, 7));
        panels.Errors["rows"].ToString().ShouldContain("The store took longer than 300 ms for it.");
        panels.Errors["others"].IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public async Task An_interrupted_statement_ends_and_its_thread_is_free_again()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        using var over = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        var statement = Task.Run(() => host.Database.ReadFirstAsync<long>("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 100000000000) SELECT COUNT(*) FROM c", null, over.Token));
        await Should.ThrowAsync<OperationCanceledException>(() => statement.WaitAsync(TimeSpan.FromSeconds(60)));
        (await host.Database.ReadFirstAsync<long>("SELECT 7", null, CancellationToken.None)).ShouldBe(7);
    }

    [Fact]
    public async Task All_panels_together_take_no_longer_than_twice_the_time_of_one()
    {
        var clock = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var panels = new PanelReader(clock, null, TimeSpan.FromSeconds(2));
        for (var i = 0; i < 6; i++)
        {
            var stuck = panels.ReadAsync(0, async ct =>
            {
                await Task.Delay(Timeout.Infinite, ct);
                return 1;
            }, $"panel {i}");
            while (!stuck.IsCompleted)
            {
                clock.Advance(TimeSpan.FromMilliseconds(100));
                await Task.Yield();
            }
        }
        panels.Errors["panel 0"].ToString().ShouldContain("2.0 s");
        panels.Errors["panel 5"].ToString().ShouldContain("100 ms");
    }
}
