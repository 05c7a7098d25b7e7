using AiWorkflows.Storage.Queries;
using System.Net;
using System.Text.RegularExpressions;

namespace AiWorkflows.Tests.Dashboard;

public sealed partial class DashboardHttpTests
{
    private static readonly string[] Pages = ["/workflows", "/runs"];

    [Fact]
    public async Task An_empty_database_says_what_will_fill_each_panel()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf());
        using var client = new HttpClient();
        (await client.GetStringAsync(host.Url + "/hangfire/workflows")).ShouldContain("This host declares no workflow yet");
        (await client.GetStringAsync(host.Url + "/hangfire/workflows")).ShouldContain("Nothing needs you.");
        (await client.GetStringAsync(host.Url + "/hangfire/runs")).ShouldContain("No run has been requested.");
    }

    [Fact]
    public async Task Workflows_that_never_ran_are_listed_as_such()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/workflows");
        Regex.Count(html, "never run").ShouldBe(4);
        html.ShouldContain("lang=\"en\"");
        html.ShouldContain("Event clock <b>2001-06-19 01:00</b>");
    }

    [Fact]
    public async Task What_did_not_change_is_answered_with_304()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var first = await client.GetAsync(host.Url + "/hangfire/runs/42/parts");
        first.Headers.GetValues("X-Aw-Ended").ShouldBe(["1"]);
        using var again = new HttpRequestMessage(HttpMethod.Get, host.Url + "/hangfire/runs/42/parts");
        again.Headers.TryAddWithoutValidation("If-None-Match", first.Headers.ETag!.ToString());
        (await client.SendAsync(again)).StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task Parts_are_the_same_markup_as_the_page()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        foreach (var path in new[] { "/workflows", "/runs", "/runs/42", "/backfills", "/features", "/features/departures", "/models", "/models/flight-delay", "/predictions", "/streams" })
        {
            var page = PartNames().Matches(await client.GetStringAsync(host.Url + "/hangfire" + path)).Select(match => match.Value);
            var parts = PartNames().Matches(await client.GetStringAsync(host.Url + "/hangfire" + path + "/parts")).Select(match => match.Value);
            parts.ShouldBe(page, path);
        }
    }

    [Fact]
    public async Task No_page_of_ours_has_inline_style_or_script_or_a_title_attribute()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        foreach (var path in new[] { "/workflows", "/runs", "/runs/41", "/runs/42", "/backfills", "/features", "/features/departures", "/models", "/models/flight-delay", "/predictions", "/streams" })
        {
            var html = await client.GetStringAsync(host.Url + "/hangfire" + path + "/parts");
            html.ShouldNotContain("style=");
            html.ShouldNotContain("<script");
            html.ShouldNotContain(" title=");
            html.ShouldNotMatch(" on[a-z]+=\"");
        }
    }

    [Fact]
    public async Task The_list_of_runs_goes_back_in_pages_without_a_gap_or_a_double()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        await host.Database.WriteAsync(async tx =>
        {
            for (var i = 1; i <= 120; i++)
                await DashboardSeed.RunAsync(tx, i, i % 3 == 0 ? "delay-minutes" : "flight-delays", DashboardSeed.Clock.Date.AddDays(-i), "succeeded", 1, 2);
        }, CancellationToken.None);
        using var client = new HttpClient();
        (await WalkAsync(client, host, "/runs")).ShouldBe(Enumerable.Range(1, 120).Select(i => (long)i).Reverse());
        (await WalkAsync(client, host, "/runs?workflow=delay-minutes")).ShouldBe(Enumerable.Range(1, 40).Select(i => (long)i * 3).Reverse());
    }

    [Fact]
    public async Task A_feature_group_shows_its_columns_as_its_commits_found_them()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/features/departures");
        html.ShouldContain("&lt;b&gt;minutes&lt;/b&gt;");
        html.ShouldContain(">10%</td>");
        html.ShouldContain("aria-label=\"delay1h: distribution over 2 bins\"");
        html.ShouldContain("/hangfire/runs/41\">41</a>");
    }

    [Fact]
    public async Task A_model_shows_its_versions_over_their_baseline()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/models/flight-delay");
        html.ShouldContain("v12 champion");
        html.ShouldContain("<span class=\"aw-t-ok\">+0.059</span>");
        html.ShouldContain("This task has no ROC curve.");
    }

    [Theory]
    [InlineData("/models/flight-dealy", "There is no model &#39;flight-dealy&#39;")]
    [InlineData("/features/nothing", "There is no feature group &#39;nothing&#39;")]
    [InlineData("/runs/999999", "There is no run 999999 in the ledger.")]
    [InlineData("/runs?state=faild", "did you mean failed?")]
    [InlineData("/runs?from=yesterday", "is no time; write it as 2001-06-01")]
    public async Task Wrong_addresses_say_what_is_wrong(string path, string message)
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var answer = await client.GetAsync(host.Url + "/hangfire" + path);
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync()).ShouldContain(message);
    }

    [Fact]
    public async Task Without_the_store_our_pages_say_so_and_Hangfires_own_keep_working()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock, migrate: false);
        using var client = new HttpClient();
        foreach (var path in Pages.Append("/runs/1"))
        {
            var answer = await client.GetAsync(host.Url + "/hangfire" + path);
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            (await answer.Content.ReadAsStringAsync()).ShouldContain("The store does not answer");
        }
        (await client.GetAsync(host.Url + "/hangfire/runs/1/log")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        (await client.GetAsync(host.Url + "/hangfire/jobs/enqueued")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync(host.Url + "/hangfire/servers")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_log_is_read_on_from_a_line_and_ends_with_the_run()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var first = await client.GetAsync(host.Url + "/hangfire/runs/42/log?after=0");
        (await first.Content.ReadAsStringAsync()).ShouldContain("attempt 3 failed, no try left");
        var next = first.Headers.GetValues("X-Aw-Next").Single();
        var rest = await client.GetAsync(host.Url + $"/hangfire/runs/42/log?after={next}");
        (await rest.Content.ReadAsStringAsync()).ShouldBeEmpty();
        rest.Headers.GetValues("X-Aw-Ended").ShouldBe(["1"]);
        (await client.GetStringAsync(host.Url + "/hangfire/runs/41/log?level=warning")).ShouldNotContain("claimed by");
    }

    [Fact]
    public async Task Two_hosts_in_one_process_show_each_its_own_ledger()
    {
        await using var filled = await FilledAsync();
        await using var empty = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        using var client = new HttpClient();
        (await client.GetAsync(filled.Url + "/hangfire/runs/41")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await client.GetAsync(empty.Url + "/hangfire/runs/41")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        Regex.Count(await client.GetStringAsync(empty.Url + "/hangfire/servers"), ">\\s*Workflows").ShouldBe(1);
    }

    [Fact]
    public async Task A_list_that_no_index_knows_looks_so_far_back_says_so_and_goes_on_from_there()
    {
        await using var host = await FilledAsync();
        await host.Database.WriteAsync(async tx =>
        {
            await DashboardSeed.RunAsync(tx, 3, "flight-delays", DashboardSeed.Clock.Date.AddDays(-90), "succeeded", 1, 2);
            await tx.ExecuteAsync("UPDATE {workflows.runs} SET triggered_by = 'sql' WHERE run_id = 3");
            await DashboardSeed.RunAsync(tx, 3 + DashboardQueries.Reach + 20, "flight-delays", DashboardSeed.Clock.Date, "succeeded", 1, 2);
        }, CancellationToken.None);
        using var client = new HttpClient();
        var newest = await client.GetStringAsync(host.Url + "/hangfire/runs?trigger=sql");
        newest.ShouldContain("No run down to 24 fits the filter");
        RunLinks().Count(newest).ShouldBe(0);
        (await WalkAsync(client, host, "/runs?trigger=sql")).ShouldBe([3]);
        // A state of trouble has an index of its own, so that one page is enough.
        (await client.GetStringAsync(host.Url + "/hangfire/runs?state=failed")).ShouldNotContain("page by page");
    }

    private static async Task<DashboardHost> FilledAsync()
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        await DashboardSeed.FillAsync(host);
        return host;
    }

    private static async Task<List<long>> WalkAsync(HttpClient client, DashboardHost host, string path)
    {
        var ids = new List<long>();
        for (var next = "/hangfire" + path; next is not null;)
        {
            var html = await client.GetStringAsync(host.Url + next);
            ids.AddRange(RunLinks().Matches(html).Select(match => long.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)));
            next = OlderLink().Match(html) is { Success: true } older ? WebUtility.HtmlDecode(older.Groups[1].Value) : null;
        }
        return ids;
    }

    [GeneratedRegex("data-aw-part=\"[^\"]+\"")]
    private static partial Regex PartNames();

    [GeneratedRegex("<th scope=\"row\"><a class=\"\" href=\"/hangfire/runs/([0-9]+)\"")]
    private static partial Regex RunLinks();

    [GeneratedRegex("href=\"([^\"]+)\">Older</a>")]
    private static partial Regex OlderLink();
}
