using System.Collections.Concurrent;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class BackfillTests
{
    [Fact]
    public async Task Each_window_is_a_run_in_hindsight_that_trains_nothing_and_predicts_with_the_champion_of_the_request()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        await host.FollowAsync();
        var (backfill, created) = await host.Engine.RequestBackfillAsync(Order(1, 6, days: 2), default);
        created.ShouldBeTrue();
        var windows = await EndAsync(host, backfill.BackfillId);

        windows.Select(w => new Window(w.WindowFrom, w.WindowTo)).ShouldBe([Days(1, 3), Days(3, 5), Days(5, 6)], "the last window is what is left");
        windows.ShouldAllBe(w => w.State == "succeeded");
        foreach (var window in windows)
        {
            var steps = await host.StepsAsync(window.RunId);
            (steps["train"].State, steps["train"].Reason).ShouldBe(("skipped", "backfill without --train"));
            steps["score"].State.ShouldBe("succeeded");
        }
        var batches = await file.Database.ReadAsync<string>("""
            SELECT 'v' || version || ' ' || hindsight FROM {prediction_log.batches} WHERE run_id IN (SELECT run_id FROM {workflows.runs} WHERE backfill_id IS NOT NULL)
            """, null, default);
        batches.ShouldBe(["v1 1", "v1 1", "v1 1"]);
    }

    [Fact]
    public async Task Without_a_model_nothing_is_predicted_and_training_is_passed_over_for_as_long_as_there_is_no_history()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var without = (await host.Engine.RequestBackfillAsync(Order(1, 3), default)).Backfill;
        foreach (var window in await EndAsync(host, without.BackfillId))
            (await host.StepsAsync(window.RunId)).Where(s => s.Value.State == "skipped").ToDictionary(s => s.Key, s => s.Value.Reason).ShouldBe(
                new Dictionary<string, string?> { ["train"] = "backfill without --train", ["score"] = "no model", ["score/outcomes"] = "no model" }, ignoreOrder: true);

        host.Probe.Before["train"] = (window, _) => window.From < Day(4) ? throw new StageFailedException("Only three days.") { NoHistory = true } : Task.CompletedTask;
        var training = (await host.Engine.RequestBackfillAsync(Order(1, 7) with { Train = true }, default)).Backfill;
        var reasons = new List<string?>();
        foreach (var window in await EndAsync(host, training.BackfillId))
        {
            window.State.ShouldBe("succeeded");
            var steps = await host.StepsAsync(window.RunId);
            steps["score"].Reason.ShouldBe(steps["train"].State == "skipped" ? "no model" : null);
            reasons.Add(steps["train"].Reason);
        }
        reasons.ShouldBe(["no history", "no history", "no history", null, null, null]);
        // Each window predicts with what it has trained itself, and the champion is not touched.
        (await file.Database.ReadAsync<long>("SELECT version FROM {prediction_log.batches} WHERE state = 'published' ORDER BY window_from", null, default)).ShouldBe([1, 2, 3]);
        (await file.Database.ReadAsync<string>("SELECT alias FROM {model_registry.aliases}", null, default)).ShouldBe([$"backfill-{training.BackfillId}"]);
    }

    [Fact]
    public async Task A_window_that_is_trained_again_later_predicts_with_its_own_model_and_not_with_one_from_its_future()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        host.Probe.Before["score"] = (window, _) => window.From == Day(2) ? throw new StageFailedException("Not today.") : Task.CompletedTask;
        var backfill = (await host.Engine.RequestBackfillAsync(Order(1, 5) with { Train = true }, default)).Backfill;
        (await EndAsync(host, backfill.BackfillId)).Select(w => w.State).ShouldBe(["succeeded", "failed", "succeeded", "succeeded"]);
        host.Probe.Before.Clear();
        await host.Engine.RetryBackfillAsync(backfill.BackfillId, "me", default);
        await EndAsync(host, backfill.BackfillId);
        (await file.Database.ReadAsync<long>("SELECT version FROM {prediction_log.batches} WHERE state = 'published' ORDER BY window_from", null, default)).ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public async Task A_window_that_fails_holds_up_no_other_and_is_all_that_is_retried()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        host.Probe.Before["tick"] = (window, _) => window.From == Day(2) ? throw new StageFailedException("No ticks that day.") : Task.CompletedTask;
        var backfill = (await host.Engine.RequestBackfillAsync(Order(1, 5) with { Parallel = 2 }, default)).Backfill;
        (await EndAsync(host, backfill.BackfillId)).Select(w => (w.State, w.Error)).ShouldBe(
            [("succeeded", null), ("failed", "tick: No ticks that day."), ("succeeded", null), ("succeeded", null)]);

        host.Probe.Before.Clear();
        var before = host.Probe.Executions.Count;
        (await host.Engine.RetryBackfillAsync(backfill.BackfillId, "me", default)).ShouldBe(1);
        (await EndAsync(host, backfill.BackfillId)).ShouldAllBe(w => w.State == "succeeded");
        host.Probe.Executions.Skip(before).ShouldAllBe(e => e.Window == Days(2, 3));
        host.Probe.Executions.Skip(before).Select(e => e.Stage).ShouldBe(["tick", "double"], "outcome had succeeded");
    }

    [Fact]
    public async Task No_more_windows_run_at_a_time_than_asked_for_and_cancelling_stops_their_code()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var running = new ConcurrentDictionary<Window, bool>();
        var two = new TaskCompletionSource();
        host.Probe.Before["tick"] = async (window, ct) =>
        {
            running[window] = true;
            if (running.Count == 2)
                two.TrySetResult();
            await Task.Delay(Timeout.Infinite, ct);
        };
        var backfill = (await host.Engine.RequestBackfillAsync(Order(1, 8) with { Parallel = 2 }, default)).Backfill;
        await two.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await host.Engine.SweepAsync(default);
        running.Keys.Order(Comparer<Window>.Create((a, b) => a.From.CompareTo(b.From))).ShouldBe([Days(1, 2), Days(2, 3)]);
        (await host.Engine.CancelBackfillAsync(backfill.BackfillId, "me", null, default)).ShouldBe(7);
        (await EndAsync(host, backfill.BackfillId)).ShouldAllBe(w => w.State == "cancelled" && w.Reason == "cancelled by me");
        await Task.WhenAll(host.Dispatcher.Jobs).WaitAsync(TimeSpan.FromSeconds(20));
        running.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Groups_of_other_workflows_are_read_as_they_were_at_the_request_in_every_window()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, ai => ai
            .Workflow("w", w => w.Window(TimeSpan.FromDays(1), Origin).Stage<TickPipeline>())
            .Workflow("v", w => w.Window(TimeSpan.FromDays(1), Origin).Stage<DoublePipeline>()));
        await host.EndAsync((await host.RequestAsync(Days(1, 3))).RunId!.Value);
        var third = new TaskCompletionSource();
        host.Probe.Before["double"] = (window, _) => window.From == Day(1) ? third.Task : Task.CompletedTask;
        var backfill = (await host.Engine.RequestBackfillAsync(Order(1, 5) with { Workflow = "v" }, default)).Backfill;
        await host.EndAsync((await host.RequestAsync(Days(3, 5))).RunId!.Value);
        third.SetResult();
        await EndAsync(host, backfill.BackfillId);
        (await DoublesAsync(file)).ShouldBe(16, "the ticks of the last two days were published after the request");

        await EndAsync(host, (await host.Engine.RequestBackfillAsync(Order(1, 5) with { Workflow = "v" }, default)).Backfill.BackfillId);
        (await DoublesAsync(file)).ShouldBe(16, "the same request is the same backfill");
        await EndAsync(host, (await host.Engine.RequestBackfillAsync(Order(1, 5) with { Workflow = "v", Again = true }, default)).Backfill.BackfillId);
        (await DoublesAsync(file)).ShouldBe(32);

        static Task<long> DoublesAsync(SqliteFile file) => file.Database.ReadFirstAsync<long>("SELECT COUNT(*) FROM {feature_store.doubles_v1}", null, default);
    }

    [Fact]
    public async Task It_goes_on_after_a_restart_with_the_windows_that_were_left()
    {
        await using var file = await SqliteFile.MigratedAsync();
        long id;
        var entered = new TaskCompletionSource();
        await using (var host = await EngineHost.StartAsync(file))
        {
            host.Probe.Before["double"] = async (window, ct) =>
            {
                if (window.From != Day(3))
                    return;
                entered.TrySetResult();
                await Task.Delay(Timeout.Infinite, ct);
            };
            id = (await host.Engine.RequestBackfillAsync(Order(1, 6) with { Parallel = 2 }, default)).Backfill.BackfillId;
            await entered.Task.WaitAsync(TimeSpan.FromSeconds(20));
        }
        await using var next = await EngineHost.StartAsync(file);
        (await EndAsync(next, id)).ShouldAllBe(w => w.State == "succeeded");
        next.Probe.Executions.ShouldNotContain(e => e.Window == Days(1, 2));
    }

    [Fact]
    public async Task A_schedule_goes_its_way_beside_it()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file);
        var hold = new TaskCompletionSource();
        host.Probe.Before["tick"] = (window, _) => window == Days(1, 2) ? hold.Task : Task.CompletedTask;
        var backfill = (await host.Engine.RequestBackfillAsync(Order(1, 5), default)).Backfill;
        (await host.FollowAsync()).Select(r => (r.Window, r.State)).ShouldBe([(Days(1, 5), "succeeded"), (Days(5, 11), "succeeded")]);
        hold.SetResult();
        (await EndAsync(host, backfill.BackfillId)).ShouldAllBe(w => w.State == "succeeded");
    }

    private static BackfillOrder Order(double from, double to, int days = 1) => new("w", Day(from), Day(to), TimeSpan.FromDays(days), null, false, [], "me", false);

    /// <summary>The windows once all have ended.</summary>
    private static async Task<IReadOnlyList<BackfillWindowRow>> EndAsync(EngineHost host, long backfillId) => await host.EndBackfillAsync(backfillId);
}
