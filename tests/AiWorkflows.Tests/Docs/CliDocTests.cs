using System.CommandLine;
using AiWorkflows.Hosting.Cli;
using AiWorkflows.Tests.Cli;

namespace AiWorkflows.Tests.Docs;

/// <summary>docs/cli.md and the commands say the same.</summary>
public sealed class CliDocTests
{
    [Fact]
    public async Task Every_command_and_option_is_documented_and_every_example_is_understood()
    {
        await using var host = new ShopHost();
        await using var app = host.Build(new TextConsole());
        var root = CommandTree.Create(app, new CliContext(app.Services, new TextConsole()));
        var document = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot(), "docs", "cli.md"), TestContext.Current.CancellationToken);

        foreach (var (path, command) in Leaves(root, ""))
        {
            // The same commands stand below features, which the page says once.
            if (path.StartsWith("features quarantine", StringComparison.Ordinal))
                continue;
            document.ShouldContain($"`{path}", customMessage: $"{path} is not documented");
            foreach (var option in command.Options.Where(o => !o.Hidden && o.Name is not ("--reason" or "--help")))
                document.ShouldContain(option.Name, customMessage: $"{path} {option.Name} is not documented");
        }

        var examples = document.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('|')[2])
            .SelectMany(cell => cell.Split('`').Where((_, i) => i % 2 == 1)).Where(e => root.Subcommands.Any(c => e == c.Name || e.StartsWith(c.Name + " ", StringComparison.Ordinal))).ToList();
        examples.Count.ShouldBeGreaterThan(25);
        foreach (var example in examples)
            root.Parse(example).Errors.ShouldBeEmpty(example);
    }

    private static IEnumerable<(string Path, Command Command)> Leaves(Command command, string path)
    {
        foreach (var sub in command.Subcommands.Where(c => !c.Hidden))
        {
            var below = $"{path} {sub.Name}".Trim();
            if (sub.Subcommands.Count == 0)
                yield return (below, sub);
            else
                foreach (var leaf in Leaves(sub, below))
                    yield return leaf;
        }
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "AiWorkflows.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("AiWorkflows.sln was not found above the tests.");
        return directory.FullName;
    }
}
