using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace AiWorkflows.Hosting.Security;

/// <summary>Reads the section <c>AiWorkflows:Security</c>.</summary>
internal static class SecurityReader
{
    public static void Read(IConfigurationSection section, SecurityOptions options, List<string> errors) => OptionsReader.Each(section, errors, new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(options.RequireAuthentication)] = s => options.RequireAuthentication = Bool(s, errors),
        [nameof(options.ApiKeys)] = s =>
        {
            foreach (var key in s.GetChildren())
                Key(key, options, errors);
        },
        [nameof(options.RequestsPerSecond)] = s => options.RequestsPerSecond = (int)Number(s, 0, 1_000_000, options.RequestsPerSecond, errors),
        [nameof(options.PredictionsPerSecond)] = s => options.PredictionsPerSecond = (int)Number(s, 0, 1_000_000, options.PredictionsPerSecond, errors),
        [nameof(options.MaxBodyBytes)] = s => options.MaxBodyBytes = Number(s, 1024, 1L << 30, options.MaxBodyBytes, errors),
        [nameof(options.SessionHours)] = s => options.SessionHours = (int)Number(s, 1, 24 * 30, options.SessionHours, errors),
    });

    private static void Key(IConfigurationSection section, SecurityOptions options, List<string> errors)
    {
        var key = new ApiKeyOptions();
        OptionsReader.Each(section, errors, new(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(key.Hash)] = s => key.Hash = s.Value ?? "",
            [nameof(key.Role)] = s => key.Role = (s.Value ?? "").ToLowerInvariant(),
        });
        if (ApiKey.MistakeInName(section.Key) is { } mistake)
            errors.Add($"{section.Path}: {mistake}");
        // What was given instead of a hash may be the key itself, so it is not repeated.
        if (key.Hash.Length != ApiKey.HashLength || !key.Hash.All(char.IsAsciiHexDigit))
            errors.Add($"{section.Path}:Hash is no SHA-256 in hexadecimal ({ApiKey.HashLength} digits); `printf %s KEY | sha256sum` prints it.");
        if (!Roles.All.Contains(key.Role))
            errors.Add($"{section.Path}:Role is '{key.Role}'; it can be {string.Join(" or ", Roles.All)}.");
        options.ApiKeys[section.Key] = key;
    }

    private static bool? Bool(IConfigurationSection s, List<string> errors)
    {
        if (string.IsNullOrWhiteSpace(s.Value))
            return null;
        if (bool.TryParse(s.Value, out var value))
            return value;
        errors.Add($"{s.Path} is '{s.Value}'; it can be true or false.");
        return null;
    }

    private static long Number(IConfigurationSection s, long from, long to, long otherwise, List<string> errors)
    {
        if (long.TryParse(s.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= from && value <= to)
            return value;
        errors.Add(string.Create(CultureInfo.InvariantCulture, $"{s.Path} is '{s.Value}'; give a number from {from} to {to}."));
        return otherwise;
    }
}
