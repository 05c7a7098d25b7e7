using System.Text.RegularExpressions;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Streaming;
using AiWorkflows.Training;

namespace AiWorkflows.Workflows;

/// <summary>Checks what no single definition can know: names, and who writes what is read.</summary>
internal static partial class DefinitionChecks
{
    [GeneratedRegex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
    private static partial Regex KebabCase { get; }

    public static bool IsName(string name) => name.Length <= 60 && KebabCase.IsMatch(name);

    public static void Names(
        IReadOnlyList<FeaturePipelineDefinition> pipelines, IReadOnlyList<FeatureViewDefinition> views,
        IReadOnlyList<TrainingDefinition> trainings, IReadOnlyList<InferenceDefinition> inferences, List<string> errors)
    {
        (string Name, Type Type)[] stages =
            [.. pipelines.Select(p => (p.Name, p.Type)), .. trainings.Select(t => (t.Name, t.Type)), .. inferences.Select(i => (i.Name, i.Type))];
        Unique("stage", stages, errors);
        Renames.Check(stages, errors);
        Unique("view", [.. views.Select(v => (v.Name, v.Type))], errors);
        foreach (var training in trainings.Where(t => !IsName(t.ModelName)))
            errors.Add($"{training.Type.Name}: {BadName("model", training.ModelName)}");
    }

    /// <summary>A sentence about a name that is none.</summary>
    public static string BadName(string kind, string name) =>
        $"'{name}' is no name of a {kind}; use kebab case (lower-case letters, digits and single hyphens, at most 60, starting with a letter), as in 'flight-delays'.";

    public static void Groups(
        IReadOnlyList<FeaturePipelineDefinition> pipelines, IReadOnlyList<FeatureViewDefinition> views, IReadOnlyList<GroupSchema> external, IReadOnlyList<StreamDefinition> streams,
        bool complete, List<string> errors)
    {
        var all = pipelines.Select(p => p.Writes).Concat(pipelines.SelectMany(p => p.Reads)).Concat(views.SelectMany(v => v.Reads)).Concat(external).Concat(streams.Select(s => s.Events));
        foreach (var clash in all.GroupBy(g => g.ToString()).Where(c => c.Select(g => g.Row).Distinct().Count() > 1))
            errors.Add($"{Join(clash.Select(g => g.Row.Name).Distinct())} are all feature group {clash.Key}; give each its own name, or raise the version of the newer one.");

        foreach (var writers in pipelines.GroupBy(p => p.Writes.ToString()).Where(w => w.Count() > 1))
            errors.Add($"Feature group {writers.Key} is written by {Join(writers.Select(w => w.Type.Name))}; a group has one writer, so remove one or give it a group of its own.");
        foreach (var both in pipelines.Where(p => external.Any(e => e.Row == p.Writes.Row)))
            errors.Add($"Feature group {both.Writes} is declared with AddExternal<{both.Writes.Row.Name}>() but {both.Type.Name} writes it; remove one of the two.");

        if (!complete)
            return;
        var written = pipelines.Select(p => p.Writes.Row).Concat(external.Select(e => e.Row)).Concat(streams.Select(s => s.Events.Row)).ToHashSet();
        var readers = pipelines.SelectMany(p => p.Reads.Select(r => (Reader: p.Type.Name, Group: r))).Concat(views.SelectMany(v => v.Reads.Select(r => (Reader: v.Type.Name, Group: r))));
        foreach (var unwritten in readers.Where(r => !written.Contains(r.Group.Row)).GroupBy(r => r.Group.ToString()))
            errors.Add($"Feature group {unwritten.Key} is read by {Join(unwritten.Select(r => r.Reader).Distinct())} but never written; "
                + $"add a feature pipeline of {unwritten.First().Group.Row.Name} to a workflow, or declare it with AddExternal<{unwritten.First().Group.Row.Name}>().");
    }

    public static void Models(IReadOnlyList<TrainingDefinition> trainings, IReadOnlyList<InferenceDefinition> inferences, bool complete, List<string> errors)
    {
        foreach (var twice in trainings.GroupBy(t => t.ModelName).Where(g => g.Count() > 1))
            errors.Add($"Model '{twice.Key}' is trained by {Join(twice.Select(t => t.Type.Name))}; a model has one training pipeline, so rename one.");
        if (!complete)
            return;
        foreach (var inference in inferences.Where(i => trainings.All(t => t.ModelName != i.Model)))
            errors.Add($"{inference.Type.Name}.Model: {NearMatches.Unknown("model", inference.Model, trainings.Select(t => t.ModelName)).Message} Add a training pipeline that trains it, or change the name.");
        foreach (var inference in inferences)
            if (trainings.FirstOrDefault(t => t.ModelName == inference.Model) is { } training && training.View.Name != inference.View.Name)
                errors.Add($"{inference.Type.Name} scores examples of view '{inference.View.Name}' with model '{inference.Model}', which {training.Type.Name} trains on view '{training.View.Name}'; use one example type for both.");
    }

    private static void Unique(string kind, IReadOnlyList<(string Name, Type Type)> named, List<string> errors)
    {
        foreach (var (name, type) in named.Where(n => !IsName(n.Name)))
            errors.Add($"{type.Name}.Name: {BadName(kind, name)}");
        foreach (var twice in named.GroupBy(n => n.Name).Where(g => g.Count() > 1))
            errors.Add($"{Join(twice.Select(n => n.Type.Name))} are all {kind} '{twice.Key}'; override Name in one of them.");
    }

    private static string Join(IEnumerable<string> names) => string.Join(" and ", names);
}
