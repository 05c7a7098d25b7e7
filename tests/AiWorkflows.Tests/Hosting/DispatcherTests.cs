using AiWorkflows.Hosting.Jobs;
using AiWorkflows.Workflows;
using Hangfire.Common;
using Hangfire;
using Hangfire.States;

namespace AiWorkflows.Tests.Hosting;

public class DispatcherTests
{
    private static readonly DispatchedStep Step = new(42, 1, "training", "train");

    [Fact]
    public async Task A_step_without_parent_is_enqueued_at_once_on_its_queue()
    {
        await using var harness = new JobHarness();

        var job = harness.Dispatcher.Enqueue(Step, "w #1 train", null);

        harness.StateOf(job).ShouldBe("Enqueued");
        harness.Storage.GetMonitoringApi().EnqueuedJobs("training", 0, 10).ShouldHaveSingleItem().Key.ShouldBe(job);
        harness.Dispatcher.IsAlive(job).ShouldBeTrue();
    }

    [Fact]
    public async Task The_job_carries_the_steps_id_and_a_title_and_no_type_of_a_user()
    {
        await using var harness = new JobHarness();

        var job = harness.Storage.GetMonitoringApi().JobDetails(harness.Dispatcher.Enqueue(Step, "w #1 train", null)).Job;

        job.Type.ShouldBe(typeof(StageJob));
        job.Args[0].ShouldBe(42L);
        job.Args[1].ShouldBe("w #1 train");
        job.Queue.ShouldBe("training");
        job.Method.GetCustomAttributes(typeof(JobDisplayNameAttribute), false).Cast<JobDisplayNameAttribute>().Single().Format(null, job).ShouldBe("w #1 train");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_continuation_waits_for_its_parent_and_starts_when_that_has_succeeded_or_was_deleted(bool succeeded)
    {
        await using var harness = new JobHarness();
        var parent = harness.Enqueue();

        var child = harness.Dispatcher.Enqueue(Step, "t", parent);
        harness.StateOf(child).ShouldBe("Awaiting");
        harness.Dispatcher.IsAlive(child).ShouldBeTrue();

        harness.Client.ChangeState(parent, succeeded ? new SucceededState(null, 0, 0) : new DeletedState(), null);

        harness.StateOf(child).ShouldBe("Enqueued");
        harness.Storage.GetMonitoringApi().EnqueuedJobs("training", 0, 10).ShouldHaveSingleItem().Key.ShouldBe(child);
    }

    [Fact]
    public async Task A_continuation_of_a_job_that_is_over_already_starts_at_once()
    {
        await using var harness = new JobHarness();
        var parent = harness.Enqueue();
        harness.Client.ChangeState(parent, new SucceededState(null, 0, 0), null);

        harness.StateOf(harness.Dispatcher.Enqueue(Step, "t", parent)).ShouldBe("Enqueued");
    }

    [Fact]
    public async Task A_continuation_of_a_failed_job_counts_as_dead_so_that_the_ledger_dispatches_its_step_again()
    {
        await using var harness = new JobHarness();
        var parent = harness.Enqueue();
        var child = harness.Dispatcher.Enqueue(Step, "t", parent);

        harness.Client.ChangeState(parent, new FailedState(new InvalidOperationException("no")), null);

        harness.StateOf(child).ShouldBe("Awaiting");
        harness.Dispatcher.IsAlive(child).ShouldBeFalse();
    }

    [Fact]
    public async Task Finished_and_unknown_jobs_are_dead()
    {
        await using var harness = new JobHarness();
        var job = harness.Enqueue();
        harness.Client.ChangeState(job, new SucceededState(null, 0, 0), null);

        harness.Dispatcher.IsAlive(job).ShouldBeFalse();
        harness.Dispatcher.IsAlive("4711").ShouldBeFalse();
        harness.Dispatcher.IsAlive("none").ShouldBeFalse();
    }

    [Fact]
    public async Task A_job_of_a_server_that_beats_no_more_is_dead_and_one_that_is_being_worked_on_is_not()
    {
        await using var harness = new JobHarness();
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        harness.Script.Then((_, _) =>
        {
            begun.SetResult();
            return go.Task;
        });
        harness.Start();
        var job = harness.Enqueue();
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        harness.Dispatcher.IsAlive(job).ShouldBeTrue();

        // A host of long ago has taken a job, and died before it did anything with it.
        var orphan = harness.Enqueue("training");
        using (var connection = harness.Storage.GetConnection())
            connection.AnnounceServer("dead:1:training", new() { Queues = ["training"], WorkerCount = 1 });
        harness.Client.ChangeState(orphan, Processing("gone:1:training"), null);
        harness.Dispatcher.IsAlive(orphan).ShouldBeFalse();
        harness.Client.ChangeState(orphan, Processing("dead:1:training"), null);
        harness.Dispatcher.IsAlive(orphan).ShouldBeTrue("it may have been announced a moment ago");
        go.SetResult();
    }

    [Fact]
    public async Task Two_hosts_in_one_process_share_neither_jobs_nor_engine_id()
    {
        await using var one = new JobHarness();
        await using var two = new JobHarness();

        one.Enqueue();

        two.Storage.GetMonitoringApi().EnqueuedCount("features").ShouldBe(0);
        one.Dispatcher.EngineId.ShouldNotBe(two.Dispatcher.EngineId);
    }

    [Fact]
    public async Task A_job_creates_its_continuation_while_it_runs_and_the_child_follows()
    {
        await using var harness = new JobHarness();
        string? child = null;
        harness.Script.Then((context, _) =>
        {
            child = harness.Client.Create(
                Job.FromExpression<ScriptedJob>(j => j.Run(null!, CancellationToken.None), "inference"),
                new AwaitingState(context.BackgroundJob.Id, new EnqueuedState("inference"), JobContinuationOptions.OnAnyFinishedState));
            return Task.CompletedTask;
        });
        harness.Start();

        await harness.ReachesAsync(harness.Enqueue(), "Succeeded");
        await harness.ReachesAsync(child!, "Succeeded");

        harness.HistoryOf(child!).Select(h => h.State).ShouldBe(["Awaiting", "Enqueued", "Processing", "Succeeded"]);
    }

    /// <summary>Hangfire's own state can be made by its servers only.</summary>
    private static TakenState Processing(string server) => new(server);

    private sealed class TakenState(string server) : IState
    {
        public string Name => ProcessingState.StateName;

        public string? Reason => null;

        public bool IsFinal => false;

        public bool IgnoreJobLoadException => false;

        public Dictionary<string, string> SerializeData() => new() { ["ServerId"] = server, ["WorkerId"] = "1", ["StartedAt"] = JobHelper.SerializeDateTime(DateTime.UnixEpoch) };
    }
}
