using AiWorkflows.Hosting;

namespace AiWorkflows.Tests.Hosting;

public sealed class ContentRootTests : IDisposable
{
    private const string Ours = """{ "AiWorkflows": { "DataDirectory": "data" } }""";
    private const string Foreign = """{ "Logging": { } }""";
    private readonly TempDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_current_directory_counts_when_it_has_settings()
    {
        _directory.File("appsettings.json", Foreign);
        _directory.File("bin/appsettings.json", Ours);

        ContentRoot.Find(_directory.FullName, Path.Combine(_directory.FullName, "bin")).ShouldBe(_directory.FullName);
    }

    [Fact]
    public void Started_in_a_directory_below_the_settings_the_same_database_is_used()
    {
        _directory.File("appsettings.json", Ours);
        var project = _directory.Sub("src/FlightDelays");

        ContentRoot.Find(project, Path.Combine(project, "bin")).ShouldBe(_directory.FullName);
    }

    [Fact]
    public void Settings_above_that_are_not_ours_are_passed_over()
    {
        _directory.File("appsettings.json", Foreign);
        _directory.File("app/appsettings.json", Ours);
        var elsewhere = _directory.Sub("elsewhere");

        ContentRoot.Find(elsewhere, Path.Combine(_directory.FullName, "app")).ShouldBe(Path.Combine(_directory.FullName, "app"));
    }

    [Fact]
    public void Without_any_settings_it_is_the_current_directory()
    {
        var elsewhere = _directory.Sub("elsewhere");

        ContentRoot.Find(elsewhere, _directory.Sub("app")).ShouldBe(elsewhere);
    }

    [Fact]
    public void Settings_above_that_cannot_be_read_are_passed_over()
    {
        _directory.File("appsettings.json", "{ not json");
        var below = _directory.Sub("below");

        ContentRoot.Find(below, below).ShouldBe(below);
    }
}
