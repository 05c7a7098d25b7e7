using AiWorkflows;

namespace FlightDelays;

/// <summary>How the flights between two airports fared over the last day.</summary>
[FeatureGroup("route_day", Online = true, Description = "Mean delay per route over the last 24 hours.")]
public sealed record RouteDay(
    [EntityKey(MaxLength = 3)] string From, [EntityKey(MaxLength = 3)] string To, [EventTime] DateTime At,
    [Feature(Description = "Mean delay, minutes.")] float Delay1d);

/// <summary>Looks back one day, every six hours, per route.</summary>
public sealed class RouteDayPipeline : AggregateFeaturePipeline<FlightOutcome, RouteDay>
{
    /// <inheritdoc/>
    protected override void Define(AggregationBuilder<FlightOutcome, RouteDay> events) => events
        .By(o => new { o.Origin, o.Destination }).Every(TimeSpan.FromHours(6))
        .Select(g => new RouteDay(From: g.Key.Origin, To: g.Key.Destination, At: g.End,
            Delay1d: g.Last(TimeSpan.FromDays(1)).Mean(o => o.Delay)));
}
