namespace AiWorkflows.BrowserTests;

/// <summary>
/// Takes the pictures of the documentation from a host that serves the reference application:
/// AIWORKFLOWS_PICTURES is its dashboard, such as http://localhost:5000/hangfire, with the id of the run to show behind a comma.
/// </summary>
public sealed class DocumentationImages
{
    [Fact]
    public async Task Pictures_of_the_documentation()
    {
        var setting = Environment.GetEnvironmentVariable("AIWORKFLOWS_PICTURES")?.Split(',');
        Assert.SkipUnless(setting is { Length: 2 }, "AIWORKFLOWS_PICTURES names no host to take pictures of.");
        await using var browser = await Browser.StartAsync();
        foreach (var (name, path, dark) in new[]
        {
            ("workflows-light", "/workflows", false), ("workflows-dark", "/workflows", true), ("run-light", "/runs/" + setting[1], false), ("run-dark", "/runs/" + setting[1], true),
            ("runs-light", "/runs", false), ("models-light", "/models", false), ("model-light", "/models/flight-delay", false), ("model-dark", "/models/flight-delay", true),
            ("features-light", "/features", false), ("feature-light", "/features/departures", false), ("feature-dark", "/features/flight_outcomes", true),
        })
        {
            var page = await browser.OpenAsync(dark);
            await page.GoAsync(setting[0] + path);
            await page.ShotAsync("docs-" + name);
            page.Problems.ShouldBeEmpty();
        }
    }
}
