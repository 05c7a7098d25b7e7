using Microsoft.Playwright;

namespace AiWorkflows.BrowserTests;

/// <summary>Signing in and out, and that no page breaks the policy that it was sent with.</summary>
public sealed class SecurityTests(SharedPages shared) : IAsyncLifetime
{
    private Browser _browser = null!;
    private SecuredApp _host = null!;

    public async ValueTask InitializeAsync()
    {
        _browser = await shared.BrowserAsync();
        _host = await SecuredApp.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
            await _host.DisposeAsync();
    }

    [Fact]
    public async Task A_person_signs_in_with_a_key_works_and_signs_out()
    {
        await using var page = await _browser.OpenAsync();
        await page.GoAsync(_host.Url + "/hangfire/runs");
        page.Page.Url.ShouldBe(_host.Url + "/login?returnUrl=%2Fhangfire%2Fruns");
        await page.ShotAsync("login");
        page.Problems.ShouldBeEmpty();

        await page.Page.GetByLabel("Key").FillAsync("awk_wrong");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("This key is unknown");
        page.Problems.Clear();

        await page.Page.GetByLabel("Key").FillAsync(_host.Operator);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await Expect(page.Page.Locator("h1")).ToHaveTextAsync("Runs");
        page.Page.Url.ShouldBe(_host.Url + "/hangfire/runs");
        await Expect(page.Page.Locator(".aw-nav")).ToContainTextAsync("otto");
        (await page.Page.EvaluateAsync<string>("document.cookie")).ShouldBe("");

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        await Expect(page.Page.GetByLabel("Key")).ToBeVisibleAsync();
        page.Problems.ShouldBeEmpty();
    }

    [Fact]
    public async Task Every_page_keeps_to_the_policy_that_it_was_sent_with()
    {
        await using var page = await SignedInAsync();
        foreach (var path in new[] { "/workflows", "/runs", "/models", "/features", "", "/jobs/enqueued", "/recurring", "/servers" })
        {
            await page.GoAsync(_host.Url + "/hangfire" + path);
            // The chart of the home page and the counters come after the page.
            await page.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
            page.Problems.ShouldBeEmpty(path);
        }
    }

    [Fact]
    public async Task The_api_can_be_tried_in_a_page_that_loads_everything_from_this_host()
    {
        await using var page = await SignedInAsync();
        var elsewhere = new List<string>();
        page.Page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(_host.Url, StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
                elsewhere.Add(request.Url);
        };
        await page.GoAsync(_host.Url + "/api");
        await page.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("^Request a run") }).ClickAsync(new() { Timeout = 20_000 });
        await Expect(page.Page.GetByText("Of a window, or without one of whatever the workflow owes").First).ToBeVisibleAsync();
        await Expect(page.Page.GetByText("idempotency_key").First).ToBeVisibleAsync();
        await page.Page.ScreenshotAsync(new() { Path = Path.Combine(Browser.Screenshots, "api.png") });
        elsewhere.ShouldBeEmpty();
        page.Problems.ShouldBeEmpty();
    }

    private async Task<PageUnderTest> SignedInAsync()
    {
        var page = await _browser.OpenAsync();
        await page.GoAsync(_host.Url + "/login");
        await page.Page.GetByLabel("Key").FillAsync(_host.Viewer);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
        await page.Page.WaitForURLAsync("**/hangfire**");
        return page;
    }

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);
}
