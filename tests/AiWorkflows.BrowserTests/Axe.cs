namespace AiWorkflows.BrowserTests;

/// <summary>The automatic test of accessibility: rules of WCAG 2.1, levels A and AA.</summary>
internal static class Axe
{
    private static readonly Lazy<Task<string>> Script = new(() => File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "axe", "axe.min.js")));

    public static async Task<string[]> FindingsAsync(PageUnderTest page)
    {
        await page.Page.EvaluateAsync(await Script.Value);
        return await page.Page.EvaluateAsync<string[]>(
            """
            async () => (await axe.run('.aw', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })).violations
                .flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ': ' + n.html.slice(0, 200) + ' / ' + n.failureSummary.replace(/\s+/g, ' ').slice(0, 300)))
            """);
    }
}
