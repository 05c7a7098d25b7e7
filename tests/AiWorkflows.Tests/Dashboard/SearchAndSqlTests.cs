using System.Net;
using System.Text.RegularExpressions;
using AiWorkflows.Storage;

namespace AiWorkflows.Tests.Dashboard;

public sealed partial class SearchAndSqlTests
{
    private static readonly DateTime Day = DashboardSeed.Clock.Date;

    [Theory]
    [InlineData("41", "/hangfire/runs/41\">Run 41<")]
    [InlineData("4294967297", "/hangfire/predictions/4294967297\">Prediction 4294967297<")]
    [InlineData("18204", "/hangfire/features/departures?seq=9115\">Commit 18204<")]
    [InlineData("DELAY", "/hangfire/models/flight-delay\">flight-delay<")]
    [InlineData("epart", "/hangfire/features/departures\">departures<")]
    [InlineData("minut", "/hangfire/workflows/delay-minutes\">delay-minutes<")]
    [InlineData("7", "/hangfire/predictions?model=flight-delay&amp;key=7\">What flight-delay said about 7<")]
    [InlineData("online 3", "key=online%203&amp;made=online")]
    public async Task What_has_a_page_is_found_by_id_or_name(string text, string expected)
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        (await client.GetStringAsync(host.Url + "/hangfire/search?q=" + Uri.EscapeDataString(text))).ShouldContain(expected);
    }

    [Theory]
    [InlineData("nothing like it")]
    [InlineData("<script>alert(1)</script>")]
    [InlineData("100%_[x")]
    [InlineData("[1,")]
    [InlineData("99999999999999999999")]
    public async Task What_is_not_there_is_said_and_shown_as_text(string text)
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/search?q=" + Uri.EscapeDataString(text));
        html.ShouldContain($"Nothing is called '{WebUtility.HtmlEncode(text)}'");
        html.ShouldNotContain("<script>alert");
    }

    [Theory]
    [InlineData("/workflows")]
    [InlineData("/workflows/flight-delays")]
    [InlineData("/runs")]
    [InlineData("/runs?workflow=flight-delays")]
    [InlineData("/runs?workflow=it%27s%20%7Bnow%7D")]
    [InlineData("/runs/41")]
    [InlineData("/backfills")]
    [InlineData("/features")]
    [InlineData("/features/departures")]
    [InlineData("/models")]
    [InlineData("/models/flight-delay")]
    [InlineData("/models/flight-delay/compare")]
    [InlineData("/predictions")]
    [InlineData("/predictions/4294967297")]
    [InlineData("/hosts")]
    public async Task What_a_page_offers_as_SQL_runs_as_it_stands(string path)
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire" + path);
        var sql = WebUtility.HtmlDecode(Query().Match(html).Groups[1].Value);
        sql.ShouldStartWith("SELECT ", Case.Sensitive, path);
        await using var result = await host.Database.QueryAsync(sql, CancellationToken.None);
        result.Columns.Count.ShouldBeGreaterThan(1);
        var rows = 0;
        await foreach (var _ in result.RowsAsync(CancellationToken.None))
            rows++;
        if (!path.Contains("%27") && path != "/backfills")
            rows.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Hosts_are_shown_with_what_they_run_and_when_they_were_last_heard_of()
    {
        await using var host = await FilledAsync();
        await host.Database.WriteAsync(tx => tx.ExecuteAsync(
            "INSERT INTO {workflows.hosts} (host, engine, process_id, kind, queues, code_version, started_at, last_seen) VALUES ('node-a:4120:ab12cd', 'e2', 1, 'serve', '{\"features\":2,\"control\":1}', 'y', 0, {now})"), CancellationToken.None);
        using var client = new HttpClient();
        var html = await client.GetStringAsync(host.Url + "/hangfire/hosts");
        html.ShouldContain("features 2, control 1");
        html.ShouldContain("delay-scoring 6 of 8");
        Regex.Count(html, "</svg>alive</span>").ShouldBe(2);
    }

    [Fact]
    public async Task The_whole_log_is_downloaded_as_text()
    {
        await using var host = await FilledAsync();
        await host.Database.WriteAsync(async tx =>
        {
            for (var i = 0; i < 4_100; i++)
                await tx.ExecuteAsync("INSERT INTO {workflows.stage_logs} (run_id, stage_run_id, logged_at, level, message) VALUES (42, 201, {now}, 'info', @text)", new { text = $"line {i} <b>" });
        }, CancellationToken.None);
        using var client = new HttpClient();
        var text = await client.GetStringAsync(host.Url + "/hangfire/runs/42/log.txt");
        Regex.Count(text, "line [0-9]+ <b>").ShouldBe(4_100);
        text.ShouldContain("minutes-scoring: attempt 3 failed");
        (await client.GetStringAsync(host.Url + "/hangfire/runs/42/log.txt?step=minutes-scoring")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_window_off_the_grid_and_half_a_window_are_refused()
    {
        await using var host = await FilledAsync();
        using var browser = new Viewer(host.Url);
        const string page = "/workflows/route-stats";
        (await browser.PostAsync(page, page + "/run", ("from", "2001-06-01"))).Message.ShouldContain("A window has two ends");
        (await browser.PostAsync(page, page + "/run", ("from", "2001-06-01 05:00"), ("to", "2001-06-02"))).Status.ShouldBe(HttpStatusCode.UnprocessableEntity);
        (await browser.PostAsync(page, page + "/run", ("from", "2001-05-01"), ("to", "2001-05-02"))).ShouldBe((HttpStatusCode.NoContent, ""));
        (await browser.PostAsync(page, page + "/backfill", ("from", "2001-02-01"), ("to", "2001-03-01"), ("every", "soon"))).Message.ShouldContain("is no length of time");
        (await browser.PostAsync(page, page + "/backfill", ("from", "2001-02-01"), ("to", "2001-03-01"), ("every", "1d"), ("parallel", "2"))).ShouldBe((HttpStatusCode.NoContent, ""));
        (await browser.GetAsync("/backfills")).ShouldContain("0 of 28 windows");
    }

    private static async Task<DashboardHost> FilledAsync()
    {
        var host = await DashboardHost.StartAsync(DashboardSeed.Catalog, DashboardSeed.Clock);
        await DashboardSeed.FillAsync(host);
        await host.Database.WriteAsync(async tx =>
        {
            await PredictionSeed.BatchAsync(tx, 1, Day, TimeSpan.FromDays(1), 10);
            await PredictionSeed.OnlineAsync(tx, 2, Day, 5);
        }, CancellationToken.None);
        return host;
    }

    [GeneratedRegex("<pre tabindex=\"0\" aria-label=\"Query\">([^<]*)</pre>")]
    private static partial Regex Query();
}
