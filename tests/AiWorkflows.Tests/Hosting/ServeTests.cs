using System.Net;
using AiWorkflows.Tests.Workflows;
using AiWorkflows.Workflows;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting;

public sealed class ServeTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public ServeTests() => _directory.File("appsettings.json", "{}");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task It_says_where_the_dashboard_is_and_what_is_scheduled_in_two_lines()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);

        var lines = host.Out.TrimEnd().Split(Environment.NewLine);
        lines.Length.ShouldBe(2);
        lines[0].ShouldBe($"Dashboard: {host.Http.BaseAddress!.ToString().TrimEnd('/')}/hangfire  (Ctrl+C stops)");
        lines[1].ShouldBe("Scheduled: w (0 0 29 2 * UTC)  (the business clock stands at 2001-01-04 UTC)");
    }

    [Fact]
    public async Task Health_dashboard_and_the_way_to_it_answer()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);

        (await host.JsonAsync(HttpMethod.Get, "/health/live", 200)).GetProperty("status").GetString().ShouldBe("live");
        (await host.JsonAsync(HttpMethod.Get, "/health/ready", 200)).GetProperty("status").GetString().ShouldBe("ready");
        using var root = await host.Http.GetAsync("/", TestContext.Current.CancellationToken);
        root.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        root.Headers.Location!.OriginalString.ShouldBe("/hangfire");
        foreach (var page in new[] { "/hangfire", "/hangfire/recurring", "/hangfire/servers", "/hangfire/jobs/succeeded" })
        {
            using var response = await host.Http.GetAsync(page, TestContext.Current.CancellationToken);
            response.StatusCode.ShouldBe(HttpStatusCode.OK, page);
        }
    }

    [Fact]
    public async Task At_its_start_it_ticks_once_and_does_what_is_owed_with_a_real_chain_of_jobs()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);

        var run = await host.ReachesAsync(1, "succeeded");

        run.GetProperty("triggered_by").GetString().ShouldBe("schedule");
        run.GetProperty("window_from").GetString().ShouldBe("2001-01-01T00:00:00Z");
        run.GetProperty("window_to").GetString().ShouldBe("2001-01-04T00:00:00Z");
        var steps = await host.Services.GetRequiredService<ILedger>().StageRunsAsync(1, TestContext.Current.CancellationToken);
        var derived = host.Jobs.GetMonitoringApi().JobDetails(steps.Single(s => s.Stage == "double").JobId);
        derived.History[^1].StateName.ShouldBe("Awaiting");
        derived.History[^1].Data["ParentId"].ShouldBe(steps.Single(s => s.Stage == "tick").JobId);
        derived.Job.Args[1].ShouldBe("w #1 double");
    }

    [Fact]
    public async Task A_second_host_on_the_same_database_exits_2_and_names_the_first()
    {
        await using var first = await ServedHost.StartAsync(_directory.FullName);
        await using var second = ServedHost.Build(_directory.FullName);

        (await second.RunAsync("serve")).ShouldBe(2);

        second.Error.ShouldContain($"process {Environment.ProcessId} (serve, {first.Http.BaseAddress!.ToString().TrimEnd('/')}");
        second.Error.ShouldContain(Path.Combine("data", "aiworkflows.db"));
    }

    [Fact]
    public async Task When_it_stops_it_exits_0_and_the_next_host_goes_on()
    {
        var probe = new Probe();
        var begun = new TaskCompletionSource();
        probe.Before["tick"] = async (_, ct) =>
        {
            begun.TrySetResult();
            await Task.Delay(Timeout.Infinite, ct);
        };
        await using (var first = await ServedHost.StartAsync(_directory.FullName, probe))
        {
            await begun.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            (await first.StopAsync()).ShouldBe(0);
        }

        await using var second = await ServedHost.StartAsync(_directory.FullName);
        var run = await second.ReachesAsync(1, "succeeded", "failed");

        run.GetProperty("state").GetString().ShouldBe("succeeded");
        run.GetProperty("stages").EnumerateArray().ShouldAllBe(s => s.GetProperty("failures").GetInt32() == 0);
        (await second.Services.GetRequiredService<ILedger>().HostsAsync(TestContext.Current.CancellationToken)).ShouldHaveSingleItem().Kind.ShouldBe("serve");
    }

    [Theory]
    [InlineData("AiWorkflows:Engine", "SqlServer", "needs AiWorkflows:ConnectionString")]
    [InlineData("AiWorkflows:Urls", "http://0.0.0.0:0", "no authentication is configured: make a key with `keys create NAME --role operator` first")]
    [InlineData("AiWorkflows:Clock", "noon", "AiWorkflows:Clock is 'noon'")]
    public async Task A_wrong_setting_is_exit_code_2_and_leaves_nothing_behind(string key, string value, string message)
    {
        await using var host = ServedHost.Build(_directory.FullName, settings: new() { [key] = value });

        (await host.RunAsync("serve")).ShouldBe(2);

        host.Error.ShouldContain(message);
        Directory.Exists(Path.Combine(_directory.FullName, "data")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_port_that_is_taken_is_exit_code_2()
    {
        await using var first = await ServedHost.StartAsync(_directory.FullName);
        using var elsewhere = new TempDirectory();
        elsewhere.File("appsettings.json", "{}");
        await using var second = ServedHost.Build(elsewhere.FullName, settings: new() { ["AiWorkflows:Urls"] = first.Http.BaseAddress!.ToString() });

        (await second.RunAsync("serve")).ShouldBe(2);

        second.Error.ShouldContain("Choose another address with --urls");
    }

    [Fact]
    public async Task The_schedule_ticks_by_its_recurring_job()
    {
        await using var host = await ServedHost.StartAsync(_directory.FullName);

        using var connection = host.Jobs.GetConnection();

        connection.GetRecurringJobs().ShouldHaveSingleItem().Id.ShouldBe("w");
    }

    [Fact]
    public async Task A_run_that_fails_is_told_to_the_webhook_with_the_address_of_its_page()
    {
        await using var listener = await WebhookListener.StartAsync();
        var probe = new Probe();
        probe.Before["tick"] = (_, _) => throw new InvalidOperationException("the disk was full");
        await using var host = await ServedHost.StartAsync(_directory.FullName, probe, new() { ["AiWorkflows:Webhook:Url"] = listener.Url });

        await host.ReachesAsync(1, "failed");
        await host.StopAsync();

        var message = listener.Bodies.ShouldHaveSingleItem();
        message.ShouldContain("the disk was full");
        message.ShouldContain("/hangfire/runs/1");
    }

    [Fact]
    public async Task Before_it_has_started_it_is_alive_but_not_ready()
    {
        await using var host = ServedHost.Build(_directory.FullName);

        (await host.Services.GetRequiredService<AiWorkflows.Hosting.Readiness>().WhyNotAsync(TestContext.Current.CancellationToken)).ShouldBe("starting");
    }
}
