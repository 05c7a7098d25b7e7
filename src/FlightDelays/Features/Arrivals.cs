using AiWorkflows;

namespace FlightDelays;

/// <summary>How the flights fared that have landed at an airport.</summary>
[FeatureGroup("arrivals", Online = true, Description = "Flights that landed at an airport in the last hours.")]
public sealed record Arrivals(
    [EntityKey(MaxLength = 3)] string Airport, [EventTime] DateTime At,
    [Feature(Description = "Mean delay over one hour, minutes.")] float Delay1h,
    [Feature(Description = "Mean delay over three hours, minutes.")] float Delay3h,
    [Feature(Description = "Share that was late over three hours.")] float Late3h);

/// <summary>Looks back one and three hours, every quarter of an hour, per destination.</summary>
public sealed class ArrivalsPipeline : AggregateFeaturePipeline<FlightOutcome, Arrivals>
{
    /// <inheritdoc/>
    protected override void Define(AggregationBuilder<FlightOutcome, Arrivals> events) => events
        .By(o => o.Destination).Every(TimeSpan.FromMinutes(15))
        .Select(g => new Arrivals(Airport: g.Key, At: g.End,
            Delay1h: g.Last(TimeSpan.FromHours(1)).Mean(o => o.Delay),
            Delay3h: g.Last(TimeSpan.FromHours(3)).Mean(o => o.Delay),
            Late3h: g.Last(TimeSpan.FromHours(3)).Share(o => o.Delay > FlightOutcomesPipeline.LateAfter)));
}
