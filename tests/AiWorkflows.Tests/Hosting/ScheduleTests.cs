using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Tests.Workflows;
using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting;

public class ScheduleTests
{
    [Fact]
    public async Task Every_scheduled_workflow_has_a_recurring_job_of_its_name_in_utc_on_the_control_queue()
    {
        await using var harness = new JobHarness(services => services.AddSingleton(Catalog("hourly", "0 * * * *", "by-hand", null)));

        harness.Get<WorkflowSchedules>().Register();
        harness.Get<WorkflowSchedules>().Register();

        using var connection = harness.Storage.GetConnection();
        var job = connection.GetRecurringJobs().ShouldHaveSingleItem();
        (job.Id, job.Cron, job.TimeZoneId, job.Job.Queue).ShouldBe(("hourly", "0 * * * *", "UTC", "control"));
        job.Job.Type.ShouldBe(typeof(TickJob));
        job.Job.Args[0].ShouldBe("hourly");
        job.NextExecution!.Value.Minute.ShouldBe(0);
    }

    [Fact]
    public async Task A_trigger_by_hand_is_told_from_one_by_the_schedule()
    {
        await using var harness = new JobHarness();
        var recurring = harness.Get<IRecurringJobManagerV2>();
        var manual = new List<string?>();
        for (var i = 0; i < 2; i++)
            harness.Script.Then((context, _) =>
            {
                manual.Add(ManualTriggerFilter.ByHandOf(context));
                return Task.CompletedTask;
            });
        recurring.AddOrUpdate("x", Hangfire.Common.Job.FromExpression<ScriptedJob>(j => j.Run(null!, CancellationToken.None), "control"), "0 0 1 1 *", new RecurringJobOptions());
        harness.Start();

        await harness.ReachesAsync(recurring.TriggerJob("x"), "Succeeded");
        await harness.ReachesAsync(harness.Enqueue("control"), "Succeeded");

        manual.ShouldBe(["dashboard", null]);
    }

    [Fact]
    public async Task Each_queue_has_a_server_of_its_own_with_its_workers()
    {
        await using var harness = new JobHarness();
        harness.Start();

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (harness.Storage.GetMonitoringApi().Servers().Count < 4)
            await Task.Delay(10, patience.Token);

        harness.Storage.GetMonitoringApi().Servers().ToDictionary(s => s.Queues.Single(), s => s.WorkersCount)
            .ShouldBe(harness.Get<JobServers>().Queues.ToDictionary(), ignoreOrder: true);
    }

    [Fact]
    public async Task A_queue_without_workers_is_left_to_other_hosts_and_what_is_due_is_still_looked_for()
    {
        var options = new AiWorkflowsOptions { Workers = { Control = 0, Training = 0 } };
        await using var harness = new JobHarness(services => services.AddSingleton(AiWorkflows.Hosting.HostSettings.Resolve(options, [], Path.GetTempPath(), "1")));
        // A retry becomes due only where somebody looks for it, which elsewhere is the server of the control queue.
        harness.Script.Then(() => throw new StepRetryException(TimeSpan.FromMilliseconds(50), "again"));
        harness.Script.Then(() => { });
        harness.Start();

        await harness.ReachesAsync(harness.Enqueue("features"), "Succeeded");

        harness.Storage.GetMonitoringApi().Servers().Select(s => s.Queues.Single()).Order().ShouldBe(["features", "inference"]);
    }

    private static Catalog Catalog(params string?[] namesAndCrons) => new()
    {
        Groups = [], FeaturePipelines = [], Views = [], Trainings = [], Inferences = [],
        Workflows = [.. namesAndCrons.Chunk(2).Select(pair => Define.Workflow([]) with { Name = pair[0]!, Cron = pair[1] })],
    };
}
