using System.Reflection;
using PublicApiGenerator;

namespace AiWorkflows.Tests.Architecture;

/// <summary>The public surface is a promise: it changes only together with the approved text beside this test.</summary>
public class PublicApiTests
{
    [Theory]
    [InlineData("AiWorkflows")]
    [InlineData("AiWorkflows.Storage")]
    [InlineData("AiWorkflows.Hosting")]
    [InlineData("AiWorkflows.Kafka")]
    public void The_public_surface_is_the_approved_one(string assembly)
    {
        var actual = Assembly.Load(assembly).GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n");
        var file = Path.Combine(DependencyTests.RepositoryRoot(), "tests", "AiWorkflows.Tests", "Architecture", $"{assembly}.approved.txt");
        if (Environment.GetEnvironmentVariable("AIWORKFLOWS_APPROVE_API") == "1")
            File.WriteAllText(file, actual);
        var approved = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        if (actual == approved)
            return;
        var (now, before) = (actual.Split('\n'), approved.Split('\n'));
        Assert.Fail($"The public surface of {assembly} has changed. If that is meant, run this test once with AIWORKFLOWS_APPROVE_API=1 and commit {Path.GetFileName(file)}.\n"
            + string.Join('\n', now.Except(before).Select(l => "+ " + l.Trim()).Concat(before.Except(now).Select(l => "- " + l.Trim()))));
    }
}
