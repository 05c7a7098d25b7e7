using NodaTime;
using NodaTime.TimeZones;

namespace FlightDelays;

/// <summary>The airports of the file and their clocks. NodaTime carries its own time zone database, so that the machine needs none.</summary>
internal sealed class Airports
{
    private static readonly (string Zone, string Codes)[] Zones =
    [
        ("America/New_York", "ATL BOS BWI CLE CLT CVG DCA EWR IAD JFK LGA MCO MIA PHL PIT TPA"),
        ("America/Detroit", "DTW"),
        ("America/Chicago", "BNA DAL DFW HOU IAH MCI MDW MSP ORD STL"),
        ("America/Denver", "DEN SLC"),
        ("America/Phoenix", "PHX"),
        ("America/Los_Angeles", "LAS LAX OAK PDX SAN SEA SFO SJC"),
    ];

    private readonly Dictionary<string, Airport> _byCode = [];
    private readonly Dictionary<string, Airport>.AlternateLookup<ReadOnlySpan<char>> _bySpan;

    public Airports()
    {
        foreach (var (zone, codes) in Zones)
        {
            var clock = new ZoneClock(DateTimeZoneProviders.Tzdb[zone]);
            foreach (var code in codes.Split(' '))
                _byCode[code] = new Airport(code, clock);
        }
        _bySpan = _byCode.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>The airport with this code, or null.</summary>
    public Airport? Find(ReadOnlySpan<char> code) => _bySpan.TryGetValue(code, out var airport) ? airport : null;
}

/// <summary>An airport and its clock.</summary>
internal sealed record Airport(string Code, ZoneClock Clock);

/// <summary>
/// Turns local times into UTC. An hour that occurs twice when clocks are set back is taken as its first occurrence; one that is skipped when they are set
/// forward is moved on by the length of the gap, as a clock that nobody had set forward would show it. Remembers the offset in force, because the rows come in order of time; for one thread.
/// </summary>
internal sealed class ZoneClock(DateTimeZone zone)
{
    private DateTime _from = DateTime.MaxValue;
    private DateTime _to = DateTime.MinValue;
    private TimeSpan _offset;

    public DateTime ToUtc(DateTime local)
    {
        if (local < _from || local >= _to)
            Find(local);
        return new DateTime((local - _offset).Ticks, DateTimeKind.Utc);
    }

    private void Find(DateTime local)
    {
        var zoned = zone.ResolveLocal(LocalDateTime.FromDateTime(local), Resolvers.LenientResolver);
        _offset = local - zoned.ToDateTimeUtc();
        // A day away from both ends of the interval nothing is ambiguous or skipped; nearer, each time is looked up.
        var interval = zoned.GetZoneInterval();
        var from = interval.HasStart ? interval.IsoLocalStart.ToDateTimeUnspecified().AddDays(1) : DateTime.MinValue;
        var to = interval.HasEnd ? interval.IsoLocalEnd.ToDateTimeUnspecified().AddDays(-1) : DateTime.MaxValue;
        (_from, _to) = local >= from && local < to ? (from, to) : (DateTime.MaxValue, DateTime.MinValue);
    }
}
