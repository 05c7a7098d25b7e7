using AiWorkflows;

namespace FlightDelays;

/// <summary>How often flights between two airports were late at this hour of the day, over ninety days.</summary>
[FeatureGroup("route_hour", Online = true, Description = "Share of late flights per route and hour of departure, over ninety days.")]
public sealed record RouteHour(
    [EntityKey(MaxLength = 3)] string From, [EntityKey(MaxLength = 3)] string To, [EntityKey] byte Hour, [EventTime] DateTime At,
    [Feature(Description = "Share that was late.")] float Late90d);

/// <summary>Looks back ninety days, every day, per route and hour of departure.</summary>
public sealed class RouteHourPipeline : AggregateFeaturePipeline<FlightOutcome, RouteHour>
{
    /// <inheritdoc/>
    protected override void Define(AggregationBuilder<FlightOutcome, RouteHour> events) => events
        .By(o => new { o.Origin, o.Destination, o.Hour }).Every(TimeSpan.FromDays(1))
        .Select(g => new RouteHour(From: g.Key.Origin, To: g.Key.Destination, Hour: g.Key.Hour, At: g.End,
            Late90d: g.Last(TimeSpan.FromDays(90)).Share(o => o.Delay > FlightOutcomesPipeline.LateAfter)));
}
