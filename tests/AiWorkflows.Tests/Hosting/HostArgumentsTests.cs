using AiWorkflows.Hosting;

namespace AiWorkflows.Tests.Hosting;

public class HostArgumentsTests
{
    [Theory]
    [InlineData("run w --from 2001-01-01", "run w --from 2001-01-01")]
    [InlineData("--AiWorkflows:Engine=Sqlite run w", "run w")]
    [InlineData("run w --AiWorkflows:DataDirectory /tmp/x --json", "run w --json")]
    [InlineData("serve --urls http://localhost:5080", "serve")]
    [InlineData("--urls=http://localhost:5080", "")]
    [InlineData("sql --all", "sql --all")]
    [InlineData("runs list --state=failed", "runs list --state=failed")]
    [InlineData("features get delay at=2001-01-01T00:00", "features get delay at=2001-01-01T00:00")]
    [InlineData("--AiWorkflows:Clock=2001-07-02T00:00:00Z", "")]
    public void Settings_are_taken_out_and_commands_stay(string given, string left) =>
        string.Join(' ', HostArguments.WithoutSettings(given.Split(' '))).ShouldBe(left);

    [Theory]
    [InlineData("runs show 2 --json --AiWorkflows:DataDirectory /tmp/x", "--AiWorkflows:DataDirectory /tmp/x")]
    [InlineData("--urls=http://localhost:1 run w --from 2001-01-01 --FlightDelays:Flights=x.parquet", "--urls=http://localhost:1 --FlightDelays:Flights=x.parquet")]
    [InlineData("run w --json", "")]
    public void The_configuration_reads_only_the_settings(string given, string read) =>
        string.Join(' ', HostArguments.OnlySettings(given.Split(' '))).ShouldBe(read);
}
