using System.Net;
using System.Text.RegularExpressions;

namespace AiWorkflows.Tests.Dashboard;

public sealed partial class BackfillPageTests
{
    [Fact]
    public async Task A_backfill_shows_its_windows_by_month_and_those_that_failed_or_run()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var list = await client.GetStringAsync(host.Url + "/hangfire/backfills");
        list.ShouldContain("/hangfire/backfills/1\">1</a>");
        list.ShouldContain("2 of 5 windows, 1 failed, 1 running");
        var page = await client.GetStringAsync(host.Url + "/hangfire/backfills/1");
        page.ShouldContain("<h3>February 2001</h3>");
        page.ShouldMatch("class=\"aw-cell is-bad\" href=\"/hangfire/runs/903\"[^>]*aria-label=\"1 March: failed\"");
        page.ShouldContain("aria-label=\"3 March: waiting\"");
        page.ShouldContain("no space left &lt;here&gt;");
        page.ShouldContain("data-aw-post=\"/hangfire/backfills/1/retry\"");
        page.ShouldContain("data-aw-post=\"/hangfire/backfills/1/cancel\"");
        (await client.GetAsync(host.Url + "/hangfire/backfills/77")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await client.GetStringAsync(host.Url + "/hangfire/runs?trigger=backfill")).ShouldContain("/hangfire/backfills/1\">backfill 1</a>");
    }

    [Fact]
    public async Task Its_parts_are_the_same_markup_as_the_page_and_hold_no_inline_style_or_script()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        foreach (var path in new[] { "/backfills", "/backfills/1" })
        {
            var parts = await client.GetStringAsync(host.Url + "/hangfire" + path + "/parts");
            PartNames().Matches(parts).Select(m => m.Value).ShouldBe(PartNames().Matches(await client.GetStringAsync(host.Url + "/hangfire" + path)).Select(m => m.Value), path);
            parts.ShouldNotContain("style=");
            parts.ShouldNotContain("<script");
        }
    }

    [Fact]
    public async Task Without_one_it_says_how_to_make_one_and_whoever_may_only_look_gets_no_buttons()
    {
        await using var empty = await DashboardHost.StartAsync(DashboardSeed.CatalogOf());
        using var client = new HttpClient();
        (await client.GetStringAsync(empty.Url + "/hangfire/backfills")).ShouldContain("No backfill has been requested.");
        await using var host = await FilledAsync(readOnly: true);
        (await client.GetStringAsync(host.Url + "/hangfire/backfills/1")).ShouldNotContain("/retry");
    }

    [Fact]
    public async Task Cancelling_asks_why_and_keeps_it_with_the_windows_and_on_record()
    {
        await using var host = await FilledAsync();
        using var browser = new Viewer(host.Url);
        (await browser.PostAsync("/backfills/1", "/backfills/1/cancel")).ShouldBe((HttpStatusCode.UnprocessableEntity, "Say why; it is kept on record."));
        (await browser.PostAsync("/backfills/1", "/backfills/1/cancel", ("reason-cancel", "wrong month"))).Status.ShouldBe(HttpStatusCode.NoContent);
        (await host.Database.ReadAsync<string>("SELECT reason FROM {workflows.runs} WHERE state = 'cancelled' AND backfill_id = 1", null, CancellationToken.None)).ShouldBe(["cancelled by dashboard: wrong month", "cancelled by dashboard: wrong month"]);
        (await host.Database.ReadAsync<string>("SELECT done_by || ' ' || action || ' ' || subject || ': ' || details FROM {workflows.audit}", null, CancellationToken.None)).ShouldBe(["dashboard cancel backfill 1: 2 windows, wrong month"]);
        (await browser.GetAsync("/backfills/1")).ShouldNotContain("id=\"cancel\"");
    }

    [Fact]
    public async Task The_list_goes_on_page_by_page()
    {
        await using var host = await FilledAsync();
        await host.Database.WriteAsync(async tx =>
        {
            for (var id = 2; id <= 61; id++)
                await tx.ExecuteAsync("INSERT INTO {workflows.backfills} (backfill_id, workflow, window_from, window_to, every, pin_seq, requested_by, requested_at) VALUES (@id, 'flight-delays', 0, 1, 1, 1, 'ana', 0)", new { id });
        }, CancellationToken.None);
        using var client = new HttpClient();
        var first = await client.GetStringAsync(host.Url + "/hangfire/backfills");
        first.ShouldContain("50 backfills, newest first; there are older ones");
        first.ShouldContain("href=\"/hangfire/backfills?before=12\">Older</a>");
        var second = await client.GetStringAsync(host.Url + "/hangfire/backfills?before=12");
        second.ShouldContain("11 backfills, newest first");
        second.ShouldContain("href=\"/hangfire/backfills\">Newest</a>");
        second.ShouldNotContain("data-aw-live");
    }

    private static async Task<DashboardHost> FilledAsync(bool readOnly = false)
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock, readOnly);
        var first = new DateTime(2001, 2, 27, 0, 0, 0, DateTimeKind.Utc);
        await host.Database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync("""
                INSERT INTO {workflows.backfills} (backfill_id, workflow, window_from, window_to, every, parallel, train, pin_seq, requested_by, requested_at)
                VALUES (1, 'flight-delays', @From, @To, 86400000000, 2, 0, 7, 'ana', {now})
                """, new { From = Timestamps.ToMicros(first), To = Timestamps.ToMicros(first.AddDays(5)) });
            string[] states = ["succeeded", "succeeded", "failed", "running", "requested"];
            for (var i = 0; i < states.Length; i++)
                await DashboardSeed.RunAsync(tx, 901 + i, "flight-delays", first.AddDays(i), states[i], Timestamps.ToMicros(DashboardSeed.Clock), null, states[i] == "failed" ? "route-hour: no space left <here>" : null);
            await tx.ExecuteAsync("UPDATE {workflows.runs} SET backfill_id = 1, triggered_by = 'backfill' WHERE run_id > 900");
        }, CancellationToken.None);
        return host;
    }

    [GeneratedRegex("data-aw-part=\"[^\"]*\"")]
    private static partial Regex PartNames();
}
