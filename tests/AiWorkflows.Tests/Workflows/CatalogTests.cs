using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class CatalogTests
{
    [Fact]
    public void Order_follows_from_what_reads_what_however_the_stages_were_declared()
    {
        var orders = new List<string>();
        Action<WorkflowBuilder>[] stages = [w => w.Stage<TickPipeline>(), w => w.Stage<OutcomePipeline>(), w => w.Stage<DoublePipeline>(), w => w.Stage<TrainPipeline>(), w => w.Stage<ScorePipeline>()];
        var random = new Random(3);
        for (var i = 0; i < 20; i++)
        {
            random.Shuffle(stages);
            var workflow = Build(ai => ai.Add<TickView>().Workflow("w", w => Array.ForEach(stages, s => s(w)))).Workflow("w");
            orders.Add(string.Join(" ", workflow.Stages.Select(s => s.Name)));
            workflow.Stages.ToDictionary(s => s.Name, s => string.Join(" ", s.After)).ShouldBe(new Dictionary<string, string>
            {
                ["outcome"] = "", ["tick"] = "", ["double"] = "tick", ["train"] = "double outcome tick", ["score"] = "double outcome tick train",
            }, ignoreOrder: true);
        }
        orders.Distinct().ShouldHaveSingleItem().ShouldBe("outcome tick double train score");
    }

    [Fact]
    public void After_orders_stages_whose_data_does_not() =>
        Build(ai => ai.Workflow("w", w => w.Stage<OutcomePipeline>(after: typeof(TickPipeline)).Stage<TickPipeline>())).Workflow("w").Stages.Select(s => s.Name).ShouldBe(["tick", "outcome"]);

    [Fact]
    public void Defaults_are_three_attempts_and_no_time_limit()
    {
        var stages = Build(ai => ai.Workflow("w", w => w.Stage<TickPipeline>(maxAttempts: 7, timeLimit: TimeSpan.FromHours(1)).Stage<OutcomePipeline>())).Workflow("w").Stages;
        stages.Select(s => (s.Name, s.MaxAttempts, s.TimeLimit)).ShouldBe([("outcome", 3, null), ("tick", 7, TimeSpan.FromHours(1))]);
    }

    [Fact]
    public void Every_mistake_of_every_workflow_is_listed_at_once()
    {
        var errors = Mistakes(ai => ai
            .Workflow("Bad_Name", w => w.Every("every hour").Stage<TickPipeline>())
            .Workflow("empty", w => w.Window(TimeSpan.Zero, Origin))
            .Workflow("empty", w => w.Window(TimeSpan.FromDays(7), Origin).WarmUp(Day(3)).Until(Day(1)).Overlap(OverlapPolicy.Skip, maxRunning: 0)
                .Stage<TickPipeline>(maxAttempts: 0, timeLimit: TimeSpan.Zero, after: typeof(DoublePipeline)).Stage<OutcomePipeline>().Stage<OutcomePipeline>())
            .Workflow("reversed", w => w.Window(TimeSpan.FromDays(1), Origin).WarmUp(Day(9)).Until(Day(5)).Stage<FirstPipeline>()));
        string[] expected =
        [
            "Workflow: 'Bad_Name' is no name of a workflow",
            "Workflow 'empty' is defined 2 times",
            "TickPipeline is a stage of Bad_Name and empty, so several workflows would write feature group ticks v1",
            "Workflow 'Bad_Name': 'every hour' is no cron expression",
            "Workflow 'empty': a window of 00:00:00 holds nothing",
            "Workflow 'empty' has no stages",
            "Workflow 'empty': WarmUp(2001-01-03) does not lie on the grid of 7.00:00:00 from 2001-01-01 on; use 2001-01-01 or 2001-01-08.",
            "Workflow 'empty': Until(2001-01-01) does not lie after the grid's origin",
            "Workflow 'empty': at most 0 running runs",
            "Workflow 'empty': OutcomePipeline is a stage 2 times",
            "Workflow 'empty': TickPipeline may be attempted 0 times",
            "Workflow 'empty': TickPipeline has a time limit of 00:00:00",
            "Workflow 'empty': TickPipeline comes after DoublePipeline, which is no stage of it",
            "Workflow 'reversed': WarmUp(2001-01-09) lies after Until(2001-01-05)",
        ];
        foreach (var error in expected)
            errors.ShouldContain(e => e.StartsWith(error, StringComparison.Ordinal), $"{error}\nnot in\n{string.Join("\n", errors)}");
    }

    [Fact]
    public void Partitions_out_of_range_or_of_a_training_pipeline_are_refused()
    {
        var errors = Mistakes(ai => ai.Add<TickView>().AddExternal<Doubled>().Workflow("w", w => w
            .Stage<TickPipeline>(partitions: 0).Stage<OutcomePipeline>(partitions: 1001).Stage<TrainPipeline>(partitions: 8).Stage<ScorePipeline>(partitions: 1000)));
        errors.ShouldBe(
        [
            "Workflow 'w': TickPipeline has 0 partitions; there are from 1 to 1000.",
            "Workflow 'w': OutcomePipeline has 1001 partitions; there are from 1 to 1000.",
            "Workflow 'w': TrainPipeline trains one model from all of its window, which no partition could; remove partitions: 8.",
        ], ignoreOrder: true);
        Mistakes(ai => ai.Add<CarelessPipeline>()).ShouldHaveSingleItem().ShouldBe("CarelessPipeline.SliceUnit is 00:00:00; it is a positive number of whole seconds.");
    }

    [Fact]
    public void A_look_back_that_is_no_whole_number_of_cells_or_has_nothing_to_look_at_is_refused()
    {
        Mistakes(ai => ai.Add<TickView>().AddExternal<Doubled>().Workflow("w", w => w.Window(TimeSpan.FromHours(6), Origin).LookBack(TimeSpan.FromHours(8))
            .Stage<TickPipeline>(lookBack: TimeSpan.Zero).Stage<OutcomePipeline>().Stage<TrainPipeline>().Stage<ScorePipeline>(lookBack: TimeSpan.FromHours(6)))).ShouldBe(
        [
            "Workflow 'w': LookBack is 08:00:00, no whole number of cells of 06:00:00; use 12:00:00.",
            "Workflow 'w': lookBack of TickPipeline is 00:00:00; it must be greater than zero.",
            "Workflow 'w': ScorePipeline has a lookBack, but models and predictions stay as they were made; give it to the feature pipelines whose raw data comes late.",
        ], ignoreOrder: true);
        Mistakes(ai => ai.AddExternal<Tick>().Workflow("w", w => w.LookBack(TimeSpan.FromDays(1)).Stage<DoublePipeline>()))
            .ShouldHaveSingleItem().ShouldStartWith("Workflow 'w': LookBack(1.00:00:00) has no effect, because every stage reads feature groups");
    }

    [Fact]
    public void A_trigger_on_data_needs_data_of_others_and_time_that_goes_forward()
    {
        Mistakes(ai => ai.Workflow("w", w => w.OnNewData(TimeSpan.FromMinutes(-1)).Stage<TickPipeline>().Stage<DoublePipeline>())).ShouldBe(
        [
            "Workflow 'w': OnNewData(-00:01:00) would start before there is anything; the debounce is at least zero.",
            "Workflow 'w': OnNewData waits for feature groups that others write, but the workflow reads none of them; start it with Every, or remove OnNewData.",
        ], ignoreOrder: true);
        Build(ai => ai.AddExternal<Tick>().Workflow("w", w => w.OnNewData(TimeSpan.Zero).Stage<DoublePipeline>())).Workflow("w").OnNewData.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Parallel_runs_need_a_number() =>
        Mistakes(ai => ai.Workflow("w", w => w.Overlap(OverlapPolicy.Parallel).Stage<TickPipeline>()))
            .ShouldHaveSingleItem().ShouldBe("Workflow 'w': Overlap(OverlapPolicy.Parallel) lets several run at a time; say how many with maxRunning, or use Queue.");

    [Fact]
    public void Two_writers_of_one_group_are_refused() =>
        Mistakes(ai => ai.Add<TickPipeline>().Add<OtherTickPipeline>())
            .ShouldContain("Feature group ticks v1 is written by TickPipeline and OtherTickPipeline; a group has one writer, so remove one or give it a group of its own.");

    [Fact]
    public void Two_records_that_claim_one_group_are_refused() =>
        Mistakes(ai => ai.Add<TickPipeline>().Add<OtherRowPipeline>()).ShouldContain(e => e.StartsWith("Tick and OtherTick are all feature group ticks v1", StringComparison.Ordinal));

    [Fact]
    public void A_group_that_is_read_but_never_written_is_refused_unless_it_is_declared_external()
    {
        Mistakes(ai => ai.Add<DoublePipeline>()).ShouldContain(
            "Feature group ticks v1 is read by DoublePipeline but never written; add a feature pipeline of Tick to a workflow, or declare it with AddExternal<Tick>().");
        Build(ai => ai.Add<DoublePipeline>().AddExternal<Tick>()).Groups.Select(g => (g.Schema.Name, g.WrittenBy)).ShouldBe([("doubles", "double"), ("ticks", null)]);
        Mistakes(ai => ai.Add<TickPipeline>().AddExternal<Tick>()).ShouldHaveSingleItem().ShouldContain("remove one of the two");
    }

    [Fact]
    public void A_writer_that_is_a_stage_of_no_workflow_is_refused() =>
        Mistakes(ai => ai.Add<TickPipeline>().Workflow("w", w => w.Stage<DoublePipeline>()))
            .ShouldContain("Workflow 'w': DoublePipeline reads feature group ticks v1, which TickPipeline writes, but TickPipeline is a stage of no workflow; add Stage<TickPipeline>().");

    [Fact]
    public void A_cycle_is_named_in_its_order() =>
        Mistakes(ai => ai.Workflow("w", w => w.Stage<FirstPipeline>().Stage<SecondPipeline>().Stage<TickPipeline>()))
            .ShouldHaveSingleItem().ShouldBe("Workflow 'w': FirstPipeline -> SecondPipeline -> FirstPipeline wait for each other; remove one of the reads or 'after's between them.");

    [Fact]
    public void Stages_of_one_name_and_names_that_are_none_are_refused()
    {
        var errors = Mistakes(ai => ai.Add<TickPipeline>().Add<NamesakePipeline>().Add<ShoutingPipeline>());
        errors.ShouldContain("TickPipeline and NamesakePipeline are all stage 'tick'; override Name in one of them.");
        errors.ShouldContain(e => e.StartsWith("ShoutingPipeline", StringComparison.Ordinal) && e.Contains("'LOUD'"));
    }

    [Fact]
    public void What_is_no_pipeline_is_refused()
    {
        Mistakes(ai => ai.Add<Probe>()).ShouldContain(e => e.StartsWith("Probe was added but is no pipeline or view", StringComparison.Ordinal));
        Mistakes(ai => ai.AddExternal<Tick>().AddExternal<Doubled>().AddExternal<TickOutcome>().Workflow("w", w => w.Stage<TickView>()))
            .ShouldContain(e => e.StartsWith("Workflow 'w': TickView is a feature view, which is no stage", StringComparison.Ordinal));
    }

    [Fact]
    public void An_unknown_model_is_refused() =>
        Mistakes(ai => ai.Add<TickView>().AddExternal<Tick>().AddExternal<Doubled>().AddExternal<TickOutcome>().Add<ScorePipeline>())
            .ShouldHaveSingleItem().ShouldStartWith("ScorePipeline.Model: Unknown model 'tick-model'");

    [Fact]
    public void Unknown_names_are_answered_with_near_ones()
    {
        var catalog = Build(EngineHost.Standard);
        Should.Throw<InvalidRequestException>(() => catalog.View("tik")).Message.ShouldBe("Unknown feature view 'tik': did you mean tick?");
        Should.Throw<InvalidRequestException>(() => catalog.TrainingOf("tickmodel")).Message.ShouldContain("did you mean tick-model?");
        Should.Throw<InvalidRequestException>(() => catalog.Group("doublez")).Message.ShouldContain("did you mean doubles?");
    }

    private static Catalog Build(Action<AiWorkflowsBuilder> define)
    {
        var services = new ServiceCollection().AddSingleton<Probe>().AddLogging();
        var builder = new AiWorkflowsBuilder(services);
        define(builder);
        return Catalog.Build(builder, services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true }), EngineHost.WithFakeModels);
    }

    private static IReadOnlyList<string> Mistakes(Action<AiWorkflowsBuilder> define) => Should.Throw<InvalidDefinitionsException>(() => Build(define)).Errors;

    [FeatureGroup("firsts")]
    public sealed record First([EntityKey] string Key, [EventTime] DateTime At);

    [FeatureGroup("seconds")]
    public sealed record Second([EntityKey] string Key, [EventTime] DateTime At);

    [FeatureGroup("ticks")]
    public sealed record OtherTick([EntityKey] string Key, [EventTime] DateTime At);

    public sealed class CarelessPipeline : Nothing<Tick>
    {
        public override TimeSpan? SliceUnit => TimeSpan.Zero;
    }

    public abstract class Nothing<TRow> : BatchFeaturePipeline<TRow> where TRow : class
    {
        public override IAsyncEnumerable<TRow> ComputeAsync(Window window, CancellationToken ct) => AsyncEnumerable.Empty<TRow>();
    }

    public sealed class FirstPipeline(IFeatureReader<Second> seconds) : Nothing<First>
    {
        public IFeatureReader<Second> Seconds => seconds;
    }

    public sealed class SecondPipeline(IFeatureReader<First> firsts) : Nothing<Second>
    {
        public IFeatureReader<First> Firsts => firsts;
    }

    public sealed class OtherTickPipeline : Nothing<Tick>;

    public sealed class OtherRowPipeline : Nothing<OtherTick>;

    public sealed class NamesakePipeline : Nothing<First>
    {
        public override string Name => "tick";
    }

    public sealed class ShoutingPipeline : Nothing<Second>
    {
        public override string Name => "LOUD";
    }
}
