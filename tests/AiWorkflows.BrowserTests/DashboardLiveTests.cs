using AiWorkflows.Storage;
using AiWorkflows.Tests.Dashboard;
using Microsoft.Playwright;

namespace AiWorkflows.BrowserTests;

/// <summary>What the script does: fresh parts, the log that follows, actions, tips, the keyboard.</summary>
public sealed class DashboardLiveTests(SharedPages shared)
{
    [Fact]
    public async Task A_run_page_follows_its_run_to_the_end()
    {
        var browser = await shared.BrowserAsync();
        await using var host = await SharedPages.StartAsync();
        await using var page = await browser.OpenAsync();
        await page.GoAsync(host.Url + "/hangfire/runs/41");
        await Expect(page.Page.Locator(".aw-live")).ToHaveTextAsync("live");

        await WriteAsync(host, "INSERT INTO {workflows.stage_logs} (run_id, stage_run_id, logged_at, level, message) VALUES (41, 115, {now}, 'warning', 'late <b>line</b>')");
        var line = page.Page.Locator(".aw-log .w", new() { HasText = "late <b>line</b>" });
        await Expect(line).ToBeVisibleAsync();

        await WriteAsync(host, "UPDATE {workflows.stage_runs} SET state = 'succeeded', finished_at = {now} WHERE run_id = 41 AND state <> 'skipped'");
        await WriteAsync(host, "UPDATE {workflows.runs} SET state = 'succeeded', finished_at = {now} WHERE run_id = 41");
        await Expect(page.Page.Locator("h1")).ToContainTextAsync("succeeded");
        await Expect(page.Page.Locator(".aw-live")).ToHaveTextAsync("ended, last state");
        page.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task Cancelling_asks_first_and_the_page_then_offers_to_resume()
    {
        var browser = await shared.BrowserAsync();
        await using var host = await SharedPages.StartAsync();
        await using var page = await browser.OpenAsync();
        await page.GoAsync(host.Url + "/hangfire/runs/41");
        await page.Page.GetByRole(AriaRole.Link, new() { Name = "Cancel run…" }).ClickAsync();
        await page.Page.GetByLabel("Why (kept on record)").FillAsync("the input was wrong");
        await page.ShotAsync("run-cancel");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel run" }).ClickAsync();
        await Expect(page.Page.Locator("h1")).ToContainTextAsync("cancelled");
        await Expect(page.Page.Locator(".aw")).ToContainTextAsync("the input was wrong");
        await Expect(page.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Resume") })).ToBeVisibleAsync();
        page.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_refused_is_said_beside_the_button()
    {
        var host = await shared.HostAsync();
        await using var page = await (await shared.BrowserAsync()).OpenAsync();
        await page.GoAsync(host.Url + "/hangfire/workflows");
        await page.Page.GetByRole(AriaRole.Row, new() { Name = "flight-delays" }).GetByRole(AriaRole.Button, new() { Name = "Run now" }).ClickAsync();
        await Expect(page.Page.Locator(".aw-action output").First).ToContainTextAsync("it comes first");
        await page.ShotAsync("workflows-refused");
    }

    [Fact]
    public async Task A_strip_is_one_tab_stop_and_its_tips_come_with_the_focus()
    {
        var host = await shared.HostAsync();
        await using var page = await (await shared.BrowserAsync()).OpenAsync();
        await page.GoAsync(host.Url + "/hangfire/workflows");
        var strip = page.Page.Locator(".aw-strip").First;
        await Expect(strip.Locator("a[tabindex='0']")).ToHaveCountAsync(1);
        await strip.Locator("a[tabindex='0']").FocusAsync();
        await Expect(page.Page.Locator(".aw-tip")).ToContainTextAsync("run 41");
        await page.Page.Keyboard.PressAsync("ArrowLeft");
        await Expect(page.Page.Locator(".aw-tip")).ToContainTextAsync("run 37");
        await page.Page.Keyboard.PressAsync("Escape");
        await Expect(page.Page.Locator(".aw-tip")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Without_a_connection_the_badge_says_so_and_later_that_it_is_live_again()
    {
        var host = await shared.HostAsync();
        await using var page = await (await shared.BrowserAsync()).OpenAsync();
        await page.GoAsync(host.Url + "/hangfire/runs/41");
        await page.Page.RouteAsync("**/parts", route => route.AbortAsync());
        await Expect(page.Page.Locator(".aw-live")).ToHaveTextAsync("offline, retrying");
        await page.Page.UnrouteAsync("**/parts");
        await Expect(page.Page.Locator(".aw-live")).ToHaveTextAsync("live", new() { Timeout = 15_000 });
    }

    [Fact]
    public async Task Without_script_everything_can_still_be_read()
    {
        var host = await shared.HostAsync();
        await using var page = await (await shared.BrowserAsync()).OpenAsync(script: false);
        await page.GoAsync(host.Url + "/hangfire/runs/41");
        await Expect(page.Page.Locator("h1")).ToContainTextAsync("running, 75%");
        await Expect(page.Page.Locator(".aw-dag .aw-node")).ToHaveCountAsync(8);
        await Expect(page.Page.Locator(".aw-log")).ToContainTextAsync("372 of 524 examples");
    }

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    private static Task<int> WriteAsync(DashboardHost host, string statement) => host.Database.WriteAsync(tx => tx.ExecuteAsync(statement), CancellationToken.None);
}
