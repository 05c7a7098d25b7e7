using AiWorkflows;

namespace FlightDelays;

/// <summary>One flight as the raw file has it, with its scheduled time of departure in UTC.</summary>
/// <param name="Id">Stable and unique: see <see cref="FlightId"/>.</param>
/// <param name="Departure">Scheduled departure, UTC.</param>
/// <param name="LocalDeparture">The same on the clocks of the origin airport.</param>
/// <param name="Distance">Miles.</param>
/// <param name="Delay">Minutes late on arrival, known only after landing; negative is early.</param>
public readonly record struct FlightRecord(
    long Id, DateTime Departure, DateTime LocalDeparture, string Origin, string Destination, int Distance, int Delay)
{
    /// <summary>The largest delay that is believed, in minutes.</summary>
    public const int LargestDelay = 1500;

    /// <summary>The largest distance that is accepted, in miles.</summary>
    public const int LargestDistance = 4500;

    /// <summary>
    /// When the delay was known, UTC. The file has no time of arrival: the flight time is estimated from the distance (450 miles an hour and half an
    /// hour on the ground), and all of the delay is added although part of it was lost before departure. So an outcome counts as known rather too late than too early.
    /// </summary>
    public DateTime Landing => Departure.AddMinutes(30 + Math.Ceiling(Distance / 7.5) + Math.Clamp(Delay, 0, LargestDelay));

    /// <summary>The longest time between departure and <see cref="Landing"/>: 35.5 hours.</summary>
    public static TimeSpan LongestFlight => TimeSpan.FromMinutes(30 + LargestDistance / 7.5 + LargestDelay);
}

/// <summary>Where flights come from.</summary>
public interface IFlightSource
{
    /// <summary>The flights that departed in <paramref name="window"/> (UTC), ordered by local time of departure.</summary>
    /// <exception cref="StageFailedException">The file is missing, damaged, or not what it should be.</exception>
    IAsyncEnumerable<FlightRecord> ReadAsync(Window window, CancellationToken ct);
}
