using System.Runtime.CompilerServices;
using AiWorkflows;

namespace FlightDelays;

/// <summary>Reads flights from the Parquet file that <c>FlightDelays:Flights</c> names, relative to the application's folder.</summary>
public sealed class FlightSource : IFlightSource
{
    // Local time is UTC plus an offset between these two, everywhere.
    private static readonly TimeSpan SmallestOffset = TimeSpan.FromHours(-12);
    private static readonly TimeSpan LargestOffset = TimeSpan.FromHours(14);

    private readonly string _path;

    /// <summary>Takes the path from the configuration.</summary>
    public FlightSource(IConfiguration configuration)
        : this(configuration["FlightDelays:Flights"] ?? "data/flights-2001-h1-top20.parquet") { }

    internal FlightSource(string path) => _path = Path.GetFullPath(path, AppContext.BaseDirectory);

    /// <inheritdoc/>
    public async IAsyncEnumerable<FlightRecord> ReadAsync(Window window, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var file = await FlightFile.OpenAsync(_path, ct);
        var minute = new FlightsOfMinute(_path);
        var (from, to) = (window.From + SmallestOffset, window.To + LargestOffset);
        for (var group = 0; group < file.RowGroups; group++)
        {
            ct.ThrowIfCancellationRequested();
            if (await file.ReadAsync(group, from, to, ct) is not { } rows)
                continue;
            for (var i = 0; i < rows.Date.Length; i++)
            {
                if (rows.Date[i] is { } date && (date < from || date >= to))
                    continue;
                if (!minute.Holds(rows.Date[i]))
                {
                    foreach (var flight in minute.Number())
                        if (window.Contains(flight.Departure))
                            yield return flight;
                    minute.Clear();
                }
                minute.Add(rows, i);
            }
        }
        foreach (var flight in minute.Number())
            if (window.Contains(flight.Departure))
                yield return flight;
    }
}
