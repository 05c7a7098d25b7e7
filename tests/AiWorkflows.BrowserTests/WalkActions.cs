using Microsoft.Playwright;

namespace AiWorkflows.BrowserTests;

/// <summary>Each action of the dashboard, from the page where an operator finds it.</summary>
internal sealed class WalkActions(PageUnderTest page, string dashboard)
{
    private const float Patience = 240_000;

    /// <summary>Two flights that have landed, and one that has left.</summary>
    public const string Events =
        """
        [{"airport":"ORD","flight_id":1,"move":"Landed","at":"2001-07-01T10:00:00Z","delay":12},{"airport":"ATL","flight_id":2,"move":"Landed","at":"2001-07-01T10:05:00Z","delay":-2},{"airport":"ORD","flight_id":3,"move":"Departed","at":"2001-07-01T10:30:00Z"}]
        """;

    public async Task DoAllAsync()
    {
        await ScheduleAsync();
        await BackfillAsync();
        await RunAsync();
        await ReplayAsync();
        await ModelAsync();
    }

    private async Task ScheduleAsync()
    {
        await GoAsync("/workflows");
        await ButtonAsync("Pause");
        await Expect("[data-aw-part=workflows]").ToContainTextAsync("paused by otto");
        await ButtonAsync("Resume");
        await Expect("[data-aw-part=workflows]").Not.ToContainTextAsync("paused by otto");
        await ButtonAsync("Run now");
        await Expect("[data-aw-part=workflows] output").ToContainTextAsync("flight-delays");
    }

    /// <summary>Two windows that are cancelled and retried, and one in which a model is trained.</summary>
    private async Task BackfillAsync()
    {
        await RequestBackfillAsync("2001-06-24", "2001-06-28", train: false);
        await GoAsync("/backfills/1");
        await LinkAsync("Cancel backfill…");
        await page.Page.GetByLabel("Why (kept on record)").FillAsync("the wrong week");
        await ButtonAsync("Cancel backfill");
        await Expect("h1").ToContainTextAsync("cancelled");
        await RetryAsync();
        await Expect("h1").ToContainTextAsync("succeeded");
        await RequestBackfillAsync("2001-06-29", "2001-06-30", train: true);
        await GoAsync("/backfills/2");
        await Expect("h1").ToContainTextAsync("succeeded");
    }

    /// <summary>Windows that are still on their way to being cancelled cannot be retried yet; whoever asks too early asks again.</summary>
    private async Task RetryAsync()
    {
        for (var asked = 0; asked < 10; asked++)
        {
            await GoAsync("/backfills/1");
            var button = page.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Retry [1-4] window") });
            if (await button.CountAsync() == 0)
                return;
            await button.ClickAsync();
            await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        }
    }

    private async Task RequestBackfillAsync(string from, string to, bool train)
    {
        await GoAsync("/workflows/flight-delays");
        var form = page.Page.Locator("#backfill form");
        await form.GetByLabel("From, UTC").FillAsync(from);
        await form.GetByLabel("to", new() { Exact = true }).FillAsync(to);
        if (train)
            await form.GetByLabel("Models").SelectOptionAsync("yes");
        await TakenAsync(form);
    }

    /// <summary>A window by hand, cancelled for a reason, and resumed.</summary>
    private async Task RunAsync()
    {
        await GoAsync("/workflows/flight-delays");
        var form = page.Page.Locator("form[data-aw-post$='/run']").Filter(new() { Has = page.Page.GetByLabel("From, UTC") });
        await form.GetByLabel("From, UTC").FillAsync("2001-06-25");
        await form.GetByLabel("to", new() { Exact = true }).FillAsync("2001-07-01");
        await form.GetByLabel("What a model's training may have seen").SelectOptionAsync("yes");
        await TakenAsync(form);
        await GoAsync("/runs?trigger=manual");
        await page.Page.Locator("[data-aw-part=runs] th a").First.ClickAsync();
        await LinkAsync("Cancel run…");
        await page.Page.GetByLabel("Why (kept on record)").FillAsync("not this day");
        await ButtonAsync("Cancel run");
        await Expect("h1").ToContainTextAsync("cancelled");
        await Expect(".aw").ToContainTextAsync("not this day");
        await page.Page.GetByRole(AriaRole.Button, new() { NameRegex = new("^Resume") }).ClickAsync();
        await Expect("h1").ToContainTextAsync("succeeded");
    }

