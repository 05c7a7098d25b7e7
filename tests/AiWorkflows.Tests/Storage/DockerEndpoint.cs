using System.Net.Sockets;

namespace AiWorkflows.Tests.Storage;

/// <summary>Whether anybody listens where Docker would: a look that costs milliseconds, where Testcontainers itself would wait for every endpoint in turn.</summary>
internal static class DockerEndpoint
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    public static bool Answers() => Answers(Environment.GetEnvironmentVariable("DOCKER_HOST"), Sockets());

    /// <param name="host">What DOCKER_HOST says: then nothing else counts.</param>
    /// <param name="sockets">Where Docker's sockets usually are.</param>
    public static bool Answers(string? host, IEnumerable<string> sockets)
    {
        if (string.IsNullOrWhiteSpace(host))
            return OperatingSystem.IsWindows() ? File.Exists(@"\\.\pipe\docker_engine") : sockets.Any(Listens);
        return Uri.TryCreate(host, UriKind.Absolute, out var uri) && uri.Scheme switch
        {
            "unix" => Listens(uri.LocalPath),
            "npipe" => File.Exists($@"\\.\pipe\{Path.GetFileName(uri.LocalPath)}"),
            _ => Listens(uri.Host, uri.Port),
        };
    }

    private static IEnumerable<string> Sockets()
    {
        yield return "/var/run/docker.sock";
        if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime)
            yield return Path.Combine(runtime, "docker.sock");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        yield return Path.Combine(home, ".docker", "run", "docker.sock");
        yield return Path.Combine(home, ".docker", "desktop", "docker.sock");
    }

    private static bool Listens(string path) => File.Exists(path) && Connects(AddressFamily.Unix, ProtocolType.Unspecified, (socket, ct) => socket.ConnectAsync(new UnixDomainSocketEndPoint(path), ct));

    private static bool Listens(string host, int port) => port > 0 && Connects(AddressFamily.InterNetwork, ProtocolType.Tcp, (socket, ct) => socket.ConnectAsync(host, port, ct));

    private static bool Connects(AddressFamily family, ProtocolType protocol, Func<Socket, CancellationToken, ValueTask> connect)
    {
        using var socket = new Socket(family, SocketType.Stream, protocol);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            Task.Run(async () => await connect(socket, patience.Token)).GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return false;
        }
    }
}
