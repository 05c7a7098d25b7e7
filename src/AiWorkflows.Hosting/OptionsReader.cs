using System.Globalization;
using AiWorkflows.Hosting.Security;
using Microsoft.Extensions.Configuration;

namespace AiWorkflows.Hosting;

/// <summary>Reads the options by hand, because the framework's binder stops at the first mistake and ignores misspelt keys.</summary>
internal static class OptionsReader
{
    public static AiWorkflowsOptions Read(IConfiguration configuration, List<string> errors)
    {
        var options = new AiWorkflowsOptions();
        var root = configuration.GetSection(AiWorkflowsOptions.SectionName);
        Each(root, errors, new(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(options.Engine)] = s => Set(ParseEngine(s, errors), value => options.Engine = value),
            [nameof(options.ConnectionString)] = s => options.ConnectionString = NullIfEmpty(s.Value),
            [nameof(options.DataDirectory)] = s => options.DataDirectory = s.Value ?? "",
            [nameof(options.Clock)] = s => options.Clock = ParseClock(s, errors),
            [nameof(options.Urls)] = s => options.Urls = s.Value ?? "",
            [nameof(options.Workers)] = s => Each(s, errors, new(StringComparer.OrdinalIgnoreCase)
            {
                [nameof(WorkerOptions.Features)] = w => Set(ParseWorkers(w, errors), value => options.Workers.Features = value),
                [nameof(WorkerOptions.Training)] = w => Set(ParseWorkers(w, errors), value => options.Workers.Training = value),
                [nameof(WorkerOptions.Inference)] = w => Set(ParseWorkers(w, errors), value => options.Workers.Inference = value),
                [nameof(WorkerOptions.Control)] = w => Set(ParseWorkers(w, errors), value => options.Workers.Control = value),
            }),
            [nameof(options.Retention)] = s => RetentionReader.Read(s, options.Retention, errors),
            [nameof(options.Online)] = s => Each(s, errors, new(StringComparer.OrdinalIgnoreCase)
            {
                [nameof(OnlineInferenceOptions.MaxInstances)] = o => Set(ParseCount(o, 100_000, errors), value => options.Online.MaxInstances = value),
                [nameof(OnlineInferenceOptions.MaxWaiting)] = o => Set(ParseCount(o, 10_000_000, errors), value => options.Online.MaxWaiting = value),
                [nameof(OnlineInferenceOptions.RequiredModels)] = o =>
                {
                    foreach (var model in o.GetChildren().Select(m => m.Value).Prepend(o.Value).Where(m => !string.IsNullOrWhiteSpace(m)))
                        options.Online.RequiredModels.Add(model!);
                },
                [nameof(OnlineInferenceOptions.Challengers)] = o =>
                {
                    foreach (var model in o.GetChildren())
                        options.Online.Challengers[model.Key] = ParseChallenger(model, errors);
                },
            }),
            [nameof(options.Streams)] = s => Each(s, errors, new(StringComparer.OrdinalIgnoreCase)
            {
                [nameof(StreamingOptions.MaxBatch)] = o => Set(ParseCount(o, 100_000, errors), value => options.Streams.MaxBatch = value),
                [nameof(StreamingOptions.MaxBehind)] = o => Set(ParseCount(o, int.MaxValue, errors), value => options.Streams.MaxBehind = value),
                [nameof(StreamingOptions.KeepEvents)] = o => Set(RetentionReader.Age(o, errors), value => options.Streams.KeepEvents = value),
            }),
            [nameof(options.Webhook)] = s => Each(s, errors, new(StringComparer.OrdinalIgnoreCase)
            {
                [nameof(WebhookOptions.Url)] = w => options.Webhook.Url = NullIfEmpty(w.Value),
            }),
            [nameof(options.Security)] = s => SecurityReader.Read(s, options.Security, errors),
        });
        Validate(options, errors);
        return options;
    }

    private static void Validate(AiWorkflowsOptions options, List<string> errors)
    {
        if (string.IsNullOrWhiteSpace(options.DataDirectory))
            errors.Add("AiWorkflows:DataDirectory is empty; name a directory, or leave the setting out for 'data'.");
        var workers = options.Workers;
        int[] counts = [workers.Features, workers.Training, workers.Inference, workers.Control];
        if (options.Engine == StoreEngine.Sqlite && counts.Contains(0))
            errors.Add("AiWorkflows:Workers leaves a queue without workers; an embedded database has one host, which needs at least one for each. Queues can be divided among hosts that share a SQL Server.");
        else if (counts.Sum() == 0)
            errors.Add("AiWorkflows:Workers leaves this host without any workers; give at least one queue some.");
        if (options.Webhook.Url is { } url && !(Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            errors.Add($"AiWorkflows:Webhook:Url is '{url}'; give an absolute http or https address.");
        foreach (var listen in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).DefaultIfEmpty(""))
            if (!listen.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !listen.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
                errors.Add($"AiWorkflows:Urls holds '{listen}'; give addresses such as http://localhost:5000, separated by semicolons.");
    }

    internal static void Each(IConfigurationSection section, List<string> errors, Dictionary<string, Action<IConfigurationSection>> settings)
    {
        foreach (var child in section.GetChildren())
            if (settings.TryGetValue(child.Key, out var read))
                read(child);
            else
                errors.Add(NearMatches.Unknown($"setting of {section.Path}", child.Key, settings.Keys).Message);
    }

    private static StoreEngine? ParseEngine(IConfigurationSection s, List<string> errors)
    {
        if (Enum.GetNames<StoreEngine>().FirstOrDefault(name => name.Equals(s.Value, StringComparison.OrdinalIgnoreCase)) is { } known)
            return Enum.Parse<StoreEngine>(known);
        errors.Add($"{s.Path} is '{s.Value}'; it can be {string.Join(" or ", Enum.GetNames<StoreEngine>())}.");
        return null;
    }

    private static DateTimeOffset? ParseClock(IConfigurationSection s, List<string> errors)
    {
        if (string.IsNullOrWhiteSpace(s.Value))
            return null;
        // Kind Unspecified is what a text without Z or offset gives: an instant that depends on the machine is refused.
        if (DateTime.TryParse(s.Value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time) && time.Kind != DateTimeKind.Unspecified)
            return new DateTimeOffset(time.ToUniversalTime());
        errors.Add($"{s.Path} is '{s.Value}'; give an instant in UTC such as 2001-07-02T00:00:00Z.");
        return null;
    }

    private static ChallengerOptions ParseChallenger(IConfigurationSection s, List<string> errors)
    {
        var challenger = new ChallengerOptions();
        Each(s, errors, new(StringComparer.OrdinalIgnoreCase)
        {
            [nameof(ChallengerOptions.Shadow)] = o =>
            {
                if (bool.TryParse(o.Value, out var shadow))
                    challenger.Shadow = shadow;
                else
                    errors.Add($"{o.Path} is '{o.Value}'; it can be true or false.");
            },
            [nameof(ChallengerOptions.Share)] = o =>
            {
                if (double.TryParse(o.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var share) && share is >= 0 and <= 1)
                    challenger.Share = share;
                else
                    errors.Add($"{o.Path} is '{o.Value}'; give a share from 0 to 1.");
            },
        });
        if (challenger is { Shadow: true, Share: > 0 })
            errors.Add($"{s.Path} has both Shadow and Share; a challenger either scores beside the champion or answers a share in its place.");
        return challenger;
    }

    private static int? ParseCount(IConfigurationSection s, int most, List<string> errors)
    {
        if (int.TryParse(s.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 1 && count <= most)
            return count;
        errors.Add($"{s.Path} is '{s.Value}'; give a whole number from 1 to {most}.");
        return null;
    }

    private static int? ParseWorkers(IConfigurationSection s, List<string> errors)
    {
        if (int.TryParse(s.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 0 and <= 64)
            return count;
        errors.Add($"{s.Path} is '{s.Value}'; give a number of workers from 0 (this host takes no step of the queue) to 64.");
        return null;
    }

    private static void Set<T>(T? value, Action<T> set) where T : struct
    {
        if (value is { } given)
            set(given);
    }

    private static string? NullIfEmpty(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
