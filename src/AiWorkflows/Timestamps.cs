using System.Globalization;

namespace AiWorkflows;

/// <summary>The one place that turns instants into the stores' unit, microseconds since 1970 in UTC, and into text.</summary>
internal static class Timestamps
{
    private const long UnixEpochMicros = 62_135_596_800_000_000;

    /// <summary>Microseconds since 1970; anything finer is cut off. The caller has made sure that <paramref name="time"/> is UTC.</summary>
    public static long ToMicros(DateTime time) => time.Ticks / TimeSpan.TicksPerMicrosecond - UnixEpochMicros;

    public static long ToMicros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTime FromMicros(long micros) => new((micros + UnixEpochMicros) * TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);

    public static DateTime? FromMicros(long? micros) => micros is { } value ? FromMicros(value) : null;

    public static TimeSpan SpanFromMicros(long micros) => new(micros * TimeSpan.TicksPerMicrosecond);

    /// <summary>ISO-8601 with a Z and no more digits than the value has: what JSON and the command line print.</summary>
    public static string Iso(DateTime time) => time.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>Short form for people: no time of day at midnight, no seconds where they are zero. Always UTC.</summary>
    public static string Display(DateTime time) => time.ToString(
        time.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : time.TimeOfDay.Ticks % TimeSpan.TicksPerMinute == 0 ? "yyyy-MM-dd HH:mm" : "yyyy-MM-dd HH:mm:ss.FFFFFF",
        CultureInfo.InvariantCulture);
}
