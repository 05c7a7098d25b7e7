using System.Runtime.CompilerServices;
using AiWorkflows;

namespace FlightDelays;

/// <summary>What a flight does at an airport.</summary>
public enum FlightMove
{
    /// <summary>It was scheduled to leave.</summary>
    Departed,

    /// <summary>It has landed, so its delay is known.</summary>
    Landed,
}

/// <summary>Something that happened to a flight at an airport: what a stream brings as it happens.</summary>
/// <param name="Delay">Minutes late on arrival; missing for a departure, of which it is not known yet.</param>
[FeatureGroup("flight_events", Description = "Departures and landings as they happen.")]
public sealed record FlightEvent(
    [EntityKey(MaxLength = 3)] string Airport, [EntityKey] long FlightId, [EntityKey] FlightMove Move, [EventTime] DateTime At,
    [Feature(Description = "Minutes late on arrival.")] float Delay)
{
    /// <summary>Both events of a flight.</summary>
    public static IEnumerable<FlightEvent> Of(FlightRecord flight) => [Departure(flight), Landing(flight)];

    /// <summary>The one at its origin.</summary>
    public static FlightEvent Departure(FlightRecord flight) => new(flight.Origin, flight.Id, FlightMove.Departed, flight.Departure, float.NaN);

    /// <summary>The one at its destination.</summary>
    public static FlightEvent Landing(FlightRecord flight) => new(flight.Destination, flight.Id, FlightMove.Landed, flight.Landing, flight.Delay);
}

/// <summary>Writes what happened in the window: the history of the stream. Absurd delays go to quarantine, whether they come in a file or as an event.</summary>
public sealed class FlightEventsPipeline(IFlightSource source) : BatchFeaturePipeline<FlightEvent>
{
    /// <inheritdoc/>
    public override async IAsyncEnumerable<FlightEvent> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var f in source.ReadAsync(window.ExtendBack(FlightRecord.LongestFlight), ct))
        {
            if (window.Contains(f.Departure))
                yield return FlightEvent.Departure(f);
            if (window.Contains(f.Landing))
                yield return FlightEvent.Landing(f);
        }
    }

    /// <inheritdoc/>
    protected override void Expect(Expectations<FlightEvent> e) =>
        e.InRange(o => o.Delay, -90, FlightRecord.LargestDelay, OnViolation.Quarantine);
}
