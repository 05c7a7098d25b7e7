using System.Globalization;
using System.Text.RegularExpressions;

namespace AiWorkflows.Hosting.Cli;

/// <summary>Lengths of time that people type: a whole number and a unit.</summary>
internal static partial class SpanText
{
    /// <exception cref="InvalidRequestException">It is no length of time.</exception>
    public static TimeSpan Parse(string text, string option)
    {
        var match = Form().Match(text);
        if (!match.Success || !int.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number) || number == 0)
            throw new InvalidRequestException($"{option} '{text}' is no length of time; write 1d, 6h or 30m.");
        var unit = match.Groups[2].Value switch
        {
            "w" => TimeSpan.FromDays(7),
            "d" => TimeSpan.FromDays(1),
            "h" => TimeSpan.FromHours(1),
            "m" => TimeSpan.FromMinutes(1),
            _ => TimeSpan.FromSeconds(1),
        };
        return number <= TimeSpan.MaxValue / unit ? unit * number : throw new InvalidRequestException($"{option} '{text}' is longer than any history.");
    }

    /// <summary>The shortest form that says the same.</summary>
    public static string Of(TimeSpan span) =>
        span.Ticks % TimeSpan.TicksPerDay == 0 ? $"{span.Days}d"
        : span.Ticks % TimeSpan.TicksPerHour == 0 ? string.Create(CultureInfo.InvariantCulture, $"{span.Ticks / TimeSpan.TicksPerHour}h")
        : span.Ticks % TimeSpan.TicksPerMinute == 0 ? string.Create(CultureInfo.InvariantCulture, $"{span.Ticks / TimeSpan.TicksPerMinute}m")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.######}s");

    [GeneratedRegex("^([0-9]{1,9})([wdhms])$")]
    private static partial Regex Form();
}
