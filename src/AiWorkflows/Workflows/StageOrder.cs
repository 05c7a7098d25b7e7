namespace AiWorkflows.Workflows;

/// <summary>A stage with its place in the order.</summary>
internal readonly record struct OrderedStage(StageSource Source, WorkflowBuilder.StageSpec Spec, IReadOnlyList<string> After);

/// <summary>Infers the order of stages from what reads what; the order in which they were declared does not matter.</summary>
internal static class StageOrder
{
    public static IReadOnlyList<OrderedStage> Sort(
        string where, IReadOnlyList<WorkflowBuilder.StageSpec> specs, IReadOnlyDictionary<Type, StageSource> sources, List<string> errors)
    {
        var stages = specs.Select(spec => (Source: sources[spec.Pipeline], Spec: spec)).ToDictionary(s => s.Spec.Pipeline);
        var after = stages.Values.ToDictionary(s => s.Source, s => Predecessors(s.Source, s.Spec, [.. stages.Values.Select(o => o.Source)]));

        var ordered = new List<OrderedStage>();
        var placed = new HashSet<StageSource>();
        while (placed.Count < stages.Count)
        {
            var next = stages.Values
                .Where(s => !placed.Contains(s.Source) && after[s.Source].All(placed.Contains))
                .OrderBy(s => s.Source.Kind switch { StepKinds.Feature => 0, StepKinds.Training => 1, _ => 2 }).ThenBy(s => s.Source.Name, StringComparer.Ordinal)
                .FirstOrDefault();
            if (next.Source is null)
            {
                errors.Add($"{where}: {string.Join(" -> ", FindCycle(after, placed).Select(s => s.Type.Name))} wait for each other; remove one of the reads or 'after's between them.");
                return [];
            }
            placed.Add(next.Source);
            ordered.Add(new(next.Source, next.Spec, [.. after[next.Source].Select(s => s.Name).Order(StringComparer.Ordinal)]));
        }
        return ordered;
    }

    private static HashSet<StageSource> Predecessors(StageSource stage, WorkflowBuilder.StageSpec spec, IReadOnlyList<StageSource> all)
    {
        var reads = stage.Reads.Select(r => r.Row).ToHashSet();
        return
        [
            .. all.Where(o => o.Feature is { } feature && reads.Contains(feature.Writes.Row)),
            .. all.Where(o => o.Training is { } training && training.ModelName == stage.Inference?.Model),
            .. all.Where(o => spec.After.Contains(o.Type)),
        ];
    }

    /// <summary>Walks backwards from a stage that cannot be placed until a stage comes again.</summary>
    private static List<StageSource> FindCycle(Dictionary<StageSource, HashSet<StageSource>> after, HashSet<StageSource> placed)
    {
        var path = new List<StageSource>();
        var at = after.Keys.Where(s => !placed.Contains(s)).OrderBy(s => s.Name, StringComparer.Ordinal).First();
        while (!path.Contains(at))
        {
            path.Add(at);
            at = after[at].Where(s => !placed.Contains(s)).OrderBy(s => s.Name, StringComparer.Ordinal).First();
        }
        path = [.. path.SkipWhile(s => s != at), at];
        path.Reverse();
        return path;
    }
}
