using AiWorkflows.Storage;
using AiWorkflows.Tests.Dashboard;

namespace AiWorkflows.BrowserTests;

/// <summary>The dashboard as people see it.</summary>
public sealed class DashboardTests : DashboardPages
{
    private const string Strict = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'";

    private protected override string? ContentSecurityPolicy => Strict;

    private protected override Task FillAsync() => Host.Database.WriteAsync(async tx =>
    {
        await PredictionSeed.BatchAsync(tx, 1, DashboardSeed.Clock.Date.AddDays(-2), TimeSpan.FromDays(1), 30);
        await PredictionSeed.OnlineAsync(tx, 2, DashboardSeed.Clock.Date, 30);
        for (var day = 1; day < 9; day++)
            await PredictionSeed.MetricAsync(tx, DashboardSeed.Clock.Date.AddDays(-day), 0.75 + day % 3 * 0.01, 4000, day == 1 ? 2000 : 4000);
    }, CancellationToken.None);

    [Theory]
    [InlineData("workflows", "/workflows")]
    [InlineData("runs", "/runs")]
    [InlineData("run", "/runs/41")]
    [InlineData("run-failed", "/runs/42")]
    [InlineData("features", "/features")]
    [InlineData("feature", "/features/departures")]
    [InlineData("models", "/models")]
    [InlineData("model", "/models/flight-delay")]
    [InlineData("workflow", "/workflows/flight-delays")]
    [InlineData("compare", "/models/flight-delay/compare")]
    [InlineData("hosts", "/hosts")]
    [InlineData("search", "/search?q=delay")]
    [InlineData("predictions", "/predictions")]
    [InlineData("prediction", "/predictions/4294967298")]
    public async Task Pages_show_without_a_complaint_in_the_console_light_and_dark(string name, string path)
    {
        foreach (var dark in new[] { false, true })
        {
            var page = await Browser.OpenAsync(dark);
            await page.GoAsync(Host.Url + "/hangfire" + path);
            await page.ShotAsync($"{name}-{(dark ? "dark" : "light")}");
            page.Problems.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task The_job_page_shows_progress_and_log()
    {
        foreach (var dark in new[] { false, true })
        {
            var page = await Browser.OpenAsync(dark);
            await page.GoAsync(Host.Url + "/hangfire/jobs/details/1");
            await page.ShotAsync($"job-{(dark ? "dark" : "light")}");
            (await page.Page.Locator(".aw-job .aw-log").InnerTextAsync()).ShouldContain("372 of 524 examples");
            (await page.Page.Locator(".aw-job .aw-dl").InnerTextAsync()).ShouldContain("372 of 524");
            // The page around our section is Hangfire's own, whose inline styles the strict policy blocks.
            page.Problems.ShouldAllBe(problem => problem.Contains("style"));
        }
    }
}
