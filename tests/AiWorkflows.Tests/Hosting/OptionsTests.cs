using AiWorkflows.Hosting;
using Microsoft.Extensions.Configuration;

namespace AiWorkflows.Tests.Hosting;

public class OptionsTests
{
    [Fact]
    public void Without_settings_the_documented_defaults_hold()
    {
        var (options, errors) = Read([]);

        errors.ShouldBeEmpty();
        options.Engine.ShouldBe(StoreEngine.Sqlite);
        options.ConnectionString.ShouldBeNull();
        options.DataDirectory.ShouldBe("data");
        options.Clock.ShouldBeNull();
        options.Urls.ShouldBe("http://localhost:5000");
        options.Webhook.Url.ShouldBeNull();
        (options.Workers.Training, options.Workers.Control).ShouldBe((1, 1));
        options.Workers.Features.ShouldBeInRange(1, 2);
        options.Workers.Inference.ShouldBeInRange(1, 2);
    }

    [Fact]
    public void Every_setting_is_read()
    {
        var (options, errors) = Read([
            ("Engine", "sqlite"), ("ConnectionString", "Data Source=x.db"), ("DataDirectory", "/tmp/d"), ("Clock", "2001-07-02T02:00:00+02:00"),
            ("Workers:Features", "3"), ("Workers:Training", "4"), ("Workers:Inference", "5"), ("Workers:Control", "6"),
            ("Webhook:Url", "https://example.org/hook"), ("Urls", "http://localhost:1;http://127.0.0.1:2")]);

        errors.ShouldBeEmpty();
        options.ConnectionString.ShouldBe("Data Source=x.db");
        options.DataDirectory.ShouldBe("/tmp/d");
        options.Clock!.Value.UtcDateTime.ShouldBe(new DateTime(2001, 7, 2, 0, 0, 0, DateTimeKind.Utc));
        (options.Workers.Features, options.Workers.Training, options.Workers.Inference, options.Workers.Control).ShouldBe((3, 4, 5, 6));
        options.Webhook.Url.ShouldBe("https://example.org/hook");
        options.Urls.ShouldBe("http://localhost:1;http://127.0.0.1:2");
    }

    [Theory]
    [InlineData("Engine", "Postgres", "AiWorkflows:Engine is 'Postgres'; it can be Sqlite or SqlServer.")]
    [InlineData("Engine", "1", "AiWorkflows:Engine is '1'")]
    [InlineData("Clock", "2001-07-02", "give an instant in UTC such as 2001-07-02T00:00:00Z")]
    [InlineData("Clock", "2001-07-02T00:00:00", "give an instant in UTC")]
    [InlineData("Clock", "yesterday", "AiWorkflows:Clock is 'yesterday'")]
    [InlineData("Workers:Features", "-1", "AiWorkflows:Workers:Features is '-1'; give a number of workers from 0 (this host takes no step of the queue) to 64.")]
    [InlineData("Workers:Features", "0", "an embedded database has one host, which needs at least one for each")]
    [InlineData("Workers:Training", "65", "to 64.")]
    [InlineData("Workers:Control", "two", "AiWorkflows:Workers:Control is 'two'")]
    [InlineData("Webhook:Url", "ftp://x", "give an absolute http or https address")]
    [InlineData("Webhook:Url", "/hook", "give an absolute http or https address")]
    [InlineData("DataDirectory", " ", "AiWorkflows:DataDirectory is empty")]
    [InlineData("Urls", "localhost:5000", "AiWorkflows:Urls holds 'localhost:5000'")]
    [InlineData("Urls", "", "AiWorkflows:Urls holds ''")]
    [InlineData("DataDirctory", "x", "Unknown setting of AiWorkflows 'DataDirctory': did you mean DataDirectory?")]
    [InlineData("Workers:Feature", "1", "Unknown setting of AiWorkflows:Workers 'Feature': did you mean Features?")]
    public void A_wrong_setting_is_named_with_what_to_give(string key, string value, string message)
    {
        var (_, errors) = Read([(key, value)]);

        errors.ShouldHaveSingleItem().ShouldContain(message);
    }

    [Fact]
    public void All_mistakes_are_reported_at_once_and_mean_exit_code_2()
    {
        var (options, errors) = Read([("Engine", "Oracle"), ("Clock", "noon"), ("Workers:Training", "-1"), ("Colour", "red")]);
        var settings = HostSettings.Resolve(options, errors, "/app", "1");

        var message = Should.Throw<InvalidRequestException>(settings.ThrowIfWrong).Message;

        message.ShouldStartWith("Wrong configuration, 4 mistakes:");
        foreach (var part in new[] { "Oracle", "noon", "Workers:Training", "Colour" })
            message.ShouldContain(part);
    }

    [Theory]
    [InlineData(null, "needs AiWorkflows:ConnectionString")]
    [InlineData("Server=.;User ID=sa;Password=s3cret", "names no database")]
    [InlineData("Database=x;Password=s3cret", "names no server")]
    [InlineData("Server=.;Database=x;Pasword=s3cret", "no connection string of SQL Server")]
    [InlineData("Server=.;Database=x;Encrypt=s3cret", "no connection string of SQL Server")]
    public void A_wrong_connection_string_is_named_and_never_repeated(string? connectionString, string expected)
    {
        var (options, errors) = Read(connectionString is null ? [("Engine", "SqlServer")] : [("Engine", "SqlServer"), ("ConnectionString", connectionString)]);

        var message = Should.Throw<InvalidRequestException>(HostSettings.Resolve(options, errors, "/app", "1").ThrowIfWrong).Message;
        message.ShouldContain(expected);
        message.ShouldNotContain("s3cret");
    }

    [Theory]
    [InlineData("data", null, "/app/data/aiworkflows.db")]
    [InlineData("/var/ai", null, "/var/ai/aiworkflows.db")]
    [InlineData("data", "Data Source=other/x.db", "/app/other/x.db")]
    [InlineData("data", "Data Source=/srv/x.db", "/srv/x.db")]
    public void Relative_paths_start_at_the_content_root(string dataDirectory, string? connectionString, string database)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("The paths of this test are those of Unix.");

        var settings = HostSettings.Resolve(new() { DataDirectory = dataDirectory, ConnectionString = connectionString }, [], "/app", "1");

        settings.DatabasePath.ShouldBe(database);
        settings.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Data Source=:memory:")]
    [InlineData("Mode=ReadWrite")]
    [InlineData("Server=.;Database=x")]
    public void A_connection_string_without_a_file_is_refused(string connectionString)
    {
        var errors = new List<string>();

        HostSettings.Resolve(new() { ConnectionString = connectionString }, errors, Path.GetTempPath(), "1");

        errors.ShouldHaveSingleItem().ShouldContain("give 'Data Source=FILE'");
    }

    [Fact]
    public void Two_hosts_have_two_engine_ids_and_names()
    {
        var (one, two) = (HostSettings.Resolve(new(), [], "/app", "1"), HostSettings.Resolve(new(), [], "/app", "1"));

        one.EngineId.ShouldNotBe(two.EngineId);
        one.HostName.ShouldNotBe(two.HostName);
    }

    private static (AiWorkflowsOptions Options, List<string> Errors) Read((string Key, string Value)[] settings)
    {
        var errors = new List<string>();
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create($"AiWorkflows:{s.Key}", (string?)s.Value))).Build();
        return (OptionsReader.Read(configuration, errors), errors);
    }
}
