namespace AiWorkflows.Storage;

/// <summary>A window from its two columns.</summary>
internal static class StoredWindow
{
    public static Window Of(Utc from, Utc to) => new(from, to);
}
