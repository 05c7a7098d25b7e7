namespace AiWorkflows.Workflows;

/// <summary>A feature pipeline as its inputs may reopen it.</summary>
/// <param name="Groups">Names and versions of the groups that it reads.</param>
/// <param name="Lookback">How far before a row's event time it reads.</param>
internal sealed record ReadingPipeline(string Pipeline, IReadOnlyList<(string Group, int Version)> Groups, TimeSpan Lookback, WindowGrid Grid);

/// <summary>A day of event time that a commit has touched.</summary>
internal readonly record struct TouchedDay(DateTime Day, long Seq);

/// <summary>A window that a pipeline has covered, reading its inputs as of a sequence.</summary>
internal readonly record struct SeenWindow(Window Window, long AsOfSeq);

/// <summary>A cell whose input a later commit has changed.</summary>
internal readonly record struct ReopenedCell(Window Window, long Seq);

/// <summary>Finds the cells that have been computed from rows that are not the current ones any more.</summary>
internal static class LateInput
{
    /// <summary>
    /// The covered cells that a commit has touched which none of their computations has seen, in order of time. A changed row reaches as far forward as the pipeline looks back.
    /// </summary>
    public static IReadOnlyList<ReopenedCell> Cells(IReadOnlyList<SeenWindow> covered, IReadOnlyList<TouchedDay> touched, TimeSpan lookback, WindowGrid grid)
    {
        if (covered.Count == 0 || touched.Count == 0)
            return [];
        var (first, end) = (covered.Min(c => c.Window.From), covered.Max(c => c.Window.To));
        var changed = new SortedDictionary<DateTime, long>();
        foreach (var day in touched.GroupBy(t => t.Day).Select(g => new TouchedDay(g.Key, g.Max(t => t.Seq))))
        {
            var to = Earlier(day.Day.AddDays(1) + lookback, end);
            for (var cell = grid.Floor(Later(day.Day, first)); cell < to; cell += grid.Size)
                changed[cell] = Math.Max(changed.GetValueOrDefault(cell), day.Seq);
        }
        var seen = new Dictionary<DateTime, long>();
        foreach (var (window, asOf) in covered)
            for (var cell = grid.Ceiling(window.From); cell + grid.Size <= window.To; cell += grid.Size)
                if (changed.ContainsKey(cell))
                    seen[cell] = Math.Max(seen.GetValueOrDefault(cell), asOf);
        return [.. changed.Where(c => seen.TryGetValue(c.Key, out var asOf) && asOf < c.Value).Select(c => new ReopenedCell(new(c.Key, c.Key + grid.Size), c.Value))];
    }

    private static DateTime Earlier(DateTime a, DateTime b) => a < b ? a : b;

    private static DateTime Later(DateTime a, DateTime b) => a > b ? a : b;
}

internal partial interface ILedger
{
    /// <summary>Looks at what was published since it looked last, and reopens the cells that were computed from it before; returns how many.</summary>
    Task<int> ReopenAsync(string workflow, IReadOnlyList<ReadingPipeline> pipelines, CancellationToken ct);
}
