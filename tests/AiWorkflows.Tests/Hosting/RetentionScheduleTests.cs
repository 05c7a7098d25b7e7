using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Storage;
using AiWorkflows.Tests.Workflows;
using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting;

/// <summary>Retention by a schedule, as it is configured.</summary>
public sealed class RetentionScheduleTests : IDisposable
{
    private const string Id = "retention:apply";

    private readonly TempDirectory _directory = new();

    public RetentionScheduleTests() => _directory.File("appsettings.json", "{}");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_schedule_applies_the_policies_that_are_set_and_no_others()
    {
        await using var host = await StartAsync(new() { ["AiWorkflows:Retention:Schedule"] = "30 3 * * *", ["AiWorkflows:Retention:StageLogs"] = "36h" });
        var database = host.Services.GetRequiredService<StoreDatabase>();
        var request = new { from = "2001-01-01T00:00:00Z", to = "2001-01-02T00:00:00Z" };
        await host.ReachesAsync((await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 202, request)).GetProperty("run_id").GetInt64(), "succeeded");
        // The run was long ago, and so was a line of its log. The line may go; the run may not, for nothing says so.
        await database.WriteAsync(async tx =>
        {
            await tx.ExecuteAsync("UPDATE {workflows.runs} SET finished_at = {ago:172800000000}");
            foreach (var (message, age) in new[] { ("old", "{ago:172800000000}"), ("young", "{ago:3600000000}") })
                await tx.ExecuteAsync($"INSERT INTO {{workflows.stage_logs}} (run_id, stage_run_id, attempt, logged_at, level, message) SELECT run_id, stage_run_id, 1, {age}, 'info', '{message}' FROM {{workflows.stage_runs}}");
        }, TestContext.Current.CancellationToken);

        using (var connection = host.Jobs.GetConnection())
        {
            var job = connection.GetRecurringJobs([Id]).ShouldHaveSingleItem();
            (job.Cron, job.TimeZoneId, job.Job.Queue).ShouldBe(("30 3 * * *", "UTC", RetentionSchedule.Queue));
        }
        host.Services.GetRequiredService<IRecurringJobManager>().Trigger(Id);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await CountAsync("SELECT COUNT(*) FROM {workflows.audit} WHERE action = 'retention' AND done_by = 'schedule'") == 0)
            await Task.Delay(20, patience.Token);
        (await CountAsync("SELECT COUNT(*) FROM {workflows.stage_logs} WHERE message = 'old'")).ShouldBe(0);
        (await CountAsync("SELECT COUNT(*) FROM {workflows.stage_logs} WHERE message = 'young'")).ShouldBe(1);
        (await CountAsync("SELECT COUNT(*) FROM {workflows.runs}")).ShouldBe(1);

        async Task<long> CountAsync(string sql) => await database.ReadFirstAsync<long>(sql, null, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Without_a_schedule_nothing_is_removed_by_itself()
    {
        await using var host = await StartAsync(new() { ["AiWorkflows:Retention:StageLogs"] = "36h" });
        using var connection = host.Jobs.GetConnection();
        connection.GetRecurringJobs().ShouldNotContain(j => j.Id == Id);
        host.Services.GetRequiredService<JobServers>().Queues.Keys.ShouldNotContain(RetentionSchedule.Queue);
    }

    private Task<ServedHost> StartAsync(Dictionary<string, string?> settings) => ServedHost.StartAsync(_directory.FullName, new Probe(), settings,
        define: ai => ai.Workflow("by-hand", w => w.Window(TimeSpan.FromDays(1), Define.Origin).Until(Define.Day(31)).Stage<OutcomePipeline>()));
}
