using System.Net;
using System.Text.RegularExpressions;

namespace AiWorkflows.Tests.Dashboard;

/// <summary>What people and programs write into names, reasons and logs is shown as they wrote it, and never becomes part of the page.</summary>
public sealed partial class HardToShowTests
{
    [Fact]
    public async Task Markup_in_any_text_is_shown_and_not_obeyed()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var shown = 0;
        foreach (var path in HardSeed.Pages.SelectMany(page => new[] { page, page.Split('?') is [var only, var query] ? $"{only}/parts?{query}" : page + "/parts" }))
        {
            var answer = await client.GetAsync(host.Url + "/hangfire" + path);
            var html = await answer.Content.ReadAsStringAsync();
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            Planted().IsMatch(html).ShouldBeFalse(path);
            html.ShouldNotContain("onerror=alert(1)>", Case.Sensitive, path);
            html.ShouldNotContain("This part could not be read", Case.Sensitive, path);
            html.ShouldNotContain(" style=\"", Case.Sensitive, path);
            shown += html.Contains("&lt;script&gt;alert(", StringComparison.Ordinal) ? 1 : 0;
        }
        shown.ShouldBeGreaterThan(30);
    }

    [Fact]
    public async Task Every_line_of_a_log_is_text_in_the_page_and_in_its_file()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        var lines = await client.GetStringAsync($"{host.Url}/hangfire/runs/{HardSeed.MarkupRun}/log?after=0");
        Planted().IsMatch(lines).ShouldBeFalse();
        Regex.Count(lines, Regex.Escape("&lt;script&gt;alert(")).ShouldBeGreaterThanOrEqualTo(3);
        var file = await client.GetAsync($"{host.Url}/hangfire/runs/{HardSeed.MarkupRun}/log.txt");
        file.Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        (await file.Content.ReadAsStringAsync()).ShouldContain(HardSeed.Markup);
    }

    [Fact]
    public async Task Much_of_something_stays_a_page()
    {
        await using var host = await FilledAsync();
        using var client = new HttpClient();
        foreach (var path in HardSeed.Pages)
            (await client.GetStringAsync(host.Url + "/hangfire" + path)).Length.ShouldBeLessThan(1_000_000, path);
        var partitioned = await client.GetStringAsync($"{host.Url}/hangfire/runs/{HardSeed.PartitionedRun}");
        partitioned.ShouldContain("701 of 1000");
        Regex.Count(partitioned, "<tr").ShouldBeLessThan(120, "1,000 partitions are not 1,000 lines");
        var wide = await client.GetStringAsync($"{host.Url}/hangfire/runs/{HardSeed.WideRun}");
        Regex.Count(wide, "class=\"aw-node ").ShouldBe(HardSeed.Stages);
        (await client.GetStringAsync(host.Url + "/hangfire/features/" + HardSeed.WideGroup)).ShouldContain("feature_199");
    }

    [Fact]
    public async Task An_empty_database_shows_what_will_stand_there()
    {
        await using var host = await DashboardHost.StartAsync(DashboardSeed.CatalogOf());
        using var client = new HttpClient();
        foreach (var path in new[] { "/workflows", "/runs", "/backfills", "/features", "/models", "/predictions", "/streams", "/hosts", "/search", "/search?q=x" })
        {
            var answer = await client.GetAsync(host.Url + "/hangfire" + path);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            (await answer.Content.ReadAsStringAsync()).ShouldContain("aw-empty", Case.Sensitive, path);
        }
        foreach (var path in new[] { "/runs/1", "/runs/1/compare", "/backfills/1", "/features/x", "/features/x/rows", "/models/x", "/models/x/compare", "/predictions/1", "/workflows/x" })
            (await client.GetAsync(host.Url + "/hangfire" + path)).StatusCode.ShouldBe(HttpStatusCode.NotFound, path);
    }

    private static async Task<DashboardHost> FilledAsync()
    {
        var host = await DashboardHost.StartAsync(HardSeed.Catalog, DashboardSeed.Clock);
        await HardSeed.FillAsync(host);
        return host;
    }

    /// <summary>An element that only the seed can have brought.</summary>
    [GeneratedRegex("<script>alert|<img src=x|<b>k</b>")]
    private static partial Regex Planted();
}
