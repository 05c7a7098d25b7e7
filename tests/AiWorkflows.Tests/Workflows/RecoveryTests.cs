using AiWorkflows.Features;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class RecoveryTests
{
    [Theory]
    [InlineData("tick")]
    [InlineData("double")]
    [InlineData("train")]
    [InlineData("score")]
    public async Task A_host_that_was_killed_inside_a_stage_is_succeeded_by_one_that_ends_in_the_same_state(string stage)
    {
        await using var undisturbed = await SqliteFile.MigratedAsync();
        await using (var host = await EngineHost.StartAsync(undisturbed))
            await host.FollowAsync();

        await using var file = await SqliteFile.MigratedAsync();
        var entered = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var killed = await EngineHost.StartAsync(file);
        // Ignores its cancellation, as a frozen process would.
        killed.Probe.Before[stage] = async (window, _) =>
        {
            if (window.To != Day(11))
                return;
            entered.TrySetResult();
            await release.Task;
        };
        await killed.RequestAsync();
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20));
        // What else was running ends first: a process that is killed does not go on dispatching.
        await killed.Dispatcher.AllButAsync(stage);
        await killed.AbandonAsync();

        await using (var successor = await EngineHost.StartAsync(file))
        {
            (await successor.FollowAsync()).ShouldAllBe(r => r.State == "succeeded");
            // The zombie wakes up and finds that it can publish nothing.
            release.SetResult();
            var outcomes = await Task.WhenAll(killed.Dispatcher.Jobs);
            outcomes.ShouldContain(o => o.Kind == StepOutcomeKind.Cancelled);
            await successor.Engine.SweepAsync(default);
        }
        (await StateAsync(file)).ShouldBe(await StateAsync(undisturbed));
    }

    [Fact]
    public async Task A_request_survives_a_restart_of_the_host()
    {
        await using var file = await SqliteFile.MigratedAsync();
        long run;
        await using (var host = await EngineHost.StartAsync(file, loop: false))
            run = (await host.RequestAsync()).RunId!.Value;
        await using var next = await EngineHost.StartAsync(file);
        (await next.EndAsync(run)).Run.State.ShouldBe("succeeded");
    }

    [Fact]
    public async Task A_host_that_stops_gives_its_steps_back_without_counting_a_failure()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var entered = new TaskCompletionSource();
        long run;
        await using (var host = await EngineHost.StartAsync(file))
        {
            host.Probe.Before["tick"] = async (_, ct) =>
            {
                entered.TrySetResult();
                await Task.Delay(Timeout.Infinite, ct);
            };
            run = (await host.RequestAsync(Days(5, 7))).RunId!.Value;
            await entered.Task.WaitAsync(TimeSpan.FromSeconds(20));
            await host.Dispatcher.StopAsync();
            var step = (await host.StepsAsync(run))["tick"];
            (step.State, step.Failures, step.Lost).ShouldBe(("pending", 0, 0));
        }
        await using var next = await EngineHost.StartAsync(file);
        (await next.EndAsync(run)).Run.State.ShouldBe("succeeded");
    }

    [Fact]
    public async Task A_step_whose_lease_runs_out_is_executed_again_by_the_sweep()
    {
        await using var file = await SqliteFile.MigratedAsync();
        // The lease is shorter than the beat: the first attempt is as good as frozen.
        await using var host = await EngineHost.StartAsync(file, options: EngineHost.Quick(beat: TimeSpan.FromMinutes(1), lease: TimeSpan.FromMilliseconds(200)));
        var release = new TaskCompletionSource();
        host.Probe.Before["tick"] = (_, _) => host.Probe.CountOf("tick") == 1 ? release.Task : Task.CompletedTask;
        var run = (await host.RequestAsync(Days(5, 7))).RunId!.Value;
        (await host.EndAsync(run)).Run.State.ShouldBe("succeeded");
        release.SetResult();
        await Task.WhenAll(host.Dispatcher.Jobs);
        var step = (await host.StepsAsync(run))["tick"];
        (step.Attempt, step.Lost, step.Failures).ShouldBe((2, 1, 0));
        (await host.Get<IFeatureStore>().CommitsAsync(GroupSchema.Of(typeof(Tick)), long.MaxValue, Days(1, 11), default)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_stage_takes_its_difference_again_when_another_commit_touched_its_window_in_the_meantime()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, ai => ai.Workflow("w", w => w
            .Window(TimeSpan.FromDays(1), Origin).Overlap(OverlapPolicy.Queue, maxRunning: 2).Stage<TickPipeline>()));
        var overtaken = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        host.Probe.Before["tick"] = (window, ct) =>
        {
            if (window != Days(1, 4) || host.Probe.Executions.Count(e => e.Window == window) > 1)
                return Task.CompletedTask;
            entered.SetResult();
            return overtaken.Task;
        };
        var slow = (await host.RequestAsync(Days(1, 4))).RunId!.Value;
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var fast = (await host.RequestAsync(Days(2, 3))).RunId!.Value;
        (await host.EndAsync(fast)).Run.State.ShouldBe("succeeded");
        overtaken.SetResult();
        (await host.EndAsync(slow)).Run.State.ShouldBe("succeeded");

        var step = (await host.StepsAsync(slow))["tick"];
        (step.State, step.Attempt, step.Failures).ShouldBe(("succeeded", 1, 0));
        host.Probe.Executions.Count(e => e.Window == Days(1, 4)).ShouldBe(2);
        (await CountAsync(file, "feature_store_ticks_v1")).ShouldBe(24);
        // The overtaken day was not stored twice, and nothing remains of the difference that was discarded.
        await host.Engine.SweepAsync(default);
        (await CountAsync(file, "feature_store_ticks_v1_rows")).ShouldBe(24);
    }

    [Fact]
    public async Task A_stage_that_takes_too_long_fails_with_its_time_limit()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, ai => ai.Workflow("w", w => w
            .Window(TimeSpan.FromDays(1), Origin).Stage<TickPipeline>(maxAttempts: 1, timeLimit: TimeSpan.FromMilliseconds(300))));
        host.Probe.Before["tick"] = (_, ct) => Task.Delay(Timeout.Infinite, ct);
        var ended = await host.EndAsync((await host.RequestAsync(Days(1, 4))).RunId!.Value);
        ended.FailedStages.ShouldHaveSingleItem().Error.ShouldNotBeNull().ShouldContain("time limit of 00:00:00.3");
    }

    private static async Task<string> StateAsync(SqliteFile file)
    {
        var text = new System.Text.StringBuilder();
        foreach (var sql in new[]
        {
            "SELECT at, key, value FROM feature_store_ticks_v1 ORDER BY 1, 2", "SELECT at, key, value FROM feature_store_doubles_v1 ORDER BY 1, 2",
            "SELECT COUNT(*) FROM feature_store_ticks_v1_rows", "SELECT COUNT(*) FROM feature_store_doubles_v1_rows",
            "SELECT model, version, content_sha256 FROM model_registry_versions", "SELECT model, alias, version FROM model_registry_aliases",
            "SELECT b.window_from, r.ordinal, r.score FROM prediction_log_prediction_rows r JOIN prediction_log_batches b USING (batch_id) WHERE b.state = 'published' ORDER BY 1, 2",
            "SELECT pipeline, window_from, window_to FROM workflows_coverage ORDER BY 1, 2", "SELECT pipeline, input, event_time FROM workflows_watermarks ORDER BY 1, 2",
            "SELECT state, COUNT(*) FROM feature_store_commits WHERE state <> 'collected' GROUP BY state", "SELECT window_from, state FROM workflows_runs ORDER BY 1",
        })
        {
            text.AppendLine(sql);
            await using var result = await file.Database.QueryAsync(sql, default);
            await foreach (var row in result.RowsAsync(default))
                text.AppendLine(string.Join("|", row));
        }
        return text.ToString();
    }

    private static async Task<long> CountAsync(SqliteFile file, string table)
    {
        await using var result = await file.Database.QueryAsync($"SELECT COUNT(*) FROM {table}", default);
        await foreach (var row in result.RowsAsync(default))
            return (long)row[0]!;
        return -1;
    }
}
