using AiWorkflows;

namespace FlightDelays;

/// <summary>How busy an airport is and how late its flights are, at this moment.</summary>
[FeatureGroup("airport_pulse", Online = true, Description = "Departures and landings at an airport in the last hours, up to this moment.")]
public sealed record AirportPulse(
    [EntityKey(MaxLength = 3)] string Airport, [EventTime] DateTime At,
    [Feature(Description = "Departures in the last hour.")] int Departed1h,
    [Feature(Description = "Landings in the last hour.")] int Landed1h,
    [Feature(Description = "Mean delay of those that landed, minutes.")] float Delay1h,
    [Feature(Description = "Share of them that was late.")] float Late1h,
    [Feature(Description = "Mean delay over three hours, minutes.")] float Delay3h,
    [Feature(Description = "Share that was late over three hours.")] float Late3h);

/// <summary>Looks back one and three hours, every quarter of an hour, per airport. A stream feeds it as flights depart and land; the workflow computes history, and what the stream has left out.</summary>
public sealed class AirportPulsePipeline : AggregateFeaturePipeline<FlightEvent, AirportPulse>
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan ThreeHours = TimeSpan.FromHours(3);

    /// <inheritdoc/>
    protected override void Define(AggregationBuilder<FlightEvent, AirportPulse> events) => events
        .By(e => e.Airport).Every(TimeSpan.FromMinutes(15))
        .Select(g => new AirportPulse(Airport: g.Key, At: g.End,
            Departed1h: g.Last(Hour).Count(e => e.Move == FlightMove.Departed),
            Landed1h: g.Last(Hour).Count(e => e.Move == FlightMove.Landed),
            Delay1h: g.Last(Hour).Mean(e => e.Delay),
            Late1h: g.Last(Hour).Share(e => e.Delay > FlightOutcomesPipeline.LateAfter, e => e.Move == FlightMove.Landed),
            Delay3h: g.Last(ThreeHours).Mean(e => e.Delay),
            Late3h: g.Last(ThreeHours).Share(e => e.Delay > FlightOutcomesPipeline.LateAfter, e => e.Move == FlightMove.Landed)));
}
