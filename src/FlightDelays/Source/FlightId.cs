namespace FlightDelays;

/// <summary>
/// Numbers flights so that a flight has the same number whenever and however it is read. The file has no flight number, and date, origin and destination
/// are not unique, so an ordinal tells equal ones apart. The number stays below 2^53, where JavaScript still counts exactly.
/// </summary>
public static class FlightId
{
    /// <summary>Flights of one minute between the same two airports: 0 to 7.</summary>
    public const int LargestOrdinal = 7;

    private const int Letters = 26;
    private const int Airports = Letters * Letters * Letters;
    private static readonly DateTime Origin = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Unspecified);
    private static readonly DateTime End = Origin.AddMinutes((1L << 53) / ((long)Airports * Airports * (LargestOrdinal + 1)) - 1);

    /// <summary>Whether the local time of departure can be numbered: 2001 until 2007.</summary>
    public static bool Covers(DateTime localDeparture) => localDeparture >= Origin && localDeparture < End;

    /// <summary>The number of the flight.</summary>
    /// <param name="localDeparture">To the minute.</param>
    /// <param name="origin">Three letters A to Z.</param>
    /// <param name="destination">Three letters A to Z.</param>
    /// <param name="ordinal">Position among the flights of that minute between the two airports, ordered by all other columns.</param>
    public static long Of(DateTime localDeparture, string origin, string destination, int ordinal) =>
        (((localDeparture - Origin).Ticks / TimeSpan.TicksPerMinute * Airports + Number(origin)) * Airports + Number(destination)) * (LargestOrdinal + 1) + ordinal;

    private static int Number(string code) => ((code[0] - 'A') * Letters + (code[1] - 'A')) * Letters + (code[2] - 'A');
}
