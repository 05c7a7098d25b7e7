using Cronos;

namespace AiWorkflows.Workflows;

/// <summary>Makes validated workflows of what <c>ai.Workflow(…)</c> collected.</summary>
internal static class WorkflowFactory
{
    private const int DefaultAttempts = 3;
    private const int MostPartitions = 1000;

    public static IReadOnlyList<WorkflowDefinition> Create(AiWorkflowsBuilder builder, IReadOnlyDictionary<Type, StageSource> sources, List<string> errors)
    {
        foreach (var (name, _) in builder.Workflows.Where(w => !DefinitionChecks.IsName(w.Name)))
            errors.Add($"Workflow: {DefinitionChecks.BadName("workflow", name)}");
        foreach (var twice in builder.Workflows.GroupBy(w => w.Name).Where(g => g.Count() > 1))
            errors.Add($"Workflow '{twice.Key}' is defined {twice.Count()} times; rename one, or put the stages of both into one definition.");
        foreach (var shared in builder.Workflows.SelectMany(w => w.Definition.Stages.Select(s => (w.Name, s.Pipeline)).Distinct()).GroupBy(s => s.Pipeline).Where(g => g.Count() > 1))
        {
            var what = sources.GetValueOrDefault(shared.Key)?.Feature is { } feature ? $"so several workflows would write feature group {feature.Writes}" : "so its coverage would belong to several workflows";
            errors.Add($"{shared.Key.Name} is a stage of {string.Join(" and ", shared.Select(s => s.Name))}, {what}; keep it in one of them.");
        }
        // What a stream feeds is written, be it a stage or not.
        HashSet<Type> staged = [.. builder.Workflows.SelectMany(w => w.Definition.Stages).Select(s => s.Pipeline), .. builder.Streams.SelectMany(s => s.Feeds)];
        return [.. builder.Workflows.Select(w => Create(w.Name, w.Definition, sources, staged, errors)).OfType<WorkflowDefinition>().Select(w => builder.ReplayFrom is { } start ? WarmUntil(w, start) : w)];
    }

    private static WorkflowDefinition WarmUntil(WorkflowDefinition workflow, DateTime start)
    {
        var line = WindowGrid.Of(workflow).Floor(workflow.Until is { } until && until < start ? until : start);
        return workflow with { WarmUpUntil = line > workflow.Origin ? line : null };
    }

    private static WorkflowDefinition? Create(string name, WorkflowBuilder definition, IReadOnlyDictionary<Type, StageSource> sources, HashSet<Type> staged, List<string> errors)
    {
        var before = errors.Count;
        var where = $"Workflow '{name}'";
        CheckSchedule(where, definition, errors);
        if (definition.MaxRunning < 1)
            errors.Add($"{where}: at most {definition.MaxRunning} running runs would let none run; give Overlap a number of at least 1.");
        if (definition is { OverlapPolicy: OverlapPolicy.Parallel, MaxRunning: 1 })
            errors.Add($"{where}: Overlap({nameof(OverlapPolicy)}.{nameof(OverlapPolicy.Parallel)}) lets several run at a time; say how many with maxRunning, or use {nameof(OverlapPolicy.Queue)}.");
        CheckStages(where, definition, sources, staged, errors);
        if (definition.OverlapPolicy == OverlapPolicy.Parallel)
            foreach (var stage in definition.Stages.Where(s => sources.TryGetValue(s.Pipeline, out var source) && source.Feature is { IsSequential: true }))
                errors.Add($"{where}: {stage.Pipeline.Name} goes on from the last row of each key in the window before, so runs go one after another; remove Overlap({nameof(OverlapPolicy)}.{nameof(OverlapPolicy.Parallel)}).");
        CheckLookBack(where, definition, sources, errors);
        CheckTrigger(where, definition, sources, errors);

        WorkflowBuilder.StageSpec[] specs = [.. definition.Stages.Where(s => sources.ContainsKey(s.Pipeline)).DistinctBy(s => s.Pipeline)];
        var stages = StageOrder.Sort(where, specs, sources, errors);
        return errors.Count > before ? null : new(
            name, definition.Cron, definition.Size, definition.Origin, definition.WarmUpUntil, definition.End,
            definition.CatchUpPolicy, definition.OverlapPolicy, definition.MaxRunning, [.. stages.Select(s => Stage(s.Source, s.Spec, s.After, definition))], definition.Debounce);
    }

