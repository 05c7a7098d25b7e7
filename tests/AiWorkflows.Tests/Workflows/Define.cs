using AiWorkflows.Workflows;

namespace AiWorkflows.Tests.Workflows;

/// <summary>Definitions of workflows whose pipelines do not matter.</summary>
internal static class Define
{
    public static readonly DateTime Origin = Day(1);

    public static DateTime Day(double day) => new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddDays(day - 1);

    public static Window Days(double from, double to) => new(Day(from), Day(to));

    public static StageDefinition FeatureStage(string name, params string[] after) => Stage(name, StepKinds.Feature, after);

    public static StageDefinition TrainingStage(string name, params string[] after) => Stage(name, StepKinds.Training, after);

    public static StageDefinition InferenceStage(string name, params string[] after) => Stage(name, StepKinds.Inference, after);

    public static WorkflowDefinition Workflow(
        IReadOnlyList<StageDefinition> stages, DateTime? warmUp = null, DateTime? until = null, CatchUpPolicy catchUp = CatchUpPolicy.OneRun, TimeSpan? size = null) =>
        new("w", null, size ?? TimeSpan.FromDays(1), Origin, warmUp, until, catchUp, OverlapPolicy.Queue, 1, stages);

    public static RunRecord Run(Window window, bool catchUp = true, string mode = RunModes.Stages) =>
        new(1, "w", window, States.Requested, "me", "manual", mode, catchUp, false, Origin, null, null, null, null, null);

    private static StageDefinition Stage(string name, string kind, string[] after) => new(name, kind, null, null, null, after, 3, null);
}
