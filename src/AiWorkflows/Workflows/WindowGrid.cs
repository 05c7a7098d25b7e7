namespace AiWorkflows.Workflows;

/// <summary>The fixed grid of a workflow: cells of one size, one of which starts at the origin. Windows start and end on it.</summary>
internal readonly record struct WindowGrid(TimeSpan Size, DateTime Origin)
{
    public static WindowGrid Of(WorkflowDefinition workflow) => new(workflow.WindowSize, workflow.Origin);

    /// <summary>The last grid line at or before <paramref name="time"/>.</summary>
    public DateTime Floor(DateTime time)
    {
        var offset = (time - Origin).Ticks % Size.Ticks;
        return time.AddTicks(offset < 0 ? -(offset + Size.Ticks) : -offset);
    }

    /// <summary>The first grid line at or after <paramref name="time"/>.</summary>
    public DateTime Ceiling(DateTime time) => Floor(time) is var floor && floor == time ? time : floor + Size;

    public bool IsAligned(DateTime time) => Floor(time) == time;

    /// <summary>The window that somebody asked for, if it lies on the grid.</summary>
    /// <exception cref="InvalidRequestException">A bound is local time or off the grid, or the window is reversed or empty; the message says which bounds are near.</exception>
    public Window Require(string workflow, DateTime from, DateTime to)
    {
        if (from.Kind != DateTimeKind.Utc || to.Kind != DateTimeKind.Utc)
            throw new InvalidRequestException($"Windows are in UTC; write the bounds of {workflow} as 2001-06-01 or 2001-06-01T00:00:00Z.");
        if (to <= from)
            throw new InvalidRequestException(
                $"The window ends at {Timestamps.Display(to)}, which is not after its start {Timestamps.Display(from)}; swap --from and --to, or move one.");
        if (!IsAligned(from) || !IsAligned(to))
        {
            var (inner, outer) = ((From: Ceiling(from), To: Floor(to)), (From: Floor(from), To: Ceiling(to)));
            throw new InvalidRequestException(
                $"Windows of {workflow} are made of cells of {DescribeSize()} from {Timestamps.Display(Origin)} on; [{Timestamps.Display(from)}, {Timestamps.Display(to)}) is not. "
                + $"Nearest: --from {Timestamps.Iso(outer.From)} --to {Timestamps.Iso(outer.To)}"
                + (inner.From < inner.To ? $" or --from {Timestamps.Iso(inner.From)} --to {Timestamps.Iso(inner.To)}." : "."));
        }
        return new Window(from, to);
    }

    public string DescribeSize() =>
        Size.Ticks % TimeSpan.TicksPerDay == 0 ? Plural(Size.Ticks / TimeSpan.TicksPerDay, "day")
        : Size.Ticks % TimeSpan.TicksPerHour == 0 ? Plural(Size.Ticks / TimeSpan.TicksPerHour, "hour")
        : Size.Ticks % TimeSpan.TicksPerMinute == 0 ? Plural(Size.Ticks / TimeSpan.TicksPerMinute, "minute")
        : Size.ToString();

    private static string Plural(long n, string unit) => n == 1 ? $"one {unit}" : $"{n} {unit}s";
}
