namespace AiWorkflows.SqlServer.Tests;

/// <summary>Files of the checkout.</summary>
internal static class Repository
{
    public static string Read(string path)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "AiWorkflows.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("AiWorkflows.sln was not found above the tests.");
        return File.ReadAllText(Path.Combine(directory.FullName, path)).ReplaceLineEndings("\n");
    }
}
