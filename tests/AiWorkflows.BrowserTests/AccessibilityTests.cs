using AiWorkflows.Storage;
using AiWorkflows.Tests.Dashboard;

namespace AiWorkflows.BrowserTests;

/// <summary>axe-core (npm, version 4.10.3) finds nothing to complain about in our pages: contrast, names, headings, labels, tables; and tabs go where one reads.</summary>
public sealed class AccessibilityTests : DashboardPages
{
    private protected override Task FillAsync() => Host.Database.WriteAsync(async tx =>
    {
        await ModelSeed.FillAsync(tx);
        await PredictionSeed.BatchAsync(tx, 1, DashboardSeed.Clock.Date.AddDays(-2), TimeSpan.FromDays(1), 30);
        for (var day = 1; day < 9; day++)
            await PredictionSeed.MetricAsync(tx, DashboardSeed.Clock.Date.AddDays(-day), 0.75 + day % 3 * 0.01, 4000, day == 1 ? 2000 : 4000);
    }, CancellationToken.None);

    [Theory]
    [InlineData("/workflows")]
    [InlineData("/workflows/flight-delays")]
    [InlineData("/runs")]
    [InlineData("/runs/41#cancel")]
    [InlineData("/runs/42")]
    [InlineData("/backfills")]
    [InlineData("/features")]
    [InlineData("/features/departures")]
    [InlineData("/models")]
    [InlineData("/models/flight-delay#promote")]
    [InlineData("/models/flight-delay/compare")]
    [InlineData("/predictions")]
    [InlineData("/predictions/4294967298")]
    [InlineData("/hosts")]
    [InlineData("/search?q=delay")]
    public async Task Nothing_is_found_in_light_or_dark(string path)
    {
        var axe = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "axe", "axe.min.js"));
        foreach (var dark in new[] { false, true })
        {
            var page = await Browser.OpenAsync(dark);
            await page.GoAsync(Host.Url + "/hangfire" + path);
            await page.Page.EvaluateAsync(axe);
            var found = await page.Page.EvaluateAsync<string[]>(
                """
                async () => (await axe.run('.aw', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })).violations
                    .flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ': ' + n.html.slice(0, 200) + ' / ' + n.failureSummary.replace(/\s+/g, ' ').slice(0, 300)))
                """);
            found.ShouldBeEmpty($"{path}, {(dark ? "dark" : "light")}");
        }
    }

    [Fact]
    public async Task Tabs_go_where_one_reads_and_every_stop_can_be_seen()
    {
        var page = await Browser.OpenAsync();
        await page.GoAsync(Host.Url + "/hangfire/models/flight-delay");
        var last = (Top: 0d, Left: 0d);
        await page.Page.Locator(".aw-nav a").First.FocusAsync();
        for (var stop = 0; stop < 25; stop++)
        {
            await page.Page.Keyboard.PressAsync("Tab");
            var at = await page.Page.EvaluateAsync<double[]>("() => { const r = document.activeElement.getBoundingClientRect(); return [r.top + scrollY, r.left, r.width * r.height] }");
            at[2].ShouldBeGreaterThan(0);
            // Down, or to the right on the same line; two columns are read one after the other.
            if (stop is > 1 and < 12)
                (at[0] > last.Top - 12).ShouldBeTrue($"stop {stop} lies {last.Top - at[0]} px above the one before it");
            last = (at[0], at[1]);
        }
    }
}
