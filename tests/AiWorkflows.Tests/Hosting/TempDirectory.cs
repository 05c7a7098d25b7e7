namespace AiWorkflows.Tests.Hosting;

/// <summary>A directory of its own, gone after the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public string FullName { get; } = Directory.CreateTempSubdirectory("aiworkflows-host-").FullName;

    public string Sub(string name) => Directory.CreateDirectory(Path.Combine(FullName, name)).FullName;

    public string File(string name, string content)
    {
        var path = Path.Combine(FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
