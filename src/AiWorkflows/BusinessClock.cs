namespace AiWorkflows;

/// <summary>
/// The clock that decides which windows are owed and what "now" means to pipelines: the system's, one that stands at an instant
/// (<c>AiWorkflows:Clock</c>), or one that runs through history faster than time (<c>serve --replay</c>), so that history can be worked through as if it
/// were today. Leases, logs and publications never use it.
/// </summary>
public sealed class BusinessClock : TimeProvider
{
    private readonly TimeProvider _system;
    private long _standingAt;
    private Course? _course;

    /// <summary>Creates the clock.</summary>
    /// <param name="standingAt">The instant (UTC) at which the clock stands; null for the system's time.</param>
    /// <param name="system">The system's clock.</param>
    public BusinessClock(DateTime? standingAt, TimeProvider system)
    {
        ArgumentNullException.ThrowIfNull(system);
        if (standingAt is { Kind: not DateTimeKind.Utc })
            throw new ArgumentException($"A business clock stands at an instant in UTC; {standingAt:O} is {standingAt.Value.Kind}.", nameof(standingAt));
        _system = system;
        _standingAt = standingAt?.Ticks ?? -1;
    }

    /// <summary>Whether the clock stands at an instant instead of going with the system's.</summary>
    public bool Stands => Running is null && Volatile.Read(ref _standingAt) >= 0;

    /// <summary>How many seconds pass on this clock in one of the system's, while it runs through history; else null.</summary>
    internal double? Speed => Running?.Speed;

    private Course? Running => Volatile.Read(ref _course);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        if (Running is { } course)
            return course.At(_system.GetElapsedTime(course.Started));
        return Volatile.Read(ref _standingAt) is >= 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : _system.GetUtcNow();
    }

    /// <summary>Moves a standing clock.</summary>
    internal void MoveTo(DateTime instant) => Volatile.Write(ref _standingAt, instant.Ticks);

    /// <summary>Lets the clock run from an instant on, faster than time, to another at which it stops.</summary>
    internal void Run(DateTime from, double speed, DateTime until) => Volatile.Write(ref _course, new(from, speed, until, _system.GetTimestamp()));

    /// <summary>How long it takes in real time until this clock shows the instant; zero where it does already, null where it never will.</summary>
    internal TimeSpan? RealTimeTo(DateTime instant)
    {
        var left = instant - GetUtcNow().UtcDateTime;
        if (left <= TimeSpan.Zero)
            return TimeSpan.Zero;
        return Running is { } course && instant <= course.Until ? left / course.Speed : null;
    }

    private sealed record Course(DateTime From, double Speed, DateTime Until, long Started)
    {
        public DateTime At(TimeSpan elapsed)
        {
            // As numbers: a day of real time at full speed is more than a TimeSpan could take.
            var passed = elapsed.Ticks * Speed;
            return passed < (Until - From).Ticks ? From.AddTicks((long)passed) : Until;
        }
    }
}
