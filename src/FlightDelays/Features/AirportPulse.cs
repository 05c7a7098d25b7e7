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
    public static IEnumerable<FlightEvent> Of(FlightRecord flight) =>
    [
        new(flight.Origin, flight.Id, FlightMove.Departed, flight.Departure, float.NaN),
        new(flight.Destination, flight.Id, FlightMove.Landed, flight.Landing, flight.Delay),
    ];
}

/// <summary>How busy an airport is and how late its flights are, at this moment.</summary>
[FeatureGroup("airport_pulse", Online = true, Description = "Departures and landings of the last sixty minutes, with every event.")]
public sealed record AirportPulse(
    [EntityKey(MaxLength = 3)] string Airport, [EventTime] DateTime At,
    [Feature(Description = "Departures in the last hour.")] int Departed1h,
    [Feature(Description = "Landings in the last hour.")] int Landed1h,
    [Feature(Description = "Mean delay of those that landed, minutes.")] float Delay1h,
    [Feature(Description = "Share of them that was late.")] float Late1h);

/// <summary>Looks back one hour, every five minutes, per airport; a stream feeds it.</summary>
public sealed class AirportPulsePipeline : AggregateFeaturePipeline<FlightEvent, AirportPulse>
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    protected override void Define(AggregationBuilder<FlightEvent, AirportPulse> events) => events
        .By(e => e.Airport).Every(TimeSpan.FromMinutes(5))
        .Select(g => new AirportPulse(Airport: g.Key, At: g.End,
            Departed1h: g.Last(Hour).Count(e => e.Move == FlightMove.Departed),
            Landed1h: g.Last(Hour).Count(e => e.Move == FlightMove.Landed),
            Delay1h: g.Last(Hour).Mean(e => e.Delay),
            Late1h: g.Last(Hour).Share(e => e.Delay > FlightOutcomesPipeline.LateAfter, e => e.Move == FlightMove.Landed)));
}
