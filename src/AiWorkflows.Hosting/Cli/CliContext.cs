using System.CommandLine;
using AiWorkflows.Workflows;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Hosting.Cli;

/// <summary>What all commands work with.</summary>
internal sealed class CliContext(IServiceProvider services, ICliConsole console)
{
    public IServiceProvider Services => services;

    public ICliConsole Console => console;

    /// <summary>Who acts, as histories and the audit record it.</summary>
    public static string Who { get; } = $"{Environment.UserName}@{Environment.MachineName}";

    public Catalog Catalog => Get<Catalog>();

    public T Get<T>() where T : notnull => services.GetRequiredService<T>();

    /// <summary>A query class over the store.</summary>
    public T Query<T>() where T : class => ActivatorUtilities.GetServiceOrCreateInstance<T>(services);
}

/// <summary>One call of a command.</summary>
internal sealed record Invocation(CliContext Context, ParseResult Parsed, Output Output, CancellationToken Ct)
{
    public T? Value<T>(Option<T> option) => Parsed.GetValue(option);

    public string Value(Argument<string> argument) => Parsed.GetRequiredValue(argument);

    /// <summary>The id that somebody typed.</summary>
    /// <exception cref="InvalidRequestException">It is no number.</exception>
    public long Id(Argument<string> argument, string kind, string where) =>
        long.TryParse(Value(argument), System.Globalization.CultureInfo.InvariantCulture, out var id) && id > 0
            ? id
            : throw new InvalidRequestException($"'{Value(argument)}' is no id of a {kind}; `{where}` shows them.");

    /// <summary>The time that somebody typed, or null.</summary>
    public DateTime? Time(Option<string> option) => Parsed.GetValue(option) is { } text ? UtcTime.Parse(text, option.Name) : null;

    /// <summary>How many rows a list shows.</summary>
    public int Limit(Option<int> option) => Parsed.GetValue(option) is var n && n is > 0 and <= 10_000
        ? n
        : throw new InvalidRequestException($"{option.Name} {n} is not allowed; give 1 to 10000, and page on with --before.");
}
