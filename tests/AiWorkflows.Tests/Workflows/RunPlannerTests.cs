using AiWorkflows.Workflows;
using static AiWorkflows.Tests.Workflows.Define;

namespace AiWorkflows.Tests.Workflows;

public class RunPlannerTests
{
    private static readonly WorkflowDefinition Definition = Workflow(
        [FeatureStage("events"), FeatureStage("means", "events"), TrainingStage("train", "events", "means"), InferenceStage("score", "events", "means", "train")], warmUp: Day(10));

    [Fact]
    public void Every_stage_is_a_step_on_the_queue_of_its_kind_and_inference_gets_its_outcomes()
    {
        var plan = RunPlanner.Plan(Definition, Run(Days(10, 20)), []);
        plan.Steps.Select(s => (s.Step, s.Kind, s.Queue, s.Ordinal)).ShouldBe(
        [
            ("events", "feature", "features", 0), ("means", "feature", "features", 1), ("train", "training", "training", 2),
            ("score", "inference", "inference", 3), ("score/outcomes", "control", "control", 4),
        ]);
        plan.Steps.ShouldAllBe(s => s.SkipReason == null);
        plan.Edges.ShouldBe(
            [("means", "events"), ("train", "events"), ("train", "means"), ("score", "events"), ("score", "means"), ("score", "train"), ("score/outcomes", "score")], ignoreOrder: true);
    }

    [Fact]
    public void Before_the_warm_up_only_features_run() =>
        Skips(RunPlanner.Plan(Definition, Run(Days(1, 10)), [])).ShouldBe(
            [("events", null), ("means", null), ("train", "warm-up"), ("score", "warm-up"), ("score/outcomes", "warm-up")]);

    [Fact]
    public void A_window_that_somebody_asked_for_runs_all_stages_whatever_is_covered() =>
        Skips(RunPlanner.Plan(Definition, Run(Days(1, 10), catchUp: false), [new("events", Days(1, 20))])).ShouldAllBe(s => s.Item2 == null);

    [Fact]
    public void Catch_up_skips_what_is_covered_but_still_fills_in_outcomes() =>
        Skips(RunPlanner.Plan(Definition, Run(Days(10, 12)), [new("events", Days(1, 11)), new("events", Days(11, 15)), new("means", Days(1, 11)), new("score", Days(10, 12))])).ShouldBe(
            [("events", "already covered"), ("means", null), ("train", null), ("score", "already covered"), ("score/outcomes", null)]);

    [Fact]
    public void A_monolith_skips_the_stages_of_the_other_mode()
    {
        Skips(RunPlanner.Plan(Definition, Run(Days(10, 20), mode: RunModes.MonolithTrain), [])).ShouldBe(
            [("events", null), ("means", null), ("train", null), ("score", "monolith train"), ("score/outcomes", "monolith train")]);
        Skips(RunPlanner.Plan(Definition, Run(Days(10, 20), mode: RunModes.MonolithInfer), [])).ShouldBe(
            [("events", null), ("means", null), ("train", "monolith infer"), ("score", null), ("score/outcomes", null)]);
    }

    [Fact]
    public void Those_after_a_partitioned_stage_wait_for_its_publish_step_with_one_edge_each()
    {
        var definition = Workflow([FeatureStage("events") with { Partitions = 2 }, FeatureStage("means", "events") with { Partitions = 3 }, InferenceStage("score", "events", "means") with { Partitions = 8 }]);
        var plan = RunPlanner.Plan(definition, Run(Days(1, 3)), []);
        plan.Steps.Select(s => (s.Step, s.Kind, s.Ordinal, s.Slices?.Count)).ShouldBe(
        [
            ("events", "feature", 0, 2), ("events/publish", "control", 1, null), ("means", "feature", 2, 2), ("means/publish", "control", 3, null),
            ("score", "inference", 4, 8), ("score/publish", "control", 5, null), ("score/outcomes", "control", 6, null),
        ]);
        plan.Edges.ShouldBe(
        [
            ("events/publish", "events"), ("means", "events/publish"), ("means/publish", "means"), ("score", "events/publish"), ("score", "means/publish"),
            ("score/publish", "score"), ("score/outcomes", "score/publish"),
        ], ignoreOrder: true);
    }

    [Fact]
    public void A_stage_that_is_skipped_or_whose_window_is_too_short_is_not_partitioned()
    {
        var definition = Workflow([FeatureStage("events") with { Partitions = 2 }, FeatureStage("means", "events") with { Partitions = 2 }]);
        var plan = RunPlanner.Plan(definition, Run(Days(1, 3)), [new("events", Days(1, 3))]);
        plan.Steps.Select(s => (s.Step, s.SkipReason, s.Slices?.Count)).ShouldBe([("events", "already covered", null), ("means", null, 2), ("means/publish", null, null)]);
        plan.Edges.ShouldBe([("means", "events"), ("means/publish", "means")]);
        RunPlanner.Plan(definition, Run(Days(1, 2)), []).Steps.Select(s => s.Step).ShouldBe(["events", "means"]);
    }

    private static (string, string?)[] Skips(RunPlan plan) => [.. plan.Steps.Select(s => (s.Step, s.SkipReason))];
}
