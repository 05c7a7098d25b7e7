namespace AiWorkflows.BrowserTests;

/// <summary>
/// Each page as people see it: no complaint in the console under a strict policy, nothing that axe-core (npm, version 4.10.3) finds wrong (contrast, names, headings, labels, tables),
/// and no wider than its window. In light; in dark too with AIWORKFLOWS_TEST_LONG=1.
/// </summary>
public sealed class PageTests(SharedPages shared)
{
    private static readonly (string Name, string Path)[] Pages =
    [
        ("workflows", "/workflows"), ("workflow", "/workflows/flight-delays"), ("runs", "/runs"), ("run", "/runs/41#cancel"), ("run-failed", "/runs/42"), ("backfills", "/backfills"),
        ("features", "/features"), ("feature", "/features/departures"), ("models", "/models"), ("model", "/models/flight-delay#promote"), ("compare", "/models/flight-delay/compare"),
        ("predictions", "/predictions"), ("prediction", "/predictions/4294967298"), ("streams", "/streams"), ("hosts", "/hosts"), ("search", "/search?q=delay"),
    ];

    public static TheoryData<string, string, bool> Looks
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (var (name, path) in Pages)
                foreach (var dark in SharedPages.AtLength ? new[] { false, true } : [false])
                    data.Add(name, path, dark);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Looks))]
    public async Task A_page_shows_without_a_complaint(string name, string path, bool dark)
    {
        await using var page = await (await shared.BrowserAsync()).OpenAsync(dark);
        await page.GoAsync((await shared.HostAsync()).Url + "/hangfire" + path);
        await page.ShotAsync($"{name}-{(dark ? "dark" : "light")}");
        page.Problems.ShouldBeEmpty();
        (await Axe.FindingsAsync(page)).ShouldBeEmpty($"{path}, {(dark ? "dark" : "light")}");
        await page.Page.SetViewportSizeAsync(400, 800);
        (await page.OverflowAsync()).ShouldBeEmpty($"{path} is wider than a screen of 400 px");
        if (!dark)
            await page.ShotAsync($"{name}-narrow");
    }

    [Fact]
    public async Task The_job_page_shows_progress_and_log()
    {
        await using var page = await (await shared.BrowserAsync()).OpenAsync();
        await page.GoAsync((await shared.HostAsync()).Url + "/hangfire/jobs/details/1");
        await page.ShotAsync("job-light");
        (await page.Page.Locator(".aw-job .aw-log").InnerTextAsync()).ShouldContain("372 of 524 examples");
        (await page.Page.Locator(".aw-job .aw-dl").InnerTextAsync()).ShouldContain("372 of 524");
        // The page around our section is Hangfire's own, whose inline styles the strict policy blocks.
        page.Problems.ShouldAllBe(problem => problem.Contains("style"));
    }

    [Fact]
    public async Task Tabs_go_where_one_reads_and_every_stop_can_be_seen()
    {
        await using var page = await (await shared.BrowserAsync()).OpenAsync();
        await page.GoAsync((await shared.HostAsync()).Url + "/hangfire/models/flight-delay");
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