    private static StageDefinition Stage(StageSource source, WorkflowBuilder.StageSpec spec, IReadOnlyList<string> after, WorkflowBuilder definition) =>
        new(source.Name, source.Kind, source.Feature, source.Training, source.Inference, after, spec.MaxAttempts ?? DefaultAttempts, spec.TimeLimit, spec.Partitions,
            spec.LookBack ?? (source.Feature is { Reads.Count: 0 } ? definition.RawLookBack ?? default : default));

    private static void CheckTrigger(string where, WorkflowBuilder definition, IReadOnlyDictionary<Type, StageSource> sources, List<string> errors)
    {
        if (definition.Debounce is not { } debounce)
            return;
        if (debounce < TimeSpan.Zero)
            errors.Add($"{where}: OnNewData({debounce}) would start before there is anything; the debounce is at least zero.");
        StageSource[] stages = [.. definition.Stages.Where(s => sources.ContainsKey(s.Pipeline)).Select(s => sources[s.Pipeline])];
        if (stages.Length > 0 && !stages.SelectMany(s => s.Reads).Any(g => stages.All(s => s.Feature?.Writes.Row != g.Row)))
            errors.Add($"{where}: OnNewData waits for feature groups that others write, but the workflow reads none of them; start it with Every, or remove OnNewData.");
    }

    private static void CheckLookBack(string where, WorkflowBuilder definition, IReadOnlyDictionary<Type, StageSource> sources, List<string> errors)
    {
        if (definition.RawLookBack is { } all)
        {
            Check("LookBack", all);
            if (definition.Stages.All(s => sources.TryGetValue(s.Pipeline, out var source) && source.Feature is not { Reads.Count: 0 }))
                errors.Add($"{where}: LookBack({all}) has no effect, because every stage reads feature groups; what changes in those is computed again by itself. Remove it, or give lookBack to a stage.");
        }
        foreach (var stage in definition.Stages.Where(s => s.LookBack is not null))
        {
            Check($"lookBack of {stage.Pipeline.Name}", stage.LookBack!.Value);
            if (sources.TryGetValue(stage.Pipeline, out var source) && source.Feature is null)
                errors.Add($"{where}: {stage.Pipeline.Name} has a lookBack, but models and predictions stay as they were made; give it to the feature pipelines whose raw data comes late.");
        }

        void Check(string member, TimeSpan span)
        {
            if (span <= TimeSpan.Zero)
                errors.Add($"{where}: {member} is {span}; it must be greater than zero.");
            else if (definition.Size > TimeSpan.Zero && span.Ticks % definition.Size.Ticks != 0)
                errors.Add($"{where}: {member} is {span}, no whole number of cells of {definition.Size}; use {new TimeSpan((span.Ticks / definition.Size.Ticks + 1) * definition.Size.Ticks)}.");
        }
    }

