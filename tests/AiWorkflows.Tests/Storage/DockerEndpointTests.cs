using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace AiWorkflows.Tests.Storage;

public class DockerEndpointTests
{
    [Fact]
    public void A_socket_at_which_somebody_listens_is_Docker_and_one_that_is_left_over_is_not()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Docker has a named pipe there.");
        var directory = Directory.CreateTempSubdirectory("aiworkflows-");
        try
        {
            var path = Path.Combine(directory.FullName, "docker.sock");
            using (var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            {
                listener.Bind(new UnixDomainSocketEndPoint(path));
                listener.Listen();
                DockerEndpoint.Answers(null, ["/nowhere/docker.sock", path]).ShouldBeTrue();
                DockerEndpoint.Answers($"unix://{path}", []).ShouldBeTrue();
            }
            File.WriteAllText(path, "");
            DockerEndpoint.Answers(null, [path]).ShouldBeFalse();
            DockerEndpoint.Answers("unix:///nowhere/docker.sock", [path]).ShouldBeFalse();
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_host_is_asked_and_one_that_does_not_answer_costs_no_second()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        DockerEndpoint.Answers($"tcp://127.0.0.1:{port}", []).ShouldBeTrue();
        listener.Stop();
        var started = Stopwatch.GetTimestamp();
        DockerEndpoint.Answers($"tcp://127.0.0.1:{port}", []).ShouldBeFalse();
        DockerEndpoint.Answers("nonsense", []).ShouldBeFalse();
        Stopwatch.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(2));
    }
}
