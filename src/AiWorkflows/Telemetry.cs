using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AiWorkflows;

/// <summary>The one activity source and meter of the product; docs/telemetry.md names what they give.</summary>
internal static class Telemetry
{
    public const string Name = "AiWorkflows";

    public static ActivitySource Source { get; } = new(Name);

    public static Meter Meter { get; } = new(Name);

    /// <summary>A span inside of the one that the calling code runs in; null when nobody listens, or when there is none: then it would be a trace of its own.</summary>
    public static Activity? StartPart(string name) => Activity.Current is null ? null : Source.StartActivity(name);
}
