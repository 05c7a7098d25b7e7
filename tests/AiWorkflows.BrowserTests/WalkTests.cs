using Microsoft.Playwright;

namespace AiWorkflows.BrowserTests;

/// <summary>
/// Through each page and each action on the state that <c>run flight-delays</c> leaves, as an operator and as a viewer, in light and dark, without a complaint in the
/// console. Only where AIWORKFLOWS_PICTURES names a directory, such as docs/images: the pictures of the documentation are written there.
/// </summary>
public sealed class WalkTests(SharedPages shared)
{
    private const float Patience = 240_000;

    /// <summary>Wide enough for the tables, and narrow enough to be read in a document.</summary>
    private const int Width = 1280;

    private static readonly string? Pictures = Environment.GetEnvironmentVariable("AIWORKFLOWS_PICTURES");

    [Fact]
    public async Task Everything_is_seen_and_done()
    {
        Assert.SkipUnless(Pictures is not null, "Runs the reference application for minutes; name a directory for its pictures in AIWORKFLOWS_PICTURES.");
        var browser = await shared.BrowserAsync();
        await using var application = await ReferenceApplication.StartAsync();

        await using (var page = await SignedInAsync(browser, application, application.Operator, dark: false))
            await new WalkActions(page, application.Url + "/hangfire").DoAllAsync();
        var online = await application.PredictAsync();
        await application.PostAsync("/api/streams/flights/events", WalkActions.Events);

        foreach (var (who, key) in new[] { ("operator", application.Operator), ("viewer", application.Viewer) })
            foreach (var dark in new[] { false, true })
            {
                await using var page = await SignedInAsync(browser, application, key, dark);
                await page.GoAsync(application.Url + "/hangfire/predictions");
                var batch = await page.Page.Locator("[data-aw-part=found] th a").First.InnerTextAsync();
                foreach (var (name, path) in Pages(batch, online))
                {
                    page.Problems.Clear();
                    await page.GoAsync(application.Url + "/hangfire" + path);
                    var where = $"{path} as {who}, {(dark ? "dark" : "light")}";
                    page.Problems.ShouldBeEmpty(where);
                    (await page.OverflowAsync()).ShouldBeEmpty(where);
                    (await page.Page.Locator(".is-failed").CountAsync()).ShouldBe(0, where);
                    if (who == "viewer")
                        (await page.Page.Locator("[data-aw-post]:not(.aw-nav *), .aw-danger").CountAsync()).ShouldBe(0, where);
                    else
                        await PictureAsync(page, $"{name}-{(dark ? "dark" : "light")}");
                }
                if (who == "viewer" && !dark)
                {
                    await page.GoAsync(application.Url + "/hangfire/workflows");
                    await PictureAsync(page, "viewer-light");
                }
            }
    }

    private static (string Name, string Path)[] Pages(string batch, long online) =>
    [
        ("workflows", "/workflows"), ("workflow", "/workflows/flight-delays"), ("runs", "/runs"), ("run", "/runs/2"), ("runs-compare", "/runs/2/compare?with=1"), ("backfills", "/backfills"), ("backfill", "/backfills/1"),
        ("features", "/features"), ("feature", "/features/departures"), ("feature-quarantine", "/features/flight_outcomes"), ("rows", "/features/departures/rows?key=ORD"), ("models", "/models"), ("model", "/models/flight-delay"),
        ("compare", "/models/flight-delay/compare?a=1&b=2"), ("promote", "/models/flight-delay#promote"), ("predictions", "/predictions"), ("predictions-online", "/predictions?made=online"), ("prediction-batch", $"/predictions/{batch}"),
        ("prediction", $"/predictions/{online}"), ("streams", "/streams"), ("hosts", "/hosts"), ("search", "/search?q=dep"),
    ];

    private static async Task PictureAsync(PageUnderTest page, string name)
    {
        await page.ShotAsync("walk-" + name);
        if (Pictures is null)
            return;
        Directory.CreateDirectory(Pictures);
        // What a page shows first is enough for a document; a page has its whole length in the tests' own pictures.
        var height = await page.Page.EvaluateAsync<int>("document.documentElement.scrollHeight");
        await page.Page.ScreenshotAsync(new() { Path = Path.Combine(Pictures, name + ".png"), FullPage = true, Clip = new() { X = 0, Y = 0, Width = Width, Height = Math.Min(height, 1700) } });
    }

    private static async Task<PageUnderTest> SignedInAsync(Browser browser, ReferenceApplication application, string key, bool dark)
    {
        var page = await browser.OpenAsync(dark, width: Width);
        page.Page.SetDefaultTimeout(Patience);
        page.Page.Dialog += (_, dialog) => _ = dialog.AcceptAsync();
        await page.GoAsync(application.Url + "/login");
        await page.Page.GetByLabel("Key").FillAsync(key);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.Page.WaitForURLAsync("**/hangfire**");
        return page;
    }
}
