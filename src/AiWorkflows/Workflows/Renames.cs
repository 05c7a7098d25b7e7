using System.Reflection;

namespace AiWorkflows.Workflows;

/// <summary>Stages that were called something else before.</summary>
internal static class Renames
{
    /// <summary>Former and present names of all pipelines.</summary>
    public static IReadOnlyList<(string Former, string Present)> Of(Catalog catalog) => [.. Stages(catalog).SelectMany(s => FormerNames(s.Type).Select(former => (former, s.Name)))];

    /// <summary>A former name that is no name, is in use, or belongs to two.</summary>
    public static void Check(IReadOnlyList<(string Name, Type Type)> stages, List<string> errors)
    {
        var former = stages.SelectMany(s => FormerNames(s.Type).Select(name => (Name: name, s.Type))).ToArray();
        foreach (var (name, type) in former)
            if (!DefinitionChecks.IsName(name))
                errors.Add($"{type.Name} is marked [FormerlyKnownAs]: {DefinitionChecks.BadName("stage", name)}");
            else if (stages.FirstOrDefault(s => s.Name == name) is { Type: not null } owner)
                errors.Add($"{type.Name} is marked [FormerlyKnownAs(\"{name}\")], which is the present name of {owner.Type.Name}; remove one of the two.");
        foreach (var twice in former.GroupBy(f => f.Name).Where(g => g.Count() > 1))
            errors.Add($"{string.Join(" and ", twice.Select(f => f.Type.Name))} are marked [FormerlyKnownAs(\"{twice.Key}\")]; only one of them can have been.");
    }

    private static IEnumerable<string> FormerNames(Type type) => type.GetCustomAttributes<FormerlyKnownAsAttribute>(inherit: false).Select(a => a.Name);

    private static IEnumerable<(string Name, Type Type)> Stages(Catalog catalog) =>
        catalog.FeaturePipelines.Select(p => (p.Name, p.Type)).Concat(catalog.Trainings.Select(t => (t.Name, t.Type))).Concat(catalog.Inferences.Select(i => (i.Name, i.Type)));
}
