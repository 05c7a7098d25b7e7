namespace AiWorkflows.Tests.Faults;

/// <summary>Folders with a database in which a model has been trained, for hosts as processes of their own.</summary>
public sealed class TrainedMeters : IDisposable
{
    private readonly FaultSite _site = FaultSite.Embedded();
    private readonly Lazy<Task> _trained;

    public TrainedMeters() => _trained = new(TrainAsync);

    /// <summary>Nothing is left to do, so that a host only answers.</summary>
    internal static FaultSettings Settings { get; } = new() { Days = 1 };

    /// <summary>A copy to work on.</summary>
    internal async Task<FaultSite> CopyAsync()
    {
        await _trained.Value;
        var copy = FaultSite.Embedded();
        foreach (var file in Directory.EnumerateFiles(_site.Folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.Folder, Path.GetRelativePath(_site.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        return copy;
    }

    public void Dispose() => _site.Dispose();

    private async Task TrainAsync()
    {
        using var process = await FaultProcess.Start(_site, Settings, "run", "meters").EndAsync();
        process.ExitCode.ShouldBe(0, await process.TextAsync());
    }
}
