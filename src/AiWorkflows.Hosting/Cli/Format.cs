using System.Globalization;
using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Values as people read them.</summary>
internal static class Format
{
    public static string Count(long n) => n.ToString("N0", CultureInfo.InvariantCulture);

    public static string Count(long n, string unit) => $"{Count(n)} {unit}{(n == 1 ? "" : "s")}";

    /// <summary>Three digits after the point: what metrics are compared by.</summary>
    public static string Metric(double? value) => value is { } v && double.IsFinite(v) ? v.ToString("0.000", CultureInfo.InvariantCulture) : "-";

    public static string Share(double? value) => value is { } v && double.IsFinite(v) ? v.ToString("0.0%", CultureInfo.InvariantCulture) : "-";

    public static string Seconds(double? seconds) => seconds switch
    {
        null => "-",
        < 10 => seconds.Value.ToString("0.0 s", CultureInfo.InvariantCulture),
        < 120 => seconds.Value.ToString("0 s", CultureInfo.InvariantCulture),
        < 7200 => (seconds.Value / 60).ToString("0 min", CultureInfo.InvariantCulture),
        _ => (seconds.Value / 3600).ToString("0.0 h", CultureInfo.InvariantCulture),
    };

    public static string Time(Utc? time) => time?.ToString() ?? "-";

    /// <summary>Real time: to the second.</summary>
    public static string Moment(Utc? time) => time is { } t ? t.Value.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "-";

    public static string Window(Utc from, Utc to) => $"[{from}, {to})";

    public static string Age(TimeSpan age) => age switch
    {
        { TotalHours: < 1 } => age.TotalMinutes.ToString("0.#' min'", CultureInfo.InvariantCulture),
        { TotalDays: < 2 } => age.TotalHours.ToString("0.#' h'", CultureInfo.InvariantCulture),
        _ => age.TotalDays.ToString("0.#' d'", CultureInfo.InvariantCulture),
    };

    public static string Bytes(long bytes) => bytes switch
    {
        < 1024 => $"{bytes} bytes",
        < 1024 * 1024 => (bytes / 1024d).ToString("0.0 KB", CultureInfo.InvariantCulture),
        < 1024 * 1024 * 1024 => (bytes / 1048576d).ToString("0.0 MB", CultureInfo.InvariantCulture),
        _ => (bytes / 1073741824d).ToString("0.00 GB", CultureInfo.InvariantCulture),
    };

    /// <summary>Any value of a feature, a query or a column; "-" for what is missing.</summary>
    public static string Value(object? value) => value switch
    {
        null => "-",
        float f => float.IsFinite(f) ? f.ToString("G6", CultureInfo.InvariantCulture) : "-",
        double d => double.IsFinite(d) ? d.ToString("G9", CultureInfo.InvariantCulture) : "-",
        bool b => b ? "true" : "false",
        DateTime t => Timestamps.Display(t),
        float[] vector => $"[{string.Join(", ", vector.Take(8).Select(v => Value(v)))}{(vector.Length > 8 ? ", …" : "")}]",
        byte[] bytes => $"x'{Convert.ToHexStringLower(bytes.AsSpan(0, Math.Min(bytes.Length, 16)))}{(bytes.Length > 16 ? "…" : "")}'",
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "-",
    };

    /// <summary>One line of at most <paramref name="length"/> characters.</summary>
    public static string OneLine(string? text, int length = 200)
    {
        var line = (text ?? "").ReplaceLineEndings(" ").Trim();
        return line.Length <= length ? line : string.Concat(line.AsSpan(0, length - 1), "…");
    }
}
