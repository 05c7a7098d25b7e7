using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Streaming;
using AiWorkflows.Training;

namespace AiWorkflows.Workflows;

/// <summary>Kinds of steps, as they are stored.</summary>
internal static class StepKinds
{
    public const string Feature = "feature";
    public const string Training = "training";
    public const string Inference = "inference";
    public const string Control = "control";
}

/// <summary>A validated stage of a workflow.</summary>
/// <param name="After">Names of the stages that must have finished: inferred from the data, and declared.</param>
/// <param name="LookBack">How much of the past catch-up lets the stage compute once more.</param>
/// <param name="Partitions">Slices into which a run's window is cut where it is long enough; 1 for a stage that is executed as a whole.</param>
internal sealed record StageDefinition(
    string Name, string Kind, FeaturePipelineDefinition? Feature, TrainingDefinition? Training, InferenceDefinition? Inference,
    IReadOnlyList<string> After, int MaxAttempts, TimeSpan? TimeLimit, int Partitions = 1, TimeSpan LookBack = default);

/// <summary>A validated workflow.</summary>
/// <param name="OnNewData">Not null: it starts so long after the last new commit of a group that it reads and others write.</param>
/// <param name="Stages">In an order in which they can be executed one by one.</param>
internal sealed record WorkflowDefinition(
    string Name, string? Cron, TimeSpan WindowSize, DateTime Origin, DateTime? WarmUpUntil, DateTime? Until,
    CatchUpPolicy CatchUp, OverlapPolicy Overlap, int MaxRunning, IReadOnlyList<StageDefinition> Stages, TimeSpan? OnNewData = null);

/// <summary>Everything that a host defines, validated: one exception lists all mistakes.</summary>
internal sealed partial class Catalog
{
    public required IReadOnlyList<RegisteredGroup> Groups { get; init; }

    public required IReadOnlyList<FeaturePipelineDefinition> FeaturePipelines { get; init; }

    public required IReadOnlyList<FeatureViewDefinition> Views { get; init; }

    public required IReadOnlyList<TrainingDefinition> Trainings { get; init; }

    public required IReadOnlyList<InferenceDefinition> Inferences { get; init; }

    public required IReadOnlyList<WorkflowDefinition> Workflows { get; init; }

    public IReadOnlyList<StreamDefinition> Streams { get; init; } = [];
}
