using Microsoft.Playwright;

namespace AiWorkflows.BrowserTests;

/// <summary>Debian's Chromium, headless; tests are skipped where it is missing. Nothing is downloaded.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Chromium = "/usr/bin/chromium";

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private Browser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    /// <summary>Where screenshots go: beside the test's own output.</summary>
    public static string Screenshots { get; } = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "screenshots")).FullName;

    public static void SkipWithoutChromium() => Assert.SkipUnless(File.Exists(Chromium), $"{Chromium} is missing; install Debian's package chromium to run the browser tests.");

    public static async Task<Browser> StartAsync()
    {
        var playwright = await Playwright.CreateAsync();
        return new(playwright, await playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = ["--no-sandbox"] }));
    }

    /// <summary>A window with cookies of its own; a test closes it, for an open page goes on asking for its fresh parts.</summary>
    public async Task<PageUnderTest> OpenAsync(bool dark = false, bool script = true, int width = 1400)
    {
        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 900 }, ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light, JavaScriptEnabled = script, ReducedMotion = ReducedMotion.Reduce,
        });
        return new(await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}

/// <summary>A page that remembers what went wrong in it.</summary>
internal sealed class PageUnderTest : IAsyncDisposable
{
    public PageUnderTest(IPage page)
    {
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                Problems.Add(message.Text);
        };
        page.PageError += (_, error) => Problems.Add(error);
    }

    public IPage Page { get; }

    /// <summary>Errors and warnings of the console, and exceptions of scripts.</summary>
    public List<string> Problems { get; } = [];

    public async Task GoAsync(string url)
    {
        IResponse? response;
        try
        {
            response = await Page.GotoAsync(url, new() { WaitUntil = WaitUntilState.Load });
        }
        catch (PlaywrightException e) when (e.Message.Contains("interrupted by another navigation", StringComparison.Ordinal))
        {
            // An action that was taken just before loads its page anew.
            response = await Page.GotoAsync(url, new() { WaitUntil = WaitUntilState.Load });
        }
        response.ShouldNotBeNull().Status.ShouldBe(200, url);
    }

    /// <summary>What makes the page wider than its window; nothing where it is not.</summary>
    public Task<string[]> OverflowAsync() => Page.EvaluateAsync<string[]>(
        """
        () => {
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            const clips = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) if (getComputedStyle(p).overflowX !== 'visible') return true; return false; };
            return [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > width + 1 && !clips(e)).slice(0, 8)
                .map(e => Math.round(e.getBoundingClientRect().right - width) + ' px: ' + e.outerHTML.slice(0, 120));
        }
        """);

    public async ValueTask DisposeAsync() => await Page.Context.CloseAsync();

    public Task ShotAsync(string name) => Page.ScreenshotAsync(new() { Path = Path.Combine(Browser.Screenshots, name + ".png"), FullPage = true });
}
