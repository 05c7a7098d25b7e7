using System.Reflection;
using AiWorkflows.Features;
using FlightDelays;

namespace AiWorkflows.SqlServer.Tests;

public enum Shade { Light, Dark }

/// <summary>One column of each type, more than one key, an index for single keys, and names that T-SQL uses itself.</summary>
[FeatureGroup("everything", Online = true)]
public sealed record Everything(
    [EntityKey] string Key, [EntityKey] Guid Id, [EntityKey] int Number, [EntityKey] DateOnly Date, [EventTime] DateTime At,
    string? Text, bool? Flag, byte? Small, short? Middling, long? Large, float? Rough, double? Fine, decimal? Money, DateTime? Moment, DateOnly? Day, Guid? Other, Shade? Shade, int? Order, string? Table, double? Percent);

/// <summary>The feature groups that the proof generates statements for.</summary>
internal static class Groups
{
    public static IReadOnlyList<GroupSchema> Reference { get; } =
        [.. typeof(DelayView).Assembly.GetTypes().Where(t => t.GetCustomAttribute<FeatureGroupAttribute>() is not null).Select(GroupSchema.Of).OrderBy(g => g.Name, StringComparer.Ordinal)];

    public static IReadOnlyList<GroupSchema> All { get; } = [.. Reference, GroupSchema.Of(typeof(Everything))];
}
