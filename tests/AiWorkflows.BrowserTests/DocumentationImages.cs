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
            ("workflows-light", "/workflows", false), ("workflows-dark", "/workflows", true), ("workflow-light", "/workflows/flight-delays", false), ("runs-light", "/runs", false),
            ("run-light", "/runs/" + setting[1], false), ("run-dark", "/runs/" + setting[1], true), ("features-light", "/features", false), ("feature-light", "/features/flight_outcomes", false),
            ("feature-dark", "/features/departures", true), ("rows-light", "/features/departures/rows?key=ORD", false), ("models-light", "/models", false), ("model-light", "/models/flight-delay", false),
            ("model-dark", "/models/flight-delay", true), ("predictions-light", "/predictions", false), ("predictions-dark", "/predictions", true), ("prediction-batch-light", "/predictions/4294967297", false),
            ("hosts-dark", "/hosts", true),
        })
        {
            var page = await browser.OpenAsync(dark);
            await page.GoAsync(setting[0] + path);
            await page.ShotAsync("docs-" + name);
            page.Problems.ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task Pictures_of_the_api_and_of_a_prediction_that_it_has_answered()
    {
        var setting = Environment.GetEnvironmentVariable("AIWORKFLOWS_PICTURES")?.Split(',');
        Assert.SkipUnless(setting is { Length: 2 }, "AIWORKFLOWS_PICTURES names no host to take pictures of.");
        await using var browser = await Browser.StartAsync();
        var host = new Uri(setting[0]).GetLeftPart(UriPartial.Authority);
        using var http = new HttpClient { BaseAddress = new Uri(host) };
        var example = System.Text.Json.Nodes.JsonNode.Parse(await http.GetStringAsync("/api/models/flight-delay", TestContext.Current.CancellationToken))!["example"]!.ToJsonString();
        using var body = new StringContent(example, System.Text.Encoding.UTF8, "application/json");
        using var response = await http.PostAsync("/api/models/flight-delay/predictions", body, TestContext.Current.CancellationToken);
        var answer = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;

        var page = await browser.OpenAsync();
        await page.GoAsync(host + "/api");
        await page.Page.GetByRole(Microsoft.Playwright.AriaRole.Link, new() { NameRegex = new("^Predict") }).Last.ClickAsync(new() { Timeout = 20_000 });
        await page.Page.GetByText("flight_id").First.WaitForAsync();
        await page.Page.WaitForLoadStateAsync(Microsoft.Playwright.LoadState.NetworkIdle);
        await page.Page.ScreenshotAsync(new() { Path = Path.Combine(Browser.Screenshots, "docs-api.png") });
        page.Problems.ShouldBeEmpty();

        foreach (var dark in new[] { false, true })
        {
            var explained = await browser.OpenAsync(dark);
            await explained.GoAsync($"{setting[0]}/predictions/{answer["predictions"]![0]!["prediction_id"]}");
            await explained.ShotAsync($"docs-prediction-{(dark ? "dark" : "light")}");
            explained.Problems.ShouldBeEmpty();
        }
    }
}
