namespace AiWorkflows;

/// <summary>What happens to a request while the workflow has as many running runs as it may have.</summary>
public enum OverlapPolicy
{
    /// <summary>It waits.</summary>
    Queue,

    /// <summary>It is cancelled, with the reason <c>overlap</c>.</summary>
    Skip,

    /// <summary>Several run at a time, as many as <c>maxRunning</c> says; further ones wait.</summary>
    Parallel,
}

/// <summary>What a scheduled tick or a <c>run</c> without a window covers.</summary>
public enum CatchUpPolicy
{
    /// <summary>One run for all owed cells (per contiguous stretch owed by the same pipelines).</summary>
    OneRun,

    /// <summary>One run for each owed cell.</summary>
    EachWindow,

    /// <summary>Only the newest closed cell.</summary>
    Latest,

    /// <summary>Nothing that was missed: a scheduled tick covers only a cell that has ended since the tick before it was due. A <c>run</c> by hand covers the newest closed cell.</summary>
    None,
}

/// <summary>Collects the definition of a workflow: a DAG of pipelines with a schedule.</summary>
public sealed class WorkflowBuilder
{
    internal sealed record StageSpec(Type Pipeline, Type[] After, int? MaxAttempts, TimeSpan? TimeLimit, int Partitions, TimeSpan? LookBack);

    internal List<StageSpec> Stages { get; } = [];

    internal string? Cron { get; private set; }

    internal TimeSpan Size { get; private set; } = TimeSpan.FromDays(1);

    internal DateTime Origin { get; private set; } = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    internal bool OriginDeclared { get; private set; }

    internal DateTime? WarmUpUntil { get; private set; }

    internal DateTime? End { get; private set; }

    internal CatchUpPolicy CatchUpPolicy { get; private set; } = CatchUpPolicy.OneRun;

    internal OverlapPolicy OverlapPolicy { get; private set; } = OverlapPolicy.Queue;

    internal int MaxRunning { get; private set; } = 1;

    internal TimeSpan? Debounce { get; private set; }

    internal TimeSpan? RawLookBack { get; private set; }

    /// <summary>Schedules the workflow by a cron expression in UTC. Each tick covers the closed grid cells that are owed; with nothing owed it does nothing.</summary>
    public WorkflowBuilder Every(string cron)
    {
        Cron = cron;
        return this;
    }

    /// <summary>
    /// Starts the workflow when something new was published in a feature group that it reads and does not write itself. As a scheduled tick does, it then covers what is owed: cells that
    /// have ended, and cells whose input has changed; where that is nothing it does nothing. Several hosts make one run. May stand beside <see cref="Every"/>.
    /// </summary>
    /// <param name="debounce">How long nothing new must have come, so that a series of commits makes one run; after ten times that it starts anyway.</param>
    public WorkflowBuilder OnNewData(TimeSpan debounce)
    {
        Debounce = debounce;
        return this;
    }

    /// <summary>Sets the fixed grid on which windows lie: cells of <paramref name="size"/> from <paramref name="origin"/> (UTC) on.</summary>
    public WorkflowBuilder Window(TimeSpan size, DateTime origin)
    {
        (Size, Origin, OriginDeclared) = (size, DateTime.SpecifyKind(origin, DateTimeKind.Utc), true);
        return this;
    }

    /// <summary>Catch-up makes one run before <paramref name="until"/> (UTC) in which training and inference are skipped: history that only features need.</summary>
    public WorkflowBuilder WarmUp(DateTime until)
    {
        WarmUpUntil = DateTime.SpecifyKind(until, DateTimeKind.Utc);
        return this;
    }

    /// <summary>The data ends at <paramref name="end"/> (UTC): later cells are never owed.</summary>
    public WorkflowBuilder Until(DateTime end)
    {
        End = DateTime.SpecifyKind(end, DateTimeKind.Utc);
        return this;
    }

    /// <summary>
    /// Raw data may come late or be corrected for as long as <paramref name="span"/>: whenever new cells are due, stages that read no feature group compute that much of the past once more.
    /// Only what has changed is published; what reads it follows by itself. Training and inference are not repeated.
    /// </summary>
    /// <param name="span">A whole number of cells.</param>
    public WorkflowBuilder LookBack(TimeSpan span)
    {
        RawLookBack = span;
        return this;
    }

    /// <summary>How owed cells become runs.</summary>
    /// <value>The default value is <see cref="CatchUpPolicy.OneRun"/>.</value>
    public WorkflowBuilder CatchUp(CatchUpPolicy policy)
    {
        CatchUpPolicy = policy;
        return this;
    }

    /// <summary>What happens to a request while <paramref name="maxRunning"/> runs are running.</summary>
    public WorkflowBuilder Overlap(OverlapPolicy policy, int maxRunning = 1)
    {
        (OverlapPolicy, MaxRunning) = (policy, maxRunning);
        return this;
    }

    /// <summary>Adds a pipeline. Order follows from what reads what.</summary>
    /// <param name="maxAttempts">Attempts before the stage fails; the default is 3.</param>
    /// <param name="timeLimit">Longest duration of an attempt; the default is none.</param>
    /// <param name="partitions">
    /// Slices of event time into which the run's window is cut, from 1 to 1,000; the default is 1. Slices run in parallel on any host and are retried one by one;
    /// what they give becomes visible all at once, when the last has succeeded. A window too short for as many is cut into fewer. Not for training pipelines.
    /// </param>
    /// <param name="lookBack">As <see cref="LookBack"/>, for this stage only and whatever it reads; only for feature pipelines.</param>
    /// <param name="after">Pipelines that must have finished for a side effect that the data does not show.</param>
    public WorkflowBuilder Stage<TPipeline>(int? maxAttempts = null, TimeSpan? timeLimit = null, int partitions = 1, TimeSpan? lookBack = null, params Type[] after) where TPipeline : class
    {
        Stages.Add(new(typeof(TPipeline), after, maxAttempts, timeLimit, partitions, lookBack));
        return this;
    }
}
