using AiWorkflows.Tests.Workflows;
using AiWorkflows.Workflows;
using Hangfire;
using Hangfire.States;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Tests.Hosting;

/// <summary>What people do in Hangfire's own pages reaches the ledger; the clients are those that the pages use.</summary>
public sealed class PeoplesActionsTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    public PeoplesActionsTests() => _directory.File("appsettings.json", "{}");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Requeueing_the_failed_job_resumes_its_run()
    {
        var probe = new Probe();
        probe.Before["outcome"] = (_, _) => throw new InvalidOperationException("the source was away");
        await using var host = await ServedHost.StartAsync(_directory.FullName, probe);
        var run = await RequestAsync(host);
        await host.ReachesAsync(run, "failed");
        probe.Before.Clear();

        Client(host).ChangeState(await JobAsync(host, run, "Failed"), new EnqueuedState("features") { Reason = "Triggered via Dashboard UI" }, FailedState.StateName).ShouldBeTrue();

        (await host.ReachesAsync(run, "succeeded")).GetProperty("stages")[0].GetProperty("attempt").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Deleting_the_current_job_cancels_its_run_and_tells_its_code()
    {
        var probe = new Probe();
        var (begun, stopped) = (new TaskCompletionSource(), new TaskCompletionSource());
        probe.Before["outcome"] = async (_, ct) =>
        {
            begun.TrySetResult();
            using var registration = ct.Register(() => stopped.TrySetResult());
            await Task.Delay(Timeout.Infinite, ct);
        };
        await using var host = await ServedHost.StartAsync(_directory.FullName, probe);
        var run = await RequestAsync(host);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

        Client(host).Delete(await JobAsync(host, run, "Processing")).ShouldBeTrue();

        await host.ReachesAsync(run, "cancelled");
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Requeueing_the_deleted_job_resumes_its_run()
    {
        var probe = new Probe();
        probe.Before["outcome"] = (_, ct) => Task.Delay(Timeout.Infinite, ct);
        await using var host = await ServedHost.StartAsync(_directory.FullName, probe);
        var run = await RequestAsync(host);
        var job = await JobAsync(host, run, "Processing");
        Client(host).Delete(job).ShouldBeTrue();
        await host.ReachesAsync(run, "cancelled");
        probe.Before.Clear();

        Client(host).ChangeState(job, new EnqueuedState { Reason = "Triggered via Dashboard UI" }).ShouldBeTrue();

        (await host.ReachesAsync(run, "succeeded")).GetProperty("stages")[0].GetProperty("attempt").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Deleting_a_job_that_is_not_the_steps_current_one_changes_nothing()
    {
        var probe = new Probe();
        var release = new TaskCompletionSource();
        probe.Before["outcome"] = (_, ct) => release.Task.WaitAsync(ct);
        await using var host = await ServedHost.StartAsync(_directory.FullName, probe);
        var run = await RequestAsync(host);
        await JobAsync(host, run, "Processing");
        var step = (await Ledger(host).StageRunsAsync(run, TestContext.Current.CancellationToken)).Single();
        // A second job for the same step, as an earlier dispatch would have left it; no worker serves its queue.
        var other = host.Services.GetRequiredService<IJobDispatcher>().Enqueue(new(step.StageRunId, 99, "nobody", "outcome"), "old", null);

        Client(host).Delete(other).ShouldBeTrue();
        release.SetResult();

        await host.ReachesAsync(run, "succeeded");
    }

    [Fact]
    public async Task Triggering_a_schedule_by_hand_requests_a_run_in_the_name_of_the_dashboard()
    {
        var probe = new Probe();
        await using var host = await ServedHost.StartAsync(_directory.FullName, probe, new() { ["AiWorkflows:Clock"] = "2001-01-01T00:00:00Z" });
        host.Services.GetRequiredService<BusinessClock>().MoveTo(Define.Day(3));

        host.Services.GetRequiredService<IRecurringJobManagerFactory>().GetManager(host.Jobs).Trigger("w");

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (await Ledger(host).FindRunAsync(1, patience.Token) is null)
            await Task.Delay(20, patience.Token);
        var run = await host.ReachesAsync(1, "succeeded");
        (run.GetProperty("triggered_by").GetString(), run.GetProperty("requested_by").GetString()).ShouldBe(("manual", "dashboard"));
    }

    private static ILedger Ledger(ServedHost host) => host.Services.GetRequiredService<ILedger>();

    private static IBackgroundJobClient Client(ServedHost host) => host.Services.GetRequiredService<IBackgroundJobClientFactory>().GetClient(host.Jobs);

    private static async Task<long> RequestAsync(ServedHost host) =>
        (await host.JsonAsync(HttpMethod.Post, "/api/workflows/by-hand/runs", 202)).GetProperty("run_id").GetInt64();

    /// <summary>The job of the run's only step, once it has the state.</summary>
    private static async Task<string> JobAsync(ServedHost host, long run, string state)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            if ((await Ledger(host).StageRunsAsync(run, patience.Token)).SingleOrDefault()?.JobId is { } job)
            {
                using var connection = host.Jobs.GetConnection();
                if (connection.GetStateData(job)?.Name == state)
                    return job;
            }
            await Task.Delay(20, patience.Token);
        }
    }
}
