using System.Diagnostics;
using System.Text.RegularExpressions;
using AiWorkflows.Tests.Flights;

namespace AiWorkflows.Tests.Docs;

/// <summary>Follows docs/first-workflow.md word by word: writes its files, types its commands, and compares what they print.</summary>
public sealed partial class FirstWorkflowTests
{
    private static readonly string Repository = FindRepository();

    [Fact]
    public async Task A_newcomer_who_follows_the_guide_gets_what_it_shows()
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("AIWORKFLOWS_TEST_LONG") == "1", "Builds and runs a project for half a minute; set AIWORKFLOWS_TEST_LONG=1.");
        using var folder = new TempFolder();
        var current = Directory.CreateDirectory(folder.File("deliveries")).FullName;
        var (root, output, steps) = (current, "", 0);

        foreach (var block in Blocks(await File.ReadAllTextAsync(Path.Combine(Repository, "docs", "first-workflow.md"), TestContext.Current.CancellationToken)))
        {
            if (block.File is not null)
            {
                var path = Path.Combine(root, block.File);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await File.WriteAllTextAsync(path, block.Text.Replace("../../AiWorkflows/", Repository + "/", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            }
            else if (block.Language == "sh")
            {
                output = "";
                foreach (var line in block.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                    if (line.StartsWith("cd ", StringComparison.Ordinal))
                        current = Path.GetFullPath(Path.Combine(current, line[3..]));
                    else
                        output += await RunAsync(current, line);
                steps++;
            }
            else if (block.Language == "text")
                foreach (var line in block.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                    Shape(output).ShouldContain(Shape(line), customMessage: $"the guide shows '{line}', the commands printed:\n{output}");
        }
        steps.ShouldBe(5);
    }

    private sealed record Block(string? File, string Language, string Text);

    /// <summary>Fenced blocks; one that a line with nothing but `a/path` stands before is a file.</summary>
    private static IEnumerable<Block> Blocks(string markdown) =>
        Fences().Matches(markdown).Select(m => new Block(m.Groups["file"].Success ? m.Groups["file"].Value : null, m.Groups["language"].Value, m.Groups["text"].Value));

    [GeneratedRegex(@"(?:^`(?<file>[^`\n]+)`\n\n)?^```(?<language>\w+)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    /// <summary>Numbers, times and widths differ; words and their order do not.</summary>
    private static string Shape(string text) => Spaces().Replace(Numbers().Replace(text, "#"), " ").Trim();

    [GeneratedRegex(@"[\d][\d.,:eE+-]*")]
    private static partial Regex Numbers();

    [GeneratedRegex(@"[ \t]+")]
    private static partial Regex Spaces();

    private static async Task<string> RunAsync(string folder, string command)
    {
        var arguments = Words().Matches(command).Select(m => m.Value.Trim('"')).ToArray();
        var start = new ProcessStartInfo(arguments[0]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var argument in arguments.Skip(1))
            start.ArgumentList.Add(argument);
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        // What the repository's projects build is there already, and other tests are running from it.
        start.Environment["BuildProjectReferences"] = "false";
        start.Environment["NO_COLOR"] = "1";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{command}\n{await output}\n{await error}");
        return await output;
    }

    [GeneratedRegex("\"[^\"]*\"|\\S+")]
    private static partial Regex Words();

    private static string FindRepository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiWorkflows.sln")))
                return folder.FullName;
        throw new InvalidOperationException($"No AiWorkflows.sln above {AppContext.BaseDirectory}.");
    }
}
