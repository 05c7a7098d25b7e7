using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Streaming;
using AiWorkflows.Training;

namespace AiWorkflows.Workflows;

internal sealed partial class Catalog
{
    /// <exception cref="InvalidRequestException">There is none of this name; near matches are named.</exception>
    public WorkflowDefinition Workflow(string name) => FindWorkflow(name) ?? throw NearMatches.Unknown("workflow", name, Workflows.Select(w => w.Name));

    public WorkflowDefinition? FindWorkflow(string name) => Workflows.FirstOrDefault(w => w.Name == name);

    /// <inheritdoc cref="Workflow(string)"/>
    public RegisteredGroup Group(string name) =>
        Groups.Where(g => g.Schema.Name == name).MaxBy(g => g.Schema.Version) ?? throw NearMatches.Unknown("feature group", name, Groups.Select(g => g.Schema.Name));

    /// <inheritdoc cref="Workflow(string)"/>
    public FeatureViewDefinition View(string name) => Views.FirstOrDefault(v => v.Name == name) ?? throw NearMatches.Unknown("feature view", name, Views.Select(v => v.Name));

    /// <summary>The training pipeline of a model.</summary>
    /// <inheritdoc cref="Workflow(string)"/>
    public TrainingDefinition TrainingOf(string model) =>
        Trainings.FirstOrDefault(t => t.ModelName == model) ?? throw NearMatches.Unknown("model", model, Trainings.Select(t => t.ModelName));

    /// <summary>A batch inference pipeline by its name.</summary>
    /// <inheritdoc cref="Workflow(string)"/>
    public InferenceDefinition Inference(string pipeline) =>
        Inferences.FirstOrDefault(i => i.Name == pipeline) ?? throw NearMatches.Unknown("inference pipeline", pipeline, Inferences.Select(i => i.Name));

    /// <summary>A stream by its name.</summary>
    /// <inheritdoc cref="Workflow(string)"/>
    public StreamDefinition Stream(string name) => Streams.FirstOrDefault(s => s.Name == name) ?? throw NearMatches.Unknown("stream", name, Streams.Select(s => s.Name));

    /// <summary>A feature pipeline by its name.</summary>
    /// <inheritdoc cref="Workflow(string)"/>
    public FeaturePipelineDefinition FeaturePipeline(string pipeline) =>
        FeaturePipelines.FirstOrDefault(p => p.Name == pipeline) ?? throw NearMatches.Unknown("feature pipeline", pipeline, FeaturePipelines.Select(p => p.Name));
}
