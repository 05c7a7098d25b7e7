namespace AiWorkflows.Storage;

/// <summary>A window from its two columns.</summary>
internal static class StoredWindow
{
    public static Window Of(long from, long to) => new(Timestamps.FromMicros(from), Timestamps.FromMicros(to));
}
