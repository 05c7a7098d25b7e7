using System.Globalization;
using System.Runtime.CompilerServices;
using AiWorkflows;

namespace FlightDelays;

/// <summary>The file of flights as it happened: what the stream of events is replayed from.</summary>
public sealed class FlightHistory(IFlightSource source) : IStreamSource<FlightEvent>
{
    private static readonly DateTime Beginning = new(2000, 12, 31, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime End = new(2001, 7, 4, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Sorted in memory: some ten thousands of events.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromDays(7);

    /// <inheritdoc/>
    public async IAsyncEnumerable<StreamRecord<FlightEvent>> ReadAsync(int part, string? after, [EnumeratorCancellation] CancellationToken ct)
    {
        var number = 0L;
        var read = long.Parse(after ?? "0", CultureInfo.InvariantCulture);
        for (var from = Beginning; from < End; from += AtOnce)
        {
            var window = new Window(from, from + AtOnce);
            var events = new List<FlightEvent>();
            await foreach (var flight in source.ReadAsync(window.ExtendBack(FlightRecord.LongestFlight), ct))
                events.AddRange(FlightEvent.Of(flight).Where(e => window.Contains(e.At)));
            foreach (var e in events.OrderBy(e => e.At).ThenBy(e => e.FlightId).ThenBy(e => e.Move))
                if (++number > read)
                    yield return new(number.ToString(CultureInfo.InvariantCulture), e);
        }
    }
}
