using System.Globalization;
using AiWorkflows.Workflows;
using Cronos;
using Microsoft.Extensions.Configuration;

namespace AiWorkflows.Hosting;

/// <summary>Reads <c>AiWorkflows:Retention</c>, and makes policies of it.</summary>
internal static class RetentionReader
{
    /// <summary>No transaction and no stage that is just being dispatched is older.</summary>
    private static readonly TimeSpan Shortest = TimeSpan.FromHours(1);

    public static void Read(IConfigurationSection section, RetentionOptions options, List<string> errors) => OptionsReader.Each(section, errors, new(StringComparer.OrdinalIgnoreCase)
    {
        [nameof(options.StageLogs)] = s => options.StageLogs = Age(s, errors),
        [nameof(options.Runs)] = s => options.Runs = Age(s, errors),
        [nameof(options.Quarantine)] = s => options.Quarantine = Age(s, errors),
        [nameof(options.FeatureVersions)] = s => options.FeatureVersions = Age(s, errors),
        [nameof(options.DiscardedCommits)] = s => options.DiscardedCommits = Age(s, errors),
        [nameof(options.Predictions)] = s => options.Predictions = Age(s, errors),
        [nameof(options.ModelArtifacts)] = s => options.ModelArtifacts = Age(s, errors),
        [nameof(options.ReproducibleFor)] = s => options.ReproducibleFor = Age(s, errors),
        [nameof(options.Schedule)] = s => options.Schedule = Cron(s, errors),
    });

    public static RetentionPolicy ToPolicy(this RetentionOptions options)
    {
        var ages = new Dictionary<RetentionClass, TimeSpan>();
        Set(RetentionClass.StageLogs, options.StageLogs);
        Set(RetentionClass.Runs, options.Runs);
        Set(RetentionClass.Quarantine, options.Quarantine);
        Set(RetentionClass.FeatureVersions, options.FeatureVersions);
        Set(RetentionClass.DiscardedCommits, options.DiscardedCommits);
        Set(RetentionClass.Predictions, options.Predictions);
        Set(RetentionClass.ModelArtifacts, options.ModelArtifacts);
        return new(ages, options.ReproducibleFor);

        void Set(RetentionClass kind, TimeSpan? age)
        {
            if (age is { } given)
                ages.Add(kind, given);
        }
    }

    internal static TimeSpan? Age(IConfigurationSection s, List<string> errors)
    {
        var text = (s.Value ?? "").Trim();
        if (text.Length == 0)
            return null;
        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        TimeSpan? unit = text[digits..].Trim() switch { "d" => TimeSpan.FromDays(1), "h" => TimeSpan.FromHours(1), "min" => TimeSpan.FromMinutes(1), _ => null };
        if (unit is not { } one || !int.TryParse(text[..digits], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count > 36_500)
            errors.Add($"{s.Path} is '{s.Value}'; give a number with a unit, such as 30d, 36h or 90min.");
        else if (count * one < Shortest)
            errors.Add($"{s.Path} is '{s.Value}'; keep for at least an hour, or leave the setting out to keep for ever.");
        else
            return count * one;
        return null;
    }

    private static string? Cron(IConfigurationSection s, List<string> errors)
    {
        if (string.IsNullOrWhiteSpace(s.Value))
            return null;
        try
        {
            CronExpression.Parse(s.Value);
            return s.Value;
        }
        catch (CronFormatException e)
        {
            errors.Add($"{s.Path} is '{s.Value}', which is no cron expression ({e.Message.TrimEnd('.')}); '30 3 * * *' is half past three every night, in UTC.");
            return null;
        }
    }
}
