using AiWorkflows.Hosting;

namespace AiWorkflows.Tests.Hosting;

public sealed class CodeVersionTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void It_names_the_commit_and_the_assemblies() =>
        CodeVersion.Of(typeof(CodeVersionTests).Assembly).ShouldMatch("^([0-9a-f]{12}|unversioned)-[0-9a-f]{12}$");

    [Fact]
    public void It_is_the_same_as_long_as_the_assemblies_are() =>
        CodeVersion.Of(typeof(CodeVersionTests).Assembly).ShouldBe(CodeVersion.Of(typeof(CodeVersionTests).Assembly));

    [Fact]
    public void A_changed_assembly_changes_it_whatever_the_order_of_the_files()
    {
        var (a, b) = (_directory.File("a.dll", "one"), _directory.File("b.dll", "two"));
        var before = CodeVersion.HashOf([a, b]);

        CodeVersion.HashOf([b, a]).ShouldBe(before);
        File.WriteAllText(b, "three");

        CodeVersion.HashOf([a, b]).ShouldNotBe(before);
    }
}
