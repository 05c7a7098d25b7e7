namespace AiWorkflows.Streaming;

/// <summary>Files of events, in the order in which they are read.</summary>
internal static class EventFiles
{
    private static readonly string[] Patterns = ["*.ndjson", "*.jsonl"];

    /// <exception cref="InvalidRequestException">There is no such file, or no file of events in the directory.</exception>
    public static IReadOnlyList<string> Of(string path)
    {
        if (File.Exists(path))
            return [path];
        if (!Directory.Exists(path))
            throw new InvalidRequestException($"There is no file or directory {path}.");
        string[] files = [.. Patterns.SelectMany(p => Directory.EnumerateFiles(path, p)).Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new InvalidRequestException($"{path} has no files {string.Join(" or ", Patterns)}.");
    }
}
