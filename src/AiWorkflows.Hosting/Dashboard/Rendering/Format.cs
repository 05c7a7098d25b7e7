using System.Globalization;

namespace AiWorkflows.Hosting.Dashboard.Rendering;

/// <summary>Numbers, durations and times as the pages show them; always invariant, always UTC.</summary>
internal static class Format
{
    public static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    public static string Percent(double share) => Number(Math.Clamp(share, 0, 1) * 100, "0") + "%";

    /// <summary>"1 run", "2 runs".</summary>
    public static string Count(long count, string one, string? many = null) => $"{Number(count)} {(count == 1 ? one : many ?? one + "s")}";

    /// <summary>12 ms, 6.4 s, 2 min 29 s, 3 h 5 min, 4 d 2 h.</summary>
    public static string Duration(TimeSpan span)
    {
        var seconds = Math.Max(0, span.TotalSeconds);
        return seconds < 0.995 ? $"{Number(Math.Round(seconds * 1000), "0")} ms"
            : seconds < 59.95 ? Number(seconds, "0.0") + " s"
            : seconds < 3600 ? $"{(int)seconds / 60} min {(int)seconds % 60:00} s"
            : seconds < 172_800 ? $"{(int)(seconds / 3600)} h {(int)seconds % 3600 / 60} min"
            : $"{(int)(seconds / 86_400)} d {(int)(seconds % 86_400 / 3600)} h";
    }

    /// <summary>A span in one unit: 40 s, 15 min, 6 h, 3 d.</summary>
    public static string Coarse(TimeSpan span)
    {
        var seconds = (long)Math.Abs(span.TotalSeconds);
        return seconds < 60 ? $"{seconds} s" : seconds < 3600 ? $"{seconds / 60} min" : seconds < 172_800 ? $"{seconds / 3600} h" : $"{seconds / 86_400} d";
    }

    /// <summary>How a grid is called: "daily windows", "windows of 6 h".</summary>
    public static string Grid(TimeSpan size) =>
        size == TimeSpan.FromDays(1) ? "daily windows" : size == TimeSpan.FromHours(1) ? "hourly windows"
        : size == TimeSpan.FromDays(7) ? "weekly windows" : $"windows of {Coarse(size)}";

    /// <summary>One cell by its start; several by first and last instant.</summary>
    public static string Window(DateTime from, DateTime to, TimeSpan? cell = null) =>
        to - from == (cell ?? TimeSpan.FromDays(1)) ? Timestamps.Display(from) : $"{Timestamps.Display(from)} to {Timestamps.Display(to)}";

    public static string Seconds(DateTime time) => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";

    public static string Clock(DateTime time) => time.ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Millis(DateTime time) => time.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    /// <summary>A code version short enough to read; the whole stands in the tip.</summary>
    public static string Code(string version) => version.Length > 12 ? version[..12] : version;

    /// <summary>Machine and process; the engine's mark behind them is for machines.</summary>
    public static string Host(string host) => Shorten(host.Split(':') is [var machine, var process, _] ? $"{machine}:{process}" : host, 28);

    public static string Shorten(string text, int length) => text.Length > length ? text[..(length - 1)] + "…" : text;

    public static string FirstLine(string text) => text.AsSpan().IndexOfAny('\r', '\n') is var end and >= 0 ? text[..end] : text;
}