    /// <summary>The three flights that the rule keeps out stay there, until somebody accepts them.</summary>
    private async Task ReplayAsync()
    {
        await GoAsync("/features/flight_outcomes");
        await page.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("^Replay [0-9]+…$") }).ClickAsync();
        await ButtonAsync("Replay");
        await Expect("#replay output").ToContainTextAsync("rows stay in quarantine");
        await page.Page.Locator("#replay").GetByLabel("Rows that still violate a rule").SelectOptionAsync("yes");
        await ButtonAsync("Replay");
        await Expect("[data-aw-part=quarantine]").ToContainTextAsync(" replayed");
        await Expect("[data-aw-part=commits]").ToContainTextAsync("patch");
    }

    private async Task ModelAsync()
    {
        await PromoteAsync("2", "challenger", "to be watched");
        await Expect("[data-aw-part=aliases]").ToContainTextAsync("to be watched");
        await PromoteAsync("2", "champion", "trained on a day more");
        await Expect("h1").ToContainTextAsync("v2 champion");
        // To whichever was the champion before: the window that was run by hand has trained one too.
        await page.Page.GetByRole(AriaRole.Link, new() { NameRegex = new("^Roll back to v[0-9]+…$") }).ClickAsync();
        var form = page.Page.Locator("#rollback");
        await form.GetByLabel("Why (kept on record)").FillAsync("no better after all");
        await form.GetByRole(AriaRole.Button, new() { NameRegex = new("^Roll back to v[0-9]+$") }).ClickAsync();
        await Expect("[data-aw-part=aliases]").ToContainTextAsync("no better after all");
        await Expect("h1").Not.ToContainTextAsync("v2 champion");
    }

    private async Task PromoteAsync(string version, string alias, string why)
    {
        await GoAsync("/models/flight-delay");
        await LinkAsync("Promote…");
        var form = page.Page.Locator("#promote");
        await form.GetByLabel("Version").SelectOptionAsync(version);
        await form.GetByLabel("as", new() { Exact = true }).SelectOptionAsync(alias);
        await form.GetByLabel("Why (kept on record)").FillAsync(why);
        await form.GetByRole(AriaRole.Button, new() { Name = "Promote" }).ClickAsync();
    }

    private async Task TakenAsync(ILocator form)
    {
        var answer = await page.Page.RunAndWaitForResponseAsync(() => form.GetByRole(AriaRole.Button).ClickAsync(), response => response.Request.Method == "POST", new() { Timeout = Patience });
        answer.Status.ShouldBe(204);
    }

    private Task GoAsync(string path) => page.GoAsync(dashboard + path);

    private Task ButtonAsync(string name) => page.Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true }).First.ClickAsync();

    private Task LinkAsync(string name) => page.Page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).First.ClickAsync();

    private Patient Expect(string selector) => new(page.Page.Locator(selector).First);

    /// <summary>Waits as long as work of the reference application may take.</summary>
    private sealed class Patient(ILocator locator)
    {
        public Opposite Not => new(locator);

        public Task ToContainTextAsync(string text) => Assertions.Expect(locator).ToContainTextAsync(text, new() { Timeout = Patience });
    }

    private sealed class Opposite(ILocator locator)
    {
        public Task ToContainTextAsync(string text) => Assertions.Expect(locator).Not.ToContainTextAsync(text, new() { Timeout = Patience });
    }
}
