using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AiWorkflows;

/// <summary>Collects pipelines, views and workflows, and the services that they are constructed from.</summary>
public sealed class AiWorkflowsBuilder
{
    /// <summary>Creates a builder that registers pipelines and views in <paramref name="services"/>.</summary>
    public AiWorkflowsBuilder(IServiceCollection services) => Services = services;

    /// <summary>The services that pipelines and views may ask for in their constructors.</summary>
    public IServiceCollection Services { get; }

    internal List<Type> Types { get; } = [];

    internal List<Type> ExternalGroups { get; } = [];

    internal List<(string Name, WorkflowBuilder Definition)> Workflows { get; } = [];

    internal List<StreamSpec> Streams { get; } = [];

    /// <summary>Where a replay starts: every workflow's warm-up ends there, whatever it declares, for from there on everything is to happen.</summary>
    internal DateTime? ReplayFrom { get; set; }

    /// <summary>Adds a pipeline or a feature view.</summary>
    public AiWorkflowsBuilder Add<T>() where T : class
    {
        AddType(typeof(T));
        return this;
    }

    /// <summary>Declares a feature group that something outside these workflows writes.</summary>
    public AiWorkflowsBuilder AddExternal<TRow>() where TRow : class
    {
        ExternalGroups.Add(typeof(TRow));
        return this;
    }

    /// <summary>Defines a workflow; its stages need not be added separately.</summary>
    /// <param name="name">Name in kebab case.</param>
    /// <param name="define">Schedule, grid and stages.</param>
    public AiWorkflowsBuilder Workflow(string name, Action<WorkflowBuilder> define)
    {
        ArgumentNullException.ThrowIfNull(define);
        var builder = new WorkflowBuilder();
        define(builder);
        Workflows.Add((name, builder));
        foreach (var stage in builder.Stages)
            AddType(stage.Pipeline);
        return this;
    }

    /// <summary>Defines a stream of events that are kept in a feature group as they arrive, and what is computed from them at once. What it feeds need not be added separately.</summary>
    /// <param name="name">Name in kebab case.</param>
    /// <param name="define">Partitions, lateness, pipelines.</param>
    /// <typeparam name="TEvent">The record of the group of the events: what an event is about is its entity key, when it happened its event time.</typeparam>
    public AiWorkflowsBuilder Stream<TEvent>(string name, Action<EventStreamBuilder<TEvent>> define) where TEvent : class
    {
        ArgumentNullException.ThrowIfNull(define);
        var spec = new StreamSpec(name, typeof(TEvent));
        define(new(this, spec));
        Streams.Add(spec);
        return this;
    }

    private void AddType(Type type)
    {
        if (!Types.Contains(type))
            Types.Add(type);
        // By a factory, because readers of feature groups belong to a run: the container cannot construct them when it validates itself.
        Services.TryAddTransient(type, services => ActivatorUtilities.CreateInstance(services, type));
    }
}
