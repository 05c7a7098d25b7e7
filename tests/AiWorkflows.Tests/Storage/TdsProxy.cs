using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Tests.Storage;

/// <summary>What happens to a request.</summary>
internal enum TdsFate
{
    Passes,

    /// <summary>The connection breaks before the server gets it.</summary>
    CutBefore,

    /// <summary>The server gets it and answers; the connection breaks before the answer arrives.</summary>
    CutAnswer,

    /// <summary>The server gets it and answers; the client hears nothing until <see cref="TdsProxy.Thaw"/>, as if its process stood still.</summary>
    FreezeAnswer,
}

/// <summary>A request as it went by: a text of statements with its parameters, or what the driver asks for itself (begin, commit, roll back).</summary>
internal sealed record TdsRequest(string Text, int Transaction)
{
    private const int CommitRequest = 7;

    /// <summary>The driver's own COMMIT, or a text that ends with one.</summary>
    public bool Commits => Transaction == CommitRequest || Text.Contains("COMMIT TRANSACTION", StringComparison.Ordinal);
}

/// <summary>Stands between a client and a SQL Server, sees where requests end, and lets a connection break at the instant that a test names.</summary>
internal sealed class TdsProxy : IAsyncDisposable
{
    private const byte Batch = 1;
    private const byte Rpc = 3;
    private const byte TransactionManager = 14;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string _host;
    private readonly int _port;
    private readonly ConcurrentBag<Link> _links = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _thawed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _server;
    private volatile bool _isDown;
    private int _requests;
    private (Func<TdsRequest, bool> Which, TdsFate Fate)? _next;

    public TdsProxy(string connectionString)
    {
        _server = connectionString;
        var source = new SqlConnectionStringBuilder(connectionString).DataSource;
        var parts = (source.StartsWith("tcp:", StringComparison.OrdinalIgnoreCase) ? source[4..] : source).Split(',');
        Assert.SkipWhen(parts[0].Contains('\\', StringComparison.Ordinal), "A named instance has no fixed port to stand in front of.");
        (_host, _port) = (parts[0] is "." or "(local)" ? "localhost" : parts[0], parts.Length > 1 ? int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : 1433);
        _listener.Start();
        _ = Task.Run(AcceptAsync);
    }

    /// <summary>The same database by way of the proxy, in the clear, so that requests can be told apart.</summary>
    public string ConnectionString => new SqlConnectionStringBuilder(_server)
    {
        DataSource = $"127.0.0.1,{((IPEndPoint)_listener.LocalEndpoint).Port}", Encrypt = SqlConnectionEncryptOption.Optional, ConnectTimeout = 5,
    }.ConnectionString;

    /// <summary>How many requests went by.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Done when the server has answered the request that was waited for.</summary>
    public Task Answered => _answered.Task;

    /// <summary>The next request of this kind meets this fate.</summary>
    public void Next(Func<TdsRequest, bool> which, TdsFate fate) => _next = (which, fate);

    /// <summary>Whether the fate has been met.</summary>
    public bool IsMet => _next is null;

    public void Thaw() => _thawed.TrySetResult();

    /// <summary>Breaks all connections and refuses new ones.</summary>
    public void GoDown()
    {
        _isDown = true;
        foreach (var link in _links)
            link.Dispose();
    }

    public void ComeBack() => _isDown = false;

    public async ValueTask DisposeAsync()
    {
        Thaw();
        await _stop.CancelAsync();
        _listener.Stop();
        foreach (var link in _links)
            link.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = await _listener.AcceptSocketAsync(_stop.Token);
            if (_isDown)
            {
                client.Dispose();
                continue;
            }
            var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await server.ConnectAsync(_host, _port, _stop.Token);
            client.NoDelay = true;
            var link = new Link(client, server);
            _links.Add(link);
            _ = Task.Run(() => Quietly(() => SendAsync(link)));
            _ = Task.Run(() => Quietly(() => AnswerAsync(link)));
        }
    }

    private static async Task Quietly(Func<Task> pump)
    {
        try
        {
            await pump();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException or EndOfStreamException or IOException)
        {
            // The connection is gone, which is what this is for.
        }
    }

    private async Task SendAsync(Link link)
    {
        await using var from = new NetworkStream(link.Client);
        var message = new MemoryStream();
        var texts = new MemoryStream();
        var header = new byte[8];
        while (true)
        {
            await from.ReadExactlyAsync(header.AsMemory(0, 5), _stop.Token);
            // The login is encrypted even where nothing else is, and then travels as TLS records of its own.
            var isTls = header[0] is >= 0x14 and <= 0x17 && header[1] == 3;
            var size = isTls ? 5 + BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(3)) : BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(2));
            var packet = new byte[size];
            header.AsSpan(0, 5).CopyTo(packet);
            await from.ReadExactlyAsync(packet.AsMemory(5), _stop.Token);
            message.Write(packet);
            if (!isTls)
                texts.Write(packet, 8, size - 8);
            if (!isTls && (packet[1] & 1) == 0)
                continue;
            if (!isTls && packet[0] is Batch or Rpc or TransactionManager && !await PassesAsync(link, packet[0], message, texts.ToArray()))
                return;
            if (message.Length > 0)
                await link.Server.SendAsync(message.ToArray(), _stop.Token);
            message.SetLength(0);
            texts.SetLength(0);
        }
    }

    /// <summary>Whether the connection goes on.</summary>
    private async Task<bool> PassesAsync(Link link, byte type, MemoryStream message, byte[] body)
    {
        Interlocked.Increment(ref _requests);
        var headers = BinaryPrimitives.ReadInt32LittleEndian(body);
        var request = new TdsRequest(Encoding.Unicode.GetString(body), type == TransactionManager ? BinaryPrimitives.ReadUInt16LittleEndian(body.AsSpan(headers)) : 0);
        if (_next is not { } next || !next.Which(request))
            return true;
        _next = null;
        if (next.Fate == TdsFate.CutBefore)
        {
            link.Dispose();
            return false;
        }
        link.Fate = next.Fate;
        await link.Server.SendAsync(message.ToArray(), _stop.Token);
        message.SetLength(0);
        return true;
    }

    private async Task AnswerAsync(Link link)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var read = await link.Server.ReceiveAsync(buffer, _stop.Token);
            if (read == 0)
                break;
            if (link.Fate == TdsFate.CutAnswer)
            {
                _answered.TrySetResult();
                break;
            }
            if (link.Fate == TdsFate.FreezeAnswer)
            {
                _answered.TrySetResult();
                await _thawed.Task;
                link.Fate = TdsFate.Passes;
            }
            await link.Client.SendAsync(buffer.AsMemory(0, read), _stop.Token);
        }
        link.Dispose();
    }

    private sealed class Link(Socket client, Socket server) : IDisposable
    {
        private volatile int _fate;

        public Socket Client => client;

        public Socket Server => server;

        public TdsFate Fate
        {
            get => (TdsFate)_fate;
            set => _fate = (int)value;
        }

        public void Dispose()
        {
            client.Dispose();
            server.Dispose();
        }
    }
}
