namespace AiWorkflows.Tests.Docs;

/// <summary>Code that the documentation shows is compiled here, between <c>#region NAME</c> and <c>#endregion</c>, and run by tests; the page has to show the same.</summary>
internal static class Snippets
{
    public static string Repository { get; } = Find();

    /// <summary>The page has a block of C# that holds the region's lines one after another, whatever their indentation.</summary>
    /// <param name="source">File below <c>tests/AiWorkflows.Tests</c>.</param>
    public static async Task IsShownAsync(string page, string source, string region)
    {
        var code = Lines(await File.ReadAllLinesAsync(Path.Combine(Repository, "tests", "AiWorkflows.Tests", source))).ToList();
        var from = code.FindIndex(l => l == "#region " + region);
        from.ShouldBeGreaterThanOrEqualTo(0, $"{source} has no #region {region}");
        var shown = string.Join('\n', code.Skip(from + 1).TakeWhile(l => l != "#endregion"));
        shown.Length.ShouldBeGreaterThan(100);
        string.Join('\n', Lines(await File.ReadAllLinesAsync(Path.Combine(Repository, "docs", page)))).ShouldContain(shown, Case.Sensitive, $"docs/{page} does not show #region {region} of {source} as it is compiled and run");
    }

    /// <summary>The indented and fenced blocks of shell commands of a page, one after another.</summary>
    public static async Task<string> CommandsAsync(string page, string command) => string.Join('\n',
        (await File.ReadAllTextAsync(Path.Combine(Repository, "docs", page))).Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Where(l => l.StartsWith("    ", StringComparison.Ordinal) && l.TrimStart().StartsWith(command + " ", StringComparison.Ordinal)).Select(l => l.Trim()));

    private static IEnumerable<string> Lines(string[] lines) => lines.Select(l => l.Trim()).Where(l => l.Length > 0);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiWorkflows.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"No AiWorkflows.sln above {AppContext.BaseDirectory}.");
    }
}
