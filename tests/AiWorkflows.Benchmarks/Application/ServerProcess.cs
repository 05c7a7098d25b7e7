using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;

namespace AiWorkflows.Benchmarks.Application;

/// <summary>A server that runs in a process of its own until this is disposed of.</summary>
internal sealed partial class ServerProcess : IDisposable
{
    private readonly Process _process;

    private ServerProcess(Process process, IPEndPoint address) => (_process, Address) = (process, address);

    public IPEndPoint Address { get; }

    public int Id => _process.Id;

    /// <param name="settings">Of its environment.</param>
    public static async Task<ServerProcess> StartAsync(string program, IReadOnlyDictionary<string, string> settings, CancellationToken ct, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(program);
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (var (name, value) in settings)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync(ct) is { } line)
            if (Url().Match(line) is { Success: true } url)
            {
                // A pipe that nobody empties would stop it.
                _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
                return new(process, IPEndPoint.Parse(url.Groups[1].Value));
            }
        throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' did not serve.");
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    [GeneratedRegex(@"http://(127\.0\.0\.1:\d+)")]
    private static partial Regex Url();
}
