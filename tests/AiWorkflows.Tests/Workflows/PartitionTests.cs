using AiWorkflows.Features;
using AiWorkflows.Tests.Storage;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class PartitionTests
{
    private static readonly DefinitionFactories Factories = DefinitionFactories.Standard with
    {
        Training = (type, views, _, _) => new FakeTraining { Name = "part-training", Type = type, ModelName = "part-model", View = views[0] },
        Inference = (type, views, _, _) => new SummingInference { Name = "part-scoring", Type = type, Model = "part-model", View = views[0] },
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task However_many_partitions_there_are_rows_predictions_and_watermarks_are_the_same(int seed)
    {
        var whole = await StatesAsync(seed, 1);
        whole[0].Length.ShouldBeGreaterThan(5000);
        whole.Distinct().Count().ShouldBe(3);
        foreach (var partitions in new[] { 3, 8 })
            foreach (var (state, expected) in (await StatesAsync(seed, partitions)).Zip(whole))
                state.ShouldBe(expected);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_publish_step_that_is_lost_with_its_host_is_executed_by_the_next(bool claimed)
    {
        await using var undisturbed = await SqliteFile.MigratedAsync();
        await using (var host = await EngineHost.StartAsync(undisturbed, Partitioned))
            (await host.EndAsync((await host.RequestAsync(Days(5, 11))).RunId!.Value)).Run.State.ShouldBe("succeeded");

        await using var file = await SqliteFile.MigratedAsync();
        var sealedAll = new TaskCompletionSource<DispatchedStep>();
        await using var killed = await EngineHost.StartAsync(file, Partitioned, losesJob: step => step.Step == "double/publish" && sealedAll.TrySetResult(step));
        var run = (await killed.RequestAsync(Days(5, 11))).RunId!.Value;
        var publish = await sealedAll.Task.WaitAsync(TimeSpan.FromSeconds(20));
        (await killed.Get<IFeatureStore>().CommitsAsync(GroupSchema.Of(typeof(Doubled)), long.MaxValue, Days(1, 20), default)).ShouldBeEmpty();
        (await killed.StepsAsync(run)).Values.Where(s => s.Step == "double").Select(s => s.State).ShouldBe(["succeeded", "succeeded", "succeeded"]);
        if (claimed)
            (await killed.Ledger.ClaimAsync(publish.StageRunId, new(Guid.NewGuid(), "test", null, "1", TimeSpan.FromMinutes(1)), default)).Lease.ShouldNotBeNull();
        await killed.AbandonAsync();

        await using var successor = await EngineHost.StartAsync(file, Partitioned);
        (await successor.EndAsync(run)).Run.State.ShouldBe("succeeded");
        successor.Probe.Executions.ShouldNotContain(e => e.Stage == "double");
        (await StateOf(file)).ShouldBe(await StateOf(undisturbed));
    }

    [Fact]
    public async Task A_host_that_was_killed_inside_one_slice_leaves_the_sealed_ones_to_its_successor()
    {
        await using var file = await SqliteFile.MigratedAsync();
        var entered = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        await using var killed = await EngineHost.StartAsync(file, Partitioned);
        killed.Probe.Before["double"] = async (window, _) =>
        {
            if (window.From != Day(7))
                return;
            entered.SetResult();
            await release.Task;
        };
        var run = (await killed.RequestAsync(Days(5, 11))).RunId!.Value;
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20));
        var frozen = killed.Dispatcher.Enqueued.Single(e => e.Step is { Step: "double", Partition: 1 });
        await killed.Dispatcher.AllButJobAsync(frozen.JobId);
        await killed.AbandonAsync();

        await using var successor = await EngineHost.StartAsync(file, Partitioned);
        (await successor.EndAsync(run)).Run.State.ShouldBe("succeeded");
        successor.Probe.Executions.Where(e => e.Stage == "double").ShouldHaveSingleItem().Window.ShouldBe(Days(7, 9));
        var state = await StateOf(file);
        release.SetResult();
        (await Task.WhenAll(killed.Dispatcher.Jobs)).ShouldContain(o => o.Kind == StepOutcomeKind.Cancelled);
        (await StateOf(file)).ShouldBe(state);
    }

    [Fact]
    public async Task A_slice_that_fails_is_tried_again_by_itself_and_when_it_has_failed_for_good_resuming_finishes_only_that()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, Partitioned);
        host.Probe.Before["double"] = (window, _) => window.From == Day(7) ? throw new IOException("The share is away.") : Task.CompletedTask;
        var ended = await host.EndAsync((await host.RequestAsync(Days(5, 11))).RunId!.Value);
        (ended.Run.State, ended.Run.Error).ShouldBe(("failed", "double: The share is away."));
        host.Probe.Executions.Where(e => e.Stage == "double").GroupBy(e => e.Window.From.Day).ToDictionary(g => g.Key, g => g.Count()).ShouldBe(new Dictionary<int, int> { [5] = 1, [7] = 3, [9] = 1 }, ignoreOrder: true);
        var steps = await host.StepsAsync(ended.Run.RunId);
        (steps["double 0"].State, steps["double 1"].State, steps["double 2"].State, steps["double/publish"].State, steps["score 0"].State)
            .ShouldBe(("succeeded", "failed", "succeeded", "cancelled", "cancelled"));
        (await host.Get<IFeatureStore>().CommitsAsync(GroupSchema.Of(typeof(Doubled)), long.MaxValue, Days(1, 20), default)).ShouldBeEmpty();
        (await host.Ledger.CoverageAsync(["double"], default)).ShouldBeEmpty();

        host.Probe.Before.Clear();
        host.Probe.Executions.Clear();
        host.ForgetFailed();
        (await host.Engine.ResumeAsync(ended.Run.RunId, "ada", default)).ShouldBeTrue();
        (await host.EndAsync(ended.Run.RunId)).Run.State.ShouldBe("succeeded");
        host.Probe.Executions.Where(e => e.Stage is "double" or "tick").ShouldHaveSingleItem().ShouldBe(("double", Days(7, 9)));
        (await host.Ledger.CoverageAsync(["double"], default)).ShouldHaveSingleItem().Window.ShouldBe(Days(5, 11));
    }

    [Fact]
    public async Task A_slice_that_another_run_overtakes_is_computed_again_and_the_others_are_not()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, ai => ai.Workflow("w", w => w
            .Window(TimeSpan.FromDays(1), Origin).Overlap(OverlapPolicy.Queue, maxRunning: 2).Stage<TickPipeline>(partitions: 3)));
        var overtaken = new TaskCompletionSource();
        var others = new CountdownEvent(2);
        // The slice of the first day is ready last, after somebody else has published the third.
        host.Probe.Before["tick"] = (window, _) =>
        {
            if (window == Days(1, 2) && host.Probe.Executions.Count(e => e.Window == window) == 1)
                return overtaken.Task;
            if (!others.IsSet)
                others.Signal();
            return Task.CompletedTask;
        };
        var slow = (await host.RequestAsync(Days(1, 4))).RunId!.Value;
        others.Wait(TimeSpan.FromSeconds(20)).ShouldBeTrue();
        while ((await host.StepsAsync(slow)).Values.Count(s => s.State == "succeeded") < 2)
            await Task.Delay(10);
        (await host.EndAsync((await host.RequestAsync(Days(3, 4))).RunId!.Value)).Run.State.ShouldBe("succeeded");
        overtaken.SetResult();
        (await host.EndAsync(slow)).Run.State.ShouldBe("succeeded");

        (await host.StepsAsync(slow)).Values.Select(s => (s.Step, s.Partition, s.Attempt, s.Failures)).ShouldBe([("tick", 0, 1, 0), ("tick", 1, 1, 0), ("tick", 2, 2, 0), ("tick/publish", 0, 2, 0)]);
        await host.Engine.SweepAsync(default);
        (await TextOf(file, "SELECT COUNT(*) FROM feature_store_ticks_v1_rows")).ShouldBe("24\n");
    }

    [Theory]
    [InlineData(RunModes.Stages)]
    [InlineData(RunModes.MonolithTrain)]
    public async Task Catch_up_covers_everything_with_partitions_too_and_a_monolith_executes_them_in_order_in_one_job(string mode)
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, Partitioned);
        var runs = await host.FollowAsync(mode);
        runs.Select(r => (r.State, r.Window)).ShouldBe([("succeeded", Days(1, 5)), ("succeeded", Days(5, 11))]);
        (await host.RequestAsync(mode: mode)).Outcome.ShouldBe(RequestOutcome.NothingOwed);
        var ran = (await host.StepsAsync(runs[1].RunId)).Values.Where(s => s.State == "succeeded").ToArray();
        ran.Count(s => s.Step == "double").ShouldBe(3);
        if (mode != RunModes.Stages)
        {
            ran.Select(s => s.JobId).Distinct().ShouldHaveSingleItem();
            ran.OrderBy(s => s.StartedAt).Select(s => (s.Ordinal, s.Partition)).ShouldBe(ran.Select(s => (s.Ordinal, s.Partition)).Order());
        }
    }

    [Fact]
    public async Task All_partitions_score_with_one_model_whatever_becomes_champion_in_the_meantime()
    {
        await using var file = await SqliteFile.MigratedAsync();
        await using var host = await EngineHost.StartAsync(file, Partitioned);
        (await host.EndAsync((await host.RequestAsync(Days(5, 7))).RunId!.Value)).Run.State.ShouldBe("succeeded");
        var (first, gate) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Probe.Before["score"] = (window, _) =>
        {
            if (window.From == Day(7))
                first.TrySetResult();
            return window.From == Day(7) ? Task.CompletedTask : gate.Task;
        };
        var run = (await host.RequestAsync(Days(7, 9))).RunId!.Value;
        await first.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await host.Get<AiWorkflows.Models.IModelRegistry>().SetAliasAsync(new("tick-model", "champion", 1, "ada", "by hand"), default);
        gate.SetResult();
        (await host.EndAsync(run)).Run.State.ShouldBe("succeeded");
        (await TextOf(file, $"SELECT COUNT(*), MIN(version), MAX(version), COUNT(DISTINCT as_of_seq) FROM prediction_log_batches WHERE run_id = {run} AND state = 'published'")).ShouldBe("4|2|2|1\n");
    }

    /// <summary>As <see cref="EngineHost.Standard"/>, in slices.</summary>
    private static void Partitioned(AiWorkflowsBuilder ai) => ai.Add<TickView>().Workflow("w", w => w
        .Window(TimeSpan.FromDays(1), Origin).WarmUp(Day(5)).Until(Day(11))
        .Stage<ScorePipeline>(partitions: 4).Stage<TrainPipeline>().Stage<DoublePipeline>(partitions: 3).Stage<OutcomePipeline>().Stage<TickPipeline>(partitions: 2));

    /// <summary>What is visible after a first run, after another one of a day in the middle whose events have changed, and after all of it again.</summary>
    private static async Task<IReadOnlyList<string>> StatesAsync(int seed, int partitions)
    {
        await using var file = await SqliteFile.MigratedAsync(inMemory: true);
        var source = new PartSource();
        await using var host = await EngineHost.StartAsync(file, factories: Factories, define: ai =>
        {
            ai.Services.AddSingleton(source);
            ai.Add<PartView>().Workflow("w", w => w.Window(TimeSpan.FromDays(1), Origin)
                .Stage<PartEventsPipeline>(partitions: partitions).Stage<PartSumsPipeline>(partitions: partitions).Stage<PartPeaksPipeline>(partitions: partitions)
                .Stage<PartTraining>().Stage<PartScoring>(partitions: partitions));
        });
        var random = new Random(seed);
        for (var id = 0; id < 400; id++)
            source.Events.Add(new(id, Day(1).AddSeconds(random.Next(3 * 86_400)), $"p{random.Next(4)}", random.Next(100) / 4f));
        var states = new List<string> { await RunAsync(Days(1, 4)) };
        for (var i = 0; i < 60; i++)
        {
            var at = random.Next(source.Events.Count);
            if (random.Next(3) == 0)
                source.Events.RemoveAt(at);
            else
                source.Events[at] = source.Events[at] with { Value = random.Next(100) / 4f };
        }
        states.Add(await RunAsync(Days(2, 3)));
        states.Add(await RunAsync(Days(1, 4)));
        return states;

        async Task<string> RunAsync(Window window)
        {
            var run = (await host.RequestAsync(window)).RunId!.Value;
            (await host.EndAsync(run)).Run.Error.ShouldBeNull();
            var slices = await host.Ledger.StageRunsAsync(run, default);
            slices.Count(s => s.Step == "part-scoring").ShouldBe(partitions);
            slices.Count(s => s.Step == "part-peaks").ShouldBe(partitions);
            slices.GroupBy(s => s.Step).ShouldAllBe(g => g.Select(s => s.AsOfSeq).Distinct().Count() == 1);
            return await VisibleAsync(file);
        }
    }

    private static Task<string> VisibleAsync(SqliteFile file) => TextOf(file,
        "SELECT id, at, place, value FROM feature_store_part_events_v1 ORDER BY 2, 1", "SELECT place, at, sum3h, count1h FROM feature_store_part_sums_v1 ORDER BY 2, 1",
        "SELECT place, at, peak6h FROM feature_store_part_peaks_v1 ORDER BY 2, 1", "SELECT entity_key, event_time, score, version FROM prediction_log_predictions ORDER BY 2, 1",
        "SELECT pipeline, input, event_time FROM workflows_watermarks ORDER BY 1, 2", "SELECT pipeline, window_from, window_to FROM workflows_coverage ORDER BY 1, 2, 3");

    private static Task<string> StateOf(SqliteFile file) => TextOf(file,
        "SELECT at, key, value FROM feature_store_ticks_v1 ORDER BY 1, 2", "SELECT at, key, value FROM feature_store_doubles_v1 ORDER BY 1, 2",
        "SELECT COUNT(*) FROM feature_store_ticks_v1_rows", "SELECT COUNT(*) FROM feature_store_doubles_v1_rows",
        "SELECT entity_key, event_time, score FROM prediction_log_predictions ORDER BY 2, 1", "SELECT pipeline, input, event_time FROM workflows_watermarks ORDER BY 1, 2",
        "SELECT pipeline, window_from, window_to FROM workflows_coverage ORDER BY 1, 2", "SELECT state, COUNT(*) FROM feature_store_commits GROUP BY state, published_seq ORDER BY 1, 2");

    private static async Task<string> TextOf(SqliteFile file, params string[] queries)
    {
        var text = new System.Text.StringBuilder();
        foreach (var sql in queries)
        {
            await using var result = await file.Database.QueryAsync(sql, default);
            await foreach (var row in result.RowsAsync(default))
                text.Append(string.Join('|', row)).Append('\n');
        }
        return text.ToString();
    }
}
