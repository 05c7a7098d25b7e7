using AiWorkflows.Tests.Flights;

namespace AiWorkflows.Tests.Faults;

/// <summary>Folders with a database in which a model has been trained, for hosts as processes of their own.</summary>
public sealed class TrainedMeters : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Lazy<Task> _trained;

    public TrainedMeters() => _trained = new(TrainAsync);

    /// <summary>Nothing is left to do, so that a host only answers.</summary>
    internal static FaultSettings Settings { get; } = new() { Days = 1 };

    /// <summary>A copy to work on.</summary>
    internal async Task<TempFolder> CopyAsync()
    {
        await _trained.Value;
        var copy = new TempFolder();
        foreach (var file in Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories))
        {
            var target = copy.File(Path.GetRelativePath(_folder.Path, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
        return copy;
    }

    public void Dispose() => _folder.Dispose();

    private async Task TrainAsync()
    {
        using var process = await FaultProcess.Start(_folder.Path, Settings, "run", "meters").EndAsync();
        process.ExitCode.ShouldBe(0, await process.TextAsync());
    }
}
