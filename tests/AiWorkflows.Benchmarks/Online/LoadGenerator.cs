using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AiWorkflows.Benchmarks.Online;

/// <summary>What one server did for one number of connections.</summary>
/// <param name="P50">Milliseconds from the first byte sent to the last byte received.</param>
/// <param name="ServerTime">Seconds of processor time of the server.</param>
/// <param name="ClientTime">Seconds of processor time of the client.</param>
internal sealed record Load(int Connections, double Seconds, long Requests, long Errors, double P50, double P99, double ServerTime, double ClientTime)
{
    public double PerSecond => Requests / Seconds;

    public double ServerMicros => ServerTime / Requests * 1e6;

    public double ClientMicros => ClientTime / Requests * 1e6;
}

/// <summary>
/// The client of both sides, in a process of its own: bare sockets that stay open, requests that were written beforehand, one at a time on each connection. It takes
/// as little of the processors as it can, for on a small machine it shares them with the server that it measures.
/// </summary>
internal static class LoadGenerator
{
    private const int Buffer = 16 * 1024;

    /// <param name="requests">Whole requests with their headers; each connection goes round through them from a place of its own.</param>
    /// <param name="process">The server's.</param>
    public static async Task<Load> RunAsync(IPEndPoint server, Process process, IReadOnlyList<byte[]> requests, int connections, TimeSpan time, CancellationToken ct)
    {
        var (serverTime, clientTime) = (SecondsOf(process), ProcessorTime.Seconds);
        var until = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        var started = Stopwatch.GetTimestamp();
        var results = await Task.WhenAll(Enumerable.Range(0, connections).Select(i => ConnectionAsync(server, requests, i * requests.Count / connections, until, ct)));
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var times = results.SelectMany(r => r.Times).Order().ToArray();
        return new(connections, seconds, times.Length, results.Sum(r => r.Errors), At(times, 0.5), At(times, 0.99), SecondsOf(process) - serverTime, ProcessorTime.Seconds - clientTime);
    }

    /// <summary>One request on a connection of its own; the body of the answer.</summary>
    public static async Task<string> AskAsync(IPEndPoint server, byte[] request, CancellationToken ct)
    {
        using var socket = await ConnectAsync(server, ct);
        var buffer = new byte[Buffer];
        var answer = await ExchangeAsync(socket, request, buffer, ct);
        return answer.Status == 200 ? Encoding.UTF8.GetString(buffer, answer.Body, answer.Length - answer.Body)
            : throw new InvalidOperationException($"{Encoding.UTF8.GetString(request)}\n{Encoding.UTF8.GetString(buffer, 0, answer.Length)}");
    }

    private static async Task<(List<double> Times, long Errors)> ConnectionAsync(IPEndPoint server, IReadOnlyList<byte[]> requests, int first, long until, CancellationToken ct)
    {
        using var socket = await ConnectAsync(server, ct);
        var (times, errors, buffer) = (new List<double>(1 << 16), 0L, new byte[Buffer]);
        for (var i = first; ; i++)
        {
            var sent = Stopwatch.GetTimestamp();
            if (sent >= until)
                return (times, errors);
            var answer = await ExchangeAsync(socket, requests[i % requests.Count], buffer, ct);
            times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            if (answer.Status != 200)
                errors++;
        }
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint server, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(server, ct);
        return socket;
    }

    private static async ValueTask<(int Status, int Body, int Length)> ExchangeAsync(Socket socket, byte[] request, byte[] buffer, CancellationToken ct)
    {
        await socket.SendAsync(request, SocketFlags.None, ct);
        var length = 0;
        while (true)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, ct);
            if (read == 0)
                throw new IOException("The server has closed the connection.");
            length += read;
            if (IsWhole(buffer.AsSpan(0, length), out var body))
                return (Utf8Parser.TryParse(buffer.AsSpan(9, 3), out int status, out _) ? status : 0, body, length);
        }
    }

    /// <summary>Whether an answer has come to its end, by its length or by its last chunk.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> answer, out int body)
    {
        body = answer.IndexOf("\r\n\r\n"u8) + 4;
        if (body < 4)
            return false;
        var head = answer[..body];
        var at = head.IndexOf("Content-Length: "u8);
        return at >= 0 && Utf8Parser.TryParse(head[(at + 16)..], out int length, out _) ? answer.Length >= body + length : answer.EndsWith("\r\n0\r\n\r\n"u8);
    }

    private static double SecondsOf(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime.TotalSeconds;
    }

    private static double At(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
}
