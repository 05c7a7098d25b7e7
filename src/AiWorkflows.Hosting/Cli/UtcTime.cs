using System.Globalization;
using System.Text.RegularExpressions;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Times that people type: a date, or a time of day that says Z.</summary>
internal static partial class UtcTime
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm'Z'", "yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'",
        "yyyy-MM-dd HH:mm'Z'", "yyyy-MM-dd HH:mm:ss'Z'",
    ];

    /// <exception cref="InvalidRequestException">It is no time, or one of which nobody knows where.</exception>
    public static DateTime Parse(string text, string option)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (DateTime.TryParseExact(text, Forms, CultureInfo.InvariantCulture, utc, out var time))
            return time;
        if (LocalTime().Match(text) is { Success: true } match && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var parsed))
            throw new InvalidRequestException(match.Groups["offset"].Success
                ? $"{option} {text} has an offset; times are in UTC: write {Timestamps.Iso(parsed.UtcDateTime)}."
                : $"{option} {text} is a local time, and nobody knows where; times are in UTC: write {text.Replace(' ', 'T')}Z if that is what you mean.");
        throw new InvalidRequestException($"{option} '{text}' is no date or time; write 2001-06-01 or 2001-06-01T06:00Z (UTC).");
    }

    [GeneratedRegex(@"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(?<offset>[+-]\d{2}:?\d{2})?$")]
    private static partial Regex LocalTime();
}
