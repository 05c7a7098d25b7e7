using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Streaming;
using AiWorkflows.Training;

namespace AiWorkflows.Workflows;

internal sealed partial class Catalog
{
    /// <summary>Reads and validates everything that the builder collected.</summary>
    /// <exception cref="InvalidDefinitionsException">Something is wrong; the exception lists every mistake of every definition.</exception>
    public static Catalog Build(AiWorkflowsBuilder builder, IServiceProvider services) => Build(builder, services, DefinitionFactories.Standard);

    internal static Catalog Build(AiWorkflowsBuilder builder, IServiceProvider services, DefinitionFactories factories)
    {
        var errors = new List<string>();
        var types = builder.Types.Distinct().ToArray();
        foreach (var type in types.Where(t => DefinitionKinds.Of(t) == DefinitionKind.Unknown))
            errors.Add($"{type.Name} was added but is no pipeline or view; derive it from BatchFeaturePipeline, AggregateFeaturePipeline, StreamFeaturePipeline, FeatureView, TrainingPipeline or BatchInferencePipeline.");

        var pipelines = Create(types, DefinitionKind.FeaturePipeline, errors, type => factories.Pipeline(type, services, errors));
        var views = Create(types, DefinitionKind.View, errors, type => factories.View(type, services, errors));
        var trainings = Create(types, DefinitionKind.Training, errors, type => factories.Training(type, views, services, errors));
        var inferences = Create(types, DefinitionKind.Inference, errors, type => factories.Inference(type, views, services, errors));
        var external = builder.ExternalGroups.Distinct().Select(type => GroupSchema.TryCreate(type, errors)).OfType<GroupSchema>().ToArray();

        // What a wrong definition would have read or written is unknown, so nothing is said about what seems to be missing because of it.
        var complete = errors.Count == 0;
        DefinitionChecks.Names(pipelines, views, trainings, inferences, errors);
        var streams = StreamFactory.Create(builder, pipelines, errors);
        DefinitionChecks.Groups(pipelines, views, external, streams, complete, errors);
        DefinitionChecks.Models(trainings, inferences, complete, errors);
        var stages = pipelines.Select(p => new StageSource(p.Name, p.Type, p, null, null))
            .Concat(trainings.Select(t => new StageSource(t.Name, t.Type, null, t, null)))
            .Concat(inferences.Select(i => new StageSource(i.Name, i.Type, null, null, i)))
            .ToDictionary(s => s.Type);
        var workflows = WorkflowFactory.Create(builder, stages, errors);
        if (errors.Count > 0)
            throw new InvalidDefinitionsException([.. errors.Distinct()]);

        var writers = pipelines.ToDictionary(p => p.Writes.ToString(), p => p.Name);
        foreach (var stream in streams)
            writers.TryAdd(stream.Events.ToString(), stream.Name);
        return new()
        {
            Groups = [.. pipelines.Select(p => p.Writes).Concat(pipelines.SelectMany(p => p.Reads)).Concat(views.SelectMany(v => v.Reads)).Concat(external)
                .Concat(streams.Select(s => s.Events)).DistinctBy(g => g.ToString()).OrderBy(g => g.Name, StringComparer.Ordinal).ThenBy(g => g.Version)
                .Select(g => new RegisteredGroup(g, writers.GetValueOrDefault(g.ToString())))],
            FeaturePipelines = pipelines,
            Views = views,
            Trainings = trainings,
            Inferences = inferences,
            Workflows = workflows,
            Streams = streams,
        };
    }

    private static T[] Create<T>(Type[] types, DefinitionKind kind, List<string> errors, Func<Type, T?> create) where T : class
    {
        var result = new List<T>();
        foreach (var type in types.Where(t => DefinitionKinds.Of(t) == kind))
            try
            {
                if (create(type) is { } definition)
                    result.Add(definition);
            }
            catch (Exception e)
            {
                errors.Add($"{type.Name} could not be read: {ErrorText.Of(e)}");
            }
        return [.. result];
    }
}

/// <summary>A definition that can be a stage, before its place in a workflow is known.</summary>
internal sealed record StageSource(string Name, Type Type, FeaturePipelineDefinition? Feature, TrainingDefinition? Training, InferenceDefinition? Inference)
{
    public string Kind => Feature is not null ? StepKinds.Feature : Training is not null ? StepKinds.Training : StepKinds.Inference;

    /// <summary>Groups that must have been written before the stage starts.</summary>
    public IReadOnlyList<GroupSchema> Reads => Feature?.Reads ?? Training?.View.Reads ?? Inference!.View.Reads;
}
