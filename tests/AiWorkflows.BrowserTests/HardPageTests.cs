using AiWorkflows.Tests.Dashboard;

namespace AiWorkflows.BrowserTests;

/// <summary>Markup and 300 characters in every name, 200 features, 60 stages, 1,000 partitions, years of windows: no page is wider than its window, and none complains. All pages with AIWORKFLOWS_TEST_LONG=1, else the hardest.</summary>
public sealed class HardPageTests(SharedPages shared)
{
    [Fact]
    public async Task No_page_is_wider_than_its_window_and_nothing_planted_runs()
    {
        var browser = await shared.BrowserAsync();
        await using var host = await DashboardHost.StartAsync(HardSeed.Catalog, DashboardSeed.Clock);
        await HardSeed.FillAsync(host);
        await using var page = await browser.OpenAsync();
        page.Page.Dialog += (_, dialog) =>
        {
            page.Problems.Add("planted script ran: " + dialog.Message);
            _ = dialog.DismissAsync();
        };
        string[] hardest = [$"/runs/{HardSeed.MarkupRun}", $"/runs/{HardSeed.WideRun}", $"/runs/{HardSeed.PartitionedRun}", $"/backfills/{HardSeed.HourlyBackfill}", "/features/" + HardSeed.WideGroup, "/models/" + Uri.EscapeDataString(HardSeed.Markup)];
        var pages = SharedPages.AtLength ? HardSeed.Pages : hardest;
        var wider = new List<string>();
        for (var i = 0; i < pages.Count; i++)
        {
            await page.Page.SetViewportSizeAsync(1400, 900);
            await page.GoAsync(host.Url + "/hangfire" + pages[i]);
            page.Problems.ShouldBeEmpty(pages[i]);
            wider.AddRange((await page.OverflowAsync()).Select(element => $"{pages[i]}: {element}"));
            await page.ShotAsync($"hard-{i:00}");
            await page.Page.SetViewportSizeAsync(400, 800);
            wider.AddRange((await page.OverflowAsync()).Select(element => $"{pages[i]} at 400 px: {element}"));
            await page.ShotAsync($"hard-{i:00}-narrow");
        }
        wider.ShouldBeEmpty(string.Join("\n", wider));
    }
}