    private static void CheckSchedule(string where, WorkflowBuilder definition, List<string> errors)
    {
        if (definition.Cron is { } cron)
            try
            {
                CronExpression.Parse(cron);
            }
            catch (CronFormatException e)
            {
                errors.Add($"{where}: '{cron}' is no cron expression ({e.Message.TrimEnd('.')}); write five fields, as in \"0 * * * *\" for every full hour.");
            }
        if (definition.Size <= TimeSpan.Zero)
        {
            errors.Add($"{where}: a window of {definition.Size} holds nothing; give Window a size greater than zero.");
            return;
        }
        if (definition.Size.Ticks % TimeSpan.TicksPerSecond != 0)
            errors.Add($"{where}: a window of {definition.Size} is no whole number of seconds; round it.");

        var grid = new WindowGrid(definition.Size, definition.Origin);
        Aligned("WarmUp", definition.WarmUpUntil);
        Aligned("Until", definition.End);
        if (definition.WarmUpUntil is { } warmUp && definition.End is { } end && warmUp > end)
            errors.Add($"{where}: WarmUp({Timestamps.Display(warmUp)}) lies after Until({Timestamps.Display(end)}), so training and inference would never run; swap them or move one.");

        void Aligned(string member, DateTime? time)
        {
            if (time is { } t && !grid.IsAligned(t))
                errors.Add($"{where}: {member}({Timestamps.Display(t)}) does not lie on the grid of {definition.Size} from {Timestamps.Display(definition.Origin)} on; "
                    + $"use {Timestamps.Display(grid.Floor(t))} or {Timestamps.Display(grid.Ceiling(t))}.");
            else if (time is { } u && u <= definition.Origin)
                errors.Add($"{where}: {member}({Timestamps.Display(u)}) does not lie after the grid's origin {Timestamps.Display(definition.Origin)}; move one of them.");
        }
    }

    private static void CheckStages(string where, WorkflowBuilder definition, IReadOnlyDictionary<Type, StageSource> sources, HashSet<Type> staged, List<string> errors)
    {
        if (definition.Stages.Count == 0)
            errors.Add($"{where} has no stages; add at least one with Stage<TPipeline>().");
        foreach (var twice in definition.Stages.GroupBy(s => s.Pipeline).Where(g => g.Count() > 1))
            errors.Add($"{where}: {twice.Key.Name} is a stage {twice.Count()} times; remove {(twice.Count() == 2 ? "one" : "all but one")}.");
        foreach (var stage in definition.Stages)
        {
            if (DefinitionKinds.Of(stage.Pipeline) == DefinitionKind.View)
                errors.Add($"{where}: {stage.Pipeline.Name} is a feature view, which is no stage; add it with Add<{stage.Pipeline.Name}>() and leave the stages to pipelines.");
            if (stage.MaxAttempts < 1)
                errors.Add($"{where}: {stage.Pipeline.Name} may be attempted {stage.MaxAttempts} times; maxAttempts is at least 1.");
            if (stage.TimeLimit <= TimeSpan.Zero)
                errors.Add($"{where}: {stage.Pipeline.Name} has a time limit of {stage.TimeLimit}; it must be greater than zero.");
            if (stage.Partitions is < 1 or > MostPartitions)
                errors.Add($"{where}: {stage.Pipeline.Name} has {stage.Partitions} partitions; there are from 1 to {MostPartitions}.");
            else if (stage.Partitions > 1 && DefinitionKinds.Of(stage.Pipeline) == DefinitionKind.Training)
                errors.Add($"{where}: {stage.Pipeline.Name} trains one model from all of its window, which no partition could; remove partitions: {stage.Partitions}.");
            else if (stage.Partitions > 1 && sources.TryGetValue(stage.Pipeline, out var source) && source.Feature is { IsSequential: true })
                errors.Add($"{where}: {stage.Pipeline.Name} goes on from one event to the next, so its window cannot be cut; remove partitions: {stage.Partitions}.");
            foreach (var after in stage.After.Where(a => definition.Stages.All(s => s.Pipeline != a)))
                errors.Add($"{where}: {stage.Pipeline.Name} comes after {after.Name}, which is no stage of it; add Stage<{after.Name}>() or remove it from 'after'.");
        }
        foreach (var stage in definition.Stages.Where(s => sources.ContainsKey(s.Pipeline)))
            foreach (var group in sources[stage.Pipeline].Reads)
                if (sources.Values.FirstOrDefault(s => s.Feature?.Writes.Row == group.Row) is { } writer && !staged.Contains(writer.Type))
                    errors.Add($"{where}: {stage.Pipeline.Name} reads feature group {group}, which {writer.Type.Name} writes, but {writer.Type.Name} is a stage of no workflow; add Stage<{writer.Type.Name}>().");
    }
}
