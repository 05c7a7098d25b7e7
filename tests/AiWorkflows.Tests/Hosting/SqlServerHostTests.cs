using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage.SqlServer;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Tests.Workflows;
using AiWorkflows.Workflows;
using Dapper;
using Microsoft.Data.SqlClient;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting;

/// <summary>Whole hosts, with Hangfire, on one database of SQL Server.</summary>
public sealed class SqlServerHostTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private SqlServerDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _directory.File("appsettings.json", "{}");
        // Not one of those that are emptied and used again: hosts leave tables of Hangfire behind.
        _database = new SqlServerDatabase(SqlServerTestDatabase.ConnectionString(await SqlServerTestDatabase.CreateAsync()));
        await new SqlServerMigrator(_database).MigrateAsync(TestContext.Current.CancellationToken);
        await SqlServerJobs.PrepareAsync(_database, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _directory.Dispose();
        if (_database is not null)
            await _database.DisposeAsync();
    }

    [Fact]
    public async Task Two_hosts_share_the_stages_of_one_run()
    {
        var probe = new Probe();
        var (ticks, outcomes) = (new TaskCompletionSource(), new TaskCompletionSource());
        // Each waits inside of its stage until the other is in its own; a host has one worker for features, so that neither can do both.
        probe.Before["tick"] = (_, ct) => MeetAsync(ticks, outcomes, ct);
        probe.Before["outcome"] = (_, ct) => MeetAsync(outcomes, ticks, ct);
        await using var first = await StartAsync(probe);
        await using var second = await StartAsync(probe);

        var run = (await first.JsonAsync(HttpMethod.Post, "/api/workflows/shared/runs", 202, new { from = "2001-01-01T00:00:00Z", to = "2001-01-02T00:00:00Z" })).GetProperty("run_id").GetInt64();
        await SucceedsAsync(run);

        var hosts = (await QueryAsync<(string Step, string Host)>("SELECT s.step, a.host FROM workflows.stage_runs s JOIN workflows.attempts a ON a.stage_run_id = s.stage_run_id")).ToDictionary(h => h.Step, h => h.Host);
        hosts.Keys.Order().ShouldBe(["double", "outcome", "tick"]);
        hosts["tick"].ShouldNotBe(hosts["outcome"]);
        hosts.Values.ShouldAllBe(h => h == NameOf(first) || h == NameOf(second));
        probe.Executions.Select(e => e.Stage).Order().ShouldBe(["double", "outcome", "tick"]);
    }

    [Fact]
    public async Task A_host_that_starts_later_takes_over_what_one_that_stops_gives_back()
    {
        var probe = new Probe();
        var entered = new TaskCompletionSource();
        probe.Before["tick"] = async (_, ct) =>
        {
            if (entered.TrySetResult())
                await Task.Delay(Timeout.Infinite, ct);
        };
        var first = await StartAsync(probe);
        var run = (await first.JsonAsync(HttpMethod.Post, "/api/workflows/shared/runs", 202, new { from = "2001-01-01T00:00:00Z", to = "2001-01-02T00:00:00Z" })).GetProperty("run_id").GetInt64();
        await entered.Task.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        await using var second = await StartAsync(probe);
        string[] names = [NameOf(first), NameOf(second)];
        await first.DisposeAsync();

        await SucceedsAsync(run);

        var attempts = await QueryAsync<(string Host, string Outcome, int Failures)>(
            "SELECT a.host, a.outcome, s.failures FROM workflows.attempts a JOIN workflows.stage_runs s ON s.stage_run_id = a.stage_run_id WHERE s.step = N'tick' ORDER BY a.attempt");
        attempts.Select(a => a.Host).ShouldBe(names);
        attempts.ShouldAllBe(a => a.Failures == 0);
    }

    [Fact]
    public async Task A_request_in_SQL_is_taken_up_by_a_running_host_within_two_seconds()
    {
        await using var host = await StartAsync(new Probe());
        var waits = new List<TimeSpan>();
        for (var day = 1; day <= 3; day++)
        {
            await QueryAsync<long>($"EXEC workflows.request_run @workflow = N'shared', @window_from = '2001-01-0{day}', @window_to = '2001-01-0{day + 1}', @requested_by = N'nightly load'");
            await UntilAsync($"SELECT COUNT(*) FROM workflows.run_requests WHERE request_id = {day} AND handled_at IS NOT NULL", 1);
            await SucceedsAsync(day);
            var (outcome, run, micros) = (await QueryAsync<(string, long, long)>($"SELECT outcome, run_id, DATEDIFF_BIG(MICROSECOND, requested_at, handled_at) FROM workflows.run_requests WHERE request_id = {day}")).Single();
            (outcome, run).ShouldBe(("requested", (long)day));
            waits.Add(TimeSpan.FromMicroseconds(micros));
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", waits.Select(w => $"{w.TotalSeconds:F2} s")));
        waits.Order().ElementAt(1).ShouldBeLessThan(TimeSpan.FromSeconds(2));
        (await QueryAsync<(string, string)>("SELECT requested_by, triggered_by FROM workflows.runs WHERE run_id = 1")).Single().ShouldBe(("nightly load", "sql"));

        var unknown = await Should.ThrowAsync<SqlException>(() => QueryAsync<long>("EXEC workflows.request_run @workflow = N'sharde'"));
        (unknown.Number, unknown.Message).ShouldBe((51001, "There is no workflow 'sharde'. There are: shared."));
    }

    private Task<ServedHost> StartAsync(Probe probe) => ServedHost.StartAsync(_directory.FullName, probe, new()
    {
        ["AiWorkflows:Engine"] = "SqlServer", ["AiWorkflows:ConnectionString"] = _database.ConnectionString, ["AiWorkflows:Workers:Features"] = "1",
    }, define: ai => ai.Workflow("shared", w => w.Window(TimeSpan.FromDays(1), Define.Origin).Until(Define.Day(31)).Stage<TickPipeline>().Stage<OutcomePipeline>().Stage<DoublePipeline>()));

    private Task SucceedsAsync(long run) => UntilAsync($"SELECT COUNT(*) FROM workflows.runs WHERE run_id = {run} AND state = N'succeeded'", 1);

    private async Task UntilAsync(string sql, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while ((await QueryAsync<int>(sql)).Single() != count)
            await Task.Delay(100, patience.Token);
    }

    private static string NameOf(ServedHost host) => host.Services.GetRequiredService<RunEngineOptions>().Host;

    private static async Task MeetAsync(TaskCompletionSource mine, TaskCompletionSource others, CancellationToken ct)
    {
        mine.TrySetResult();
        await others.Task.WaitAsync(ct);
    }

    private async Task<IReadOnlyList<T>> QueryAsync<T>(string sql)
    {
        await using var connection = await _database.OpenAsync(TestContext.Current.CancellationToken);
        return (await connection.QueryAsync<T>(sql)).AsList();
    }
}
