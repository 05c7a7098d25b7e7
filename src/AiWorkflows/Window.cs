namespace AiWorkflows;

/// <summary>A half-open interval of event time, <c>[From, To)</c>, in UTC.</summary>
public readonly record struct Window
{
    /// <summary>Creates the window <c>[from, to)</c>.</summary>
    /// <exception cref="ArgumentException">A bound is not UTC, or <paramref name="to"/> lies before <paramref name="from"/>.</exception>
    public Window(DateTime from, DateTime to)
    {
        if (from.Kind != DateTimeKind.Utc || to.Kind != DateTimeKind.Utc)
            throw new ArgumentException($"A window is in UTC; {from:O} is {from.Kind} and {to:O} is {to.Kind}. Use DateTimeKind.Utc.");
        if (to < from)
            throw new ArgumentException($"A window ends at or after its start; {to:O} lies before {from:O}.");
        From = from;
        To = to;
    }

    /// <summary>First instant inside the window, UTC.</summary>
    public DateTime From { get; }

    /// <summary>First instant after the window, UTC.</summary>
    public DateTime To { get; }

    /// <summary>Length of the window.</summary>
    public TimeSpan Length => To - From;

    /// <summary>Whether the window holds no instant.</summary>
    public bool IsEmpty => From >= To;

    /// <summary>Whether <paramref name="time"/> (UTC) lies in <c>[From, To)</c>.</summary>
    public bool Contains(DateTime time) => time >= From && time < To;

    /// <summary>Whether <paramref name="other"/> lies wholly inside this window.</summary>
    public bool Contains(Window other) => other.From >= From && other.To <= To;

    /// <summary>Whether the two windows share an instant.</summary>
    public bool Overlaps(Window other) => From < other.To && other.From < To;

    /// <summary>The window <c>[From - by, To)</c>: what has to be read in order to compute this one.</summary>
    public Window ExtendBack(TimeSpan by) => new(From - by, To);

    /// <summary>The window shifted by <paramref name="by"/> at both ends.</summary>
    public Window Shift(TimeSpan by) => new(From + by, To + by);

    /// <inheritdoc/>
    public override string ToString() => $"[{Timestamps.Display(From)}, {Timestamps.Display(To)})";
}
