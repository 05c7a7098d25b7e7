namespace AiWorkflows.Workflows;

/// <summary>Turns a run into steps and edges; what it decides is frozen in the ledger when the run is admitted.</summary>
internal static class RunPlanner
{
    public const string WarmUp = "warm-up";
    public const string AlreadyCovered = "already covered";
    public const string BackfillWithoutTraining = "backfill without --train";
    public const string NoHistory = "no history";
    public const string NoModel = "no model";
    public const string Backtest = "backtest";
    private const int ControlAttempts = 3;

    /// <summary>Name of the control step that fills in the outcomes of a stage's predictions.</summary>
    public static string OutcomesOf(string stage) => stage + "/outcomes";

    /// <summary>Name of the control step that makes visible what the partitions of a stage have sealed.</summary>
    public static string PublishOf(string stage) => stage + "/publish";

    /// <param name="backfill">Not null: the run is a window of a backfill.</param>
    public static RunPlan Plan(WorkflowDefinition workflow, RunRecord run, IReadOnlyList<CoverageInterval> coverage, BackfillTerms? backfill = null)
    {
        var steps = new List<PlannedStep>();
        var edges = new List<(string Step, string After)>();
        // Where a stage is partitioned, those after it wait for its publish step: one edge each, not one for each partition.
        var last = new Dictionary<string, string>();
        foreach (var stage in workflow.Stages)
        {
            var skip = backfill is null ? SkipReason(workflow, stage, run, coverage) : SkipReason(stage, run, coverage, backfill);
            var window = WindowOf(workflow, stage, run);
            var slices = skip is null ? Slices.Of(workflow, stage, window) : [run.Window];
            steps.Add(new(stage.Name, stage.Name, stage.Kind, steps.Count, QueueOf(stage.Kind), stage.MaxAttempts, stage.TimeLimit, skip, slices is [var one] && one == run.Window ? null : slices));
            edges.AddRange(stage.After.Select(after => (stage.Name, last[after])));
            last[stage.Name] = stage.Name;
            if (slices.Count > 1)
                last[stage.Name] = AddControl(stage.Name, PublishOf(stage.Name), after: stage.Name, skip: null, window == run.Window ? null : [window]);
        }
        foreach (var stage in workflow.Stages.Where(s => s.Kind == StepKinds.Inference))
        {
            // Outcomes of earlier predictions become known in later runs too, so only a stage that has no part in the run at all goes without.
            // A backtest compares its predictions with what became of them when it is reported.
            var skip = backfill is { Backtest: true } ? Backtest : steps.Single(s => s.Step == stage.Name).SkipReason is { } reason && reason != AlreadyCovered ? reason : null;
            AddControl(stage.Name, OutcomesOf(stage.Name), last[stage.Name], skip);
        }
        return new(steps, edges);

        string AddControl(string stage, string step, string after, string? skip, IReadOnlyList<Window>? window = null)
        {
            steps.Add(new(stage, step, StepKinds.Control, steps.Count, QueueOf(StepKinds.Control), ControlAttempts, null, skip, window));
            edges.Add((step, after));
            return step;
        }
    }

    /// <summary>Where raw data may come late, catch-up computes the recent past once more together with what is new.</summary>
    private static Window WindowOf(WorkflowDefinition workflow, StageDefinition stage, RunRecord run)
    {
        if (!run.CatchUp || stage.LookBack == default)
            return run.Window;
        var from = run.Window.From - stage.LookBack;
        return new(from > workflow.Origin ? from : workflow.Origin, run.Window.To);
    }

    private static string? SkipReason(WorkflowDefinition workflow, StageDefinition stage, RunRecord run, IReadOnlyList<CoverageInterval> coverage)
    {
        if (OwedWindows.SkipOf(stage, run.Mode) is { } otherMode)
            return otherMode;
        if (!run.CatchUp)
            return null;
        if (stage.Kind != StepKinds.Feature && run.Window.To <= OwedWindows.Start(workflow, stage))
            return WarmUp;
        return OwedWindows.Covers(coverage, stage.Name, run.Window) ? AlreadyCovered : null;
    }

    /// <summary>A window of a backfill executes everything that it can, whatever is covered already; one of a backtest computes only features that are not there.</summary>
    private static string? SkipReason(StageDefinition stage, RunRecord run, IReadOnlyList<CoverageInterval> coverage, BackfillTerms backfill) => stage.Kind switch
    {
        StepKinds.Feature when backfill.Backtest && OwedWindows.Covers(coverage, stage.Name, run.Window) => AlreadyCovered,
        StepKinds.Training when !backfill.Train => BackfillWithoutTraining,
        StepKinds.Inference when !backfill.Train && !backfill.Models.Contains(stage.Inference!.Model) => NoModel,
        _ => null,
    };

    private static string QueueOf(string kind) => kind switch
    {
        StepKinds.Feature => "features",
        StepKinds.Training => "training",
        StepKinds.Inference => "inference",
        _ => "control",
    };
}
