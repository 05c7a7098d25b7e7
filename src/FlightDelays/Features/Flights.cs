using System.Runtime.CompilerServices;
using AiWorkflows;

namespace FlightDelays;

/// <summary>A flight at the moment it departs: what predictions are made for.</summary>
/// <param name="Hour">Hour of departure on the clocks of the origin airport.</param>
/// <param name="Distance">Miles.</param>
[FeatureGroup("flights", Description = "A flight at the moment it departs; a prediction is made for each.")]
public sealed record Flight(
    [EntityKey] long FlightId, [EventTime] DateTime DepartedAt,
    [Feature(MaxLength = 3)] string Origin, [Feature(MaxLength = 3)] string Destination,
    [Feature(Description = "Hour of departure, local to the origin airport.")] byte Hour,
    [Feature(Description = "Miles.")] int Distance);

/// <summary>Writes the flights that departed in the window.</summary>
public sealed class FlightsPipeline(IFlightSource source) : BatchFeaturePipeline<Flight>
{
    /// <inheritdoc/>
    public override async IAsyncEnumerable<Flight> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var f in source.ReadAsync(window, ct))
            yield return new(f.Id, f.Departure, f.Origin, f.Destination, (byte)f.LocalDeparture.Hour, f.Distance);
    }
}
