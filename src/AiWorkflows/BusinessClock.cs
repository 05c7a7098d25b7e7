namespace AiWorkflows;

/// <summary>
/// The clock that decides which windows are owed and what "now" means to pipelines: the system's, or one that stands at an instant
/// (<c>AiWorkflows:Clock</c>), so that history can be worked through as if it were today. Leases, logs and publications never use it.
/// </summary>
public sealed class BusinessClock : TimeProvider
{
    private readonly TimeProvider _system;
    private long _standingAt;

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
    public bool Stands => Volatile.Read(ref _standingAt) >= 0;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() =>
        Volatile.Read(ref _standingAt) is >= 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : _system.GetUtcNow();

    /// <summary>Moves a standing clock.</summary>
    internal void MoveTo(DateTime instant) => Volatile.Write(ref _standingAt, instant.Ticks);
}
