using System.Runtime.CompilerServices;
using AiWorkflows;

namespace FlightDelays;

/// <summary>A flight as it is scheduled, at the moment its delay is predicted: one hour before its scheduled departure.</summary>
/// <param name="Hour">Hour of scheduled departure on the clocks of the origin airport.</param>
/// <param name="Distance">Miles.</param>
[FeatureGroup("scheduled_flights", Online = true, Description = "A flight one hour before its scheduled departure; a prediction is made for each.")]
public sealed record ScheduledFlight(
    [EntityKey] long FlightId, [EventTime] DateTime PredictAt,
    [Feature(MaxLength = 3)] string Origin, [Feature(MaxLength = 3)] string Destination,
    [Feature(Description = "Hour of scheduled departure, local to the origin airport.")] byte Hour,
    [Feature(Description = "Miles.")] int Distance);

/// <summary>Writes the flights whose moment of prediction lies in the window. A schedule is known long before.</summary>
public sealed class ScheduledFlightsPipeline(IFlightSource source) : BatchFeaturePipeline<ScheduledFlight>
{
    /// <summary>How long before its scheduled departure a flight is predicted.</summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ScheduledFlight> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var f in source.ReadAsync(window.Shift(Ahead), ct))
            yield return new(f.Id, f.Departure - Ahead, f.Origin, f.Destination, (byte)f.LocalDeparture.Hour, f.Distance);
    }
}
