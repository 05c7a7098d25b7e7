using Cronos;

namespace AiWorkflows.Workflows;

/// <summary>A stretch of grid cells that the same pipelines owe.</summary>
/// <param name="Pipelines">Names of the pipelines that have not covered it, in the order of the workflow.</param>
internal sealed record OwedWindow(Window Window, IReadOnlyList<string> Pipelines);

/// <summary>Computes from coverage which closed grid cells a workflow still owes.</summary>
internal static class OwedWindows
{
    /// <summary>
    /// All owed stretches in the order of time, each as long as its cells are owed by the same pipelines; a stretch never crosses the warm-up.
    /// A cell that is covered only in part counts as owed.
    /// </summary>
    public static IReadOnlyList<OwedWindow> Find(WorkflowDefinition workflow, string mode, IReadOnlyList<CoverageInterval> coverage, DateTime now)
    {
        var grid = WindowGrid.Of(workflow);
        var end = grid.Floor(workflow.Until is { } until && until < now ? until : now);
        if (end <= workflow.Origin)
            return [];

        var covered = coverage.Where(c => !c.Reopened).ToLookup(c => c.Pipeline, c => c.Window);
        var reopened = coverage.Where(c => c.Reopened).ToLookup(c => c.Pipeline, c => c.Window);
        var owed = workflow.Stages
            .Where(s => SkipOf(s, mode) is null)
            .Select(s => (s.Name, Owed: Subtract(new Window(Earliest(Start(workflow, s), end), end), Without(Merge(covered[s.Name]), Merge(reopened[s.Name])), grid)))
            .ToArray();

        var lines = owed.SelectMany(p => p.Owed).SelectMany(w => new[] { w.From, w.To });
        if (workflow.WarmUpUntil is { } warmUp)
            lines = lines.Append(warmUp);
        var result = new List<OwedWindow>();
        var cuts = lines.Distinct().Order().ToArray();
        for (var i = 0; i + 1 < cuts.Length; i++)
        {
            var piece = new Window(cuts[i], cuts[i + 1]);
            string[] pipelines = [.. owed.Where(p => p.Owed.Any(w => w.Contains(piece))).Select(p => p.Name)];
            if (pipelines.Length == 0)
                continue;
            if (result.Count > 0 && result[^1] is var last && last.Window.To == piece.From && piece.From != workflow.WarmUpUntil && last.Pipelines.SequenceEqual(pipelines))
                result[^1] = last with { Window = new(last.Window.From, piece.To) };
            else
                result.Add(new(piece, pipelines));
        }
        return result;
    }

    /// <summary>The one window that catch-up requests next; null where nothing is owed.</summary>
    /// <param name="isTick">Whether a schedule asks.</param>
    public static OwedWindow? Next(WorkflowDefinition workflow, string mode, IReadOnlyList<CoverageInterval> coverage, DateTime now, bool isTick = false)
    {
        var owed = Find(workflow, mode, coverage, now);
        if (owed.Count == 0)
            return null;
        var grid = WindowGrid.Of(workflow);
        switch (workflow.CatchUp)
        {
            case CatchUpPolicy.EachWindow:
                return owed[0] with { Window = new(owed[0].Window.From, owed[0].Window.From + grid.Size) };
            case CatchUpPolicy.Latest or CatchUpPolicy.None:
                var end = grid.Floor(workflow.Until is { } until && until < now ? until : now);
                if (owed[^1].Window.To == end && (!isTick || workflow.CatchUp == CatchUpPolicy.Latest || end > TickBefore(workflow, now)))
                    return owed[^1] with { Window = new(end - grid.Size, end) };
                // What was left out stays out; what was done and has changed since is no catch-up.
                var missed = Find(workflow, mode, IgnoringReopened(coverage), now);
                return Find(workflow, mode, [.. coverage, .. missed.SelectMany(m => m.Pipelines.Select(p => new CoverageInterval(p, m.Window)))], now) is [var reopened, ..] ? reopened : null;
            default:
                return owed[0];
        }
    }

