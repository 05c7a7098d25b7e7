namespace AiWorkflows.Workflows;

/// <summary>Cuts the window of a run into the slices of a partitioned stage: contiguous, without a gap, none of them empty.</summary>
internal static class Slices
{
    /// <summary>How many units a slice should have at least, so that slices of whole units are about equally long.</summary>
    private const int UnitsPerSlice = 4;

    private static readonly TimeSpan[] NaturalUnits = [TimeSpan.FromDays(1), TimeSpan.FromHours(1), TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1)];

    /// <summary>The slices of a stage, in the order of time; one, the whole window, where it is too short to be cut.</summary>
    public static IReadOnlyList<Window> Of(WorkflowDefinition workflow, StageDefinition stage, Window window)
    {
        if (stage.Partitions == 1)
            return [window];
        if (stage.Feature is { SliceUnit: { } unit })
            return Cut(window, stage.Partitions, unit, default);
        // What a pipeline in plain C# gives for half a cell is anybody's guess; scoring looks at one row at a time.
        return stage.Kind == StepKinds.Feature ? Cut(window, stage.Partitions, workflow.WindowSize, workflow.Origin) : Cut(window, stage.Partitions, NaturalUnit(window, stage.Partitions), default);
    }

    /// <summary>At most <paramref name="count"/> slices, cut at multiples of <paramref name="unit"/> from <paramref name="origin"/> on.</summary>
    public static IReadOnlyList<Window> Cut(Window window, int count, TimeSpan unit, DateTime origin)
    {
        var grid = new WindowGrid(unit, DateTime.SpecifyKind(origin, DateTimeKind.Utc));
        var slices = new List<Window>();
        var from = window.From;
        for (var i = 1; i <= count; i++)
        {
            var to = i == count ? window.To : grid.Floor(window.From + TimeSpan.FromTicks((long)((Int128)window.Length.Ticks * i / count)));
            if (to <= from)
                continue;
            slices.Add(new(from, to));
            from = to;
        }
        return slices;
    }

    private static TimeSpan NaturalUnit(Window window, int count) =>
        NaturalUnits.FirstOrDefault(unit => window.Length >= unit * count * UnitsPerSlice, NaturalUnits[^1]);
}
