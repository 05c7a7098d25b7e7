using System.Runtime.CompilerServices;
using AiWorkflows;

namespace FlightDelays;

/// <summary>How late a flight arrived. Its event time is the landing: nobody knew before.</summary>
/// <param name="Hour">Hour of scheduled departure on the clocks of the origin airport.</param>
/// <param name="Delay">Minutes late on arrival; negative is early.</param>
[FeatureGroup("flight_outcomes", Description = "How late a flight arrived, known once it has landed.")]
public sealed record FlightOutcome(
    [EntityKey] long FlightId, [EventTime] DateTime LandedAt,
    [Feature(MaxLength = 3)] string Origin, [Feature(MaxLength = 3)] string Destination,
    [Feature(Description = "Hour of scheduled departure, local to the origin airport.")] byte Hour,
    [Feature(Description = "Minutes late on arrival; negative is early.")] float Delay);

/// <summary>Writes the outcomes of the flights that landed in the window; absurd delays go to quarantine.</summary>
public sealed class FlightOutcomesPipeline(IFlightSource source) : BatchFeaturePipeline<FlightOutcome>
{
    /// <summary>More minutes late than this is late: the definition that the label and all rates share.</summary>
    public const float LateAfter = 15;

    /// <inheritdoc/>
    public override async IAsyncEnumerable<FlightOutcome> ComputeAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var f in source.ReadAsync(window.ExtendBack(FlightRecord.LongestFlight), ct))
            if (window.Contains(f.Landing))
                yield return new(f.Id, f.Landing, f.Origin, f.Destination, (byte)f.LocalDeparture.Hour, f.Delay);
    }

    /// <inheritdoc/>
    protected override void Expect(Expectations<FlightOutcome> e) =>
        e.InRange(o => o.Delay, -90, FlightRecord.LargestDelay, OnViolation.Quarantine);
}