    /// <summary>When the tick before the present one was due; what had ended by then was its affair.</summary>
    private static DateTime TickBefore(WorkflowDefinition workflow, DateTime now)
    {
        if (workflow.Cron is null)
            return now;
        var cron = CronExpression.Parse(workflow.Cron);
        // Whatever the schedule, two ticks lie within this span, or there was none before.
        var ticks = new[] { TimeSpan.FromDays(3), TimeSpan.FromDays(62), TimeSpan.FromDays(366 * 9) }
            .Select(span => cron.GetOccurrences(now - span, now, fromInclusive: true, toInclusive: true).ToArray()).FirstOrDefault(t => t.Length > 1) ?? [];
        return ticks.Length > 1 ? ticks[^2] : DateTime.MinValue;
    }

    /// <summary>The start from which a stage owes cells, and from which its watermark counts.</summary>
    public static DateTime Start(WorkflowDefinition workflow, StageDefinition stage) =>
        stage.Kind != StepKinds.Feature && workflow.WarmUpUntil is { } warmUp && warmUp > workflow.Origin ? warmUp : workflow.Origin;

    /// <summary>Why a stage has no part in a mode; null where it has.</summary>
    public static string? SkipOf(StageDefinition stage, string mode) => (mode, stage.Kind) switch
    {
        (RunModes.MonolithTrain, StepKinds.Inference) => "monolith train",
        (RunModes.MonolithInfer, StepKinds.Training) => "monolith infer",
        _ => null,
    };

    /// <summary>Whether the pipeline has covered the whole window.</summary>
    public static bool Covers(IReadOnlyList<CoverageInterval> coverage, string pipeline, Window window) =>
        Merge(coverage.Where(c => c.Pipeline == pipeline && !c.Reopened).Select(c => c.Window)).Any(w => w.Contains(window))
        && !coverage.Any(c => c.Pipeline == pipeline && c.Reopened && c.Window.Overlaps(window));

    /// <summary>The coverage as if nothing had been reopened.</summary>
    public static IReadOnlyList<CoverageInterval> IgnoringReopened(IReadOnlyList<CoverageInterval> coverage) => [.. coverage.Where(c => !c.Reopened)];

    /// <summary>What is left of <paramref name="windows"/> outside of <paramref name="holes"/>; both are merged and in order.</summary>
    private static List<Window> Without(List<Window> windows, List<Window> holes)
    {
        if (holes.Count == 0)
            return windows;
        var rest = new List<Window>();
        foreach (var window in windows)
        {
            var from = window.From;
            foreach (var hole in holes.Where(h => h.Overlaps(window)))
            {
                if (hole.From > from)
                    rest.Add(new(from, hole.From));
                from = hole.To > from ? hole.To : from;
            }
            if (from < window.To)
                rest.Add(new(from, window.To));
        }
        return rest;
    }

    private static List<Window> Merge(IEnumerable<Window> windows)
    {
        var merged = new List<Window>();
        foreach (var window in windows.Where(w => !w.IsEmpty).OrderBy(w => w.From))
            if (merged.Count > 0 && window.From <= merged[^1].To)
                merged[^1] = new(merged[^1].From, window.To > merged[^1].To ? window.To : merged[^1].To);
            else
                merged.Add(window);
        return merged;
    }

    /// <summary>What of <paramref name="all"/> lies in no cell that is covered as a whole; <paramref name="covered"/> is merged and in order.</summary>
    private static List<Window> Subtract(Window all, List<Window> covered, WindowGrid grid)
    {
        var rest = new List<Window>();
        var from = all.From;
        foreach (var window in covered)
        {
            var (start, end) = (grid.Ceiling(window.From), Earliest(grid.Floor(window.To), all.To));
            if (end <= start || end <= from)
                continue;
            if (start > from)
                rest.Add(new(from, Earliest(start, all.To)));
            from = end;
        }
        if (from < all.To)
            rest.Add(new(from, all.To));
        return [.. rest.Where(w => !w.IsEmpty)];
    }

    private static DateTime Earliest(DateTime a, DateTime b) => a < b ? a : b;
}
