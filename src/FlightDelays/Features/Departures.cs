using AiWorkflows;

namespace FlightDelays;

/// <summary>How the flights fared that left an airport and have landed by now.</summary>
[FeatureGroup("departures", Online = true, Description = "Flights from an airport that landed in the last hours.")]
public sealed record Departures(
    [EntityKey(MaxLength = 3)] string Airport, [EventTime] DateTime At,
    [Feature(Description = "Flights that landed in the last hour.")] int Landed1h,
    [Feature(Description = "Their mean delay, minutes.")] float Delay1h,
    [Feature(Description = "Mean delay over three hours, minutes.")] float Delay3h,
    [Feature(Description = "Share that was late over three hours.")] float Late3h);

/// <summary>Looks back one and three hours, every quarter of an hour, per origin.</summary>
public sealed class DeparturesPipeline : AggregateFeaturePipeline<FlightOutcome, Departures>
{
    /// <inheritdoc/>
    protected override void Define(AggregationBuilder<FlightOutcome, Departures> events) => events
        .By(o => o.Origin).Every(TimeSpan.FromMinutes(15))
        .Select(g => new Departures(Airport: g.Key, At: g.End,
            Landed1h: g.Last(TimeSpan.FromHours(1)).Count(),
            Delay1h: g.Last(TimeSpan.FromHours(1)).Mean(o => o.Delay),
            Delay3h: g.Last(TimeSpan.FromHours(3)).Mean(o => o.Delay),
            Late3h: g.Last(TimeSpan.FromHours(3)).Share(o => o.Delay > FlightOutcomesPipeline.LateAfter)));
}
