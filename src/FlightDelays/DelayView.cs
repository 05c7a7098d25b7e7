using AiWorkflows;

namespace FlightDelays;

/// <summary>What the model sees of a flight one hour before its scheduled departure: hour and distance, how flights at both ends fare up to this moment, and how this route usually fares.</summary>
public sealed record DelayExample(
    float Hour, float Distance,
    float OriginLanded, float OriginOut, float OriginOut3h, float OriginOutLate, float OriginDeparted, float OriginIn, float OriginIn3h, float OriginInLate1h, float OriginInLate,
    float DestOut, float DestOut3h, float DestOutLate, float DestDeparted, float DestIn, float DestIn3h, float DestInLate1h, float DestInLate,
    float RouteHourLate, float RouteDayDelay, float Gap);

/// <summary>Joins, for each flight, the latest rows that were known at that moment; the label is known once it has landed.</summary>
public sealed class DelayView : FeatureView<ScheduledFlight, DelayExample>
{
    /// <inheritdoc/>
    protected override void Define(FeatureViewBuilder<ScheduledFlight, DelayExample> view)
    {
        var lately = TimeSpan.FromHours(6);
        var originOut = view.Join<Departures>(on: (f, d) => f.Origin == d.Airport, maxAge: lately);
        var origin = view.Join<AirportPulse>(on: (f, p) => f.Origin == p.Airport, maxAge: lately);
        var destOut = view.Join<Departures>(on: (f, d) => f.Destination == d.Airport, maxAge: lately);
        var dest = view.Join<AirportPulse>(on: (f, p) => f.Destination == p.Airport, maxAge: lately);
        var routeHour = view.Join<RouteHour>(on: (f, r) => f.Origin == r.From && f.Destination == r.To && f.Hour == r.Hour, maxAge: TimeSpan.FromDays(90));
        var routeDay = view.Join<RouteDay>(on: (f, r) => f.Origin == r.From && f.Destination == r.To, maxAge: TimeSpan.FromDays(2));

        view.Label<FlightOutcome, bool>(on: (f, o) => f.FlightId == o.FlightId, within: TimeSpan.FromHours(36), value: o => o.Delay > FlightOutcomesPipeline.LateAfter);

        view.Select(f => new DelayExample(
            Hour: f.Hour, Distance: f.Distance,
            OriginLanded: originOut.Exists ? originOut.Row.Landed1h : 0,
            OriginOut: originOut.Row.Delay1h, OriginOut3h: originOut.Row.Delay3h, OriginOutLate: originOut.Row.Late3h,
            OriginDeparted: origin.Exists ? origin.Row.Departed1h : 0,
            OriginIn: origin.Row.Delay1h, OriginIn3h: origin.Row.Delay3h, OriginInLate1h: origin.Row.Late1h, OriginInLate: origin.Row.Late3h,
            DestOut: destOut.Row.Delay1h, DestOut3h: destOut.Row.Delay3h, DestOutLate: destOut.Row.Late3h,
            DestDeparted: dest.Exists ? dest.Row.Departed1h : 0,
            DestIn: dest.Row.Delay1h, DestIn3h: dest.Row.Delay3h, DestInLate1h: dest.Row.Late1h, DestInLate: dest.Row.Late3h,
            RouteHourLate: routeHour.Row.Late90d, RouteDayDelay: routeDay.Row.Delay1d,
            Gap: originOut.Row.Late3h - routeHour.Row.Late90d));
    }
}
