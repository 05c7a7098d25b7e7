using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AiWorkflows.Tests.Storage;

/// <summary>A server that speaks as much of SQL Server's protocol as comes before the certificate: its answer to the first packet, and a TLS handshake inside of packets.</summary>
internal sealed class SelfSignedServer : IDisposable
{
    private const int Header = 8;

    // The answer to the first packet: version 16 and "encryption required", each with offset and length in the option list, which ends with 0xFF.
    private static readonly byte[] Answer = [0x00, 0, 11, 0, 6, 0x01, 0, 17, 0, 1, 0xFF, 16, 0, 0, 0, 0, 0, 0x03];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 _certificate;
    private readonly Task _serving;

    public SelfSignedServer()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=nobody.example", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        _certificate = X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address => $"127.0.0.1,{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public void Dispose()
    {
        _listener.Stop();
        _serving.GetAwaiter().GetResult();
        _certificate.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                await GreetAsync(client.GetStream());
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Disposed of, while it waited for a client or before it did.
        }
    }

    private async Task GreetAsync(NetworkStream stream)
    {
        try
        {
            await using var packets = new PacketStream(stream);
            await packets.ReadAtLeastAsync(new byte[4096], 1);
            await packets.WriteAsync(Answer);
            await using var tls = new SslStream(packets);
            await tls.AuthenticateAsServerAsync(_certificate);
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client hangs up: it does not trust the certificate.
        }
    }

    /// <summary>The contents of packets, without their headers.</summary>
    private sealed class PacketStream(NetworkStream inner) : Stream
    {
        private const byte Response = 0x04;
        private const byte PreLogin = 0x12;
        private int _left;
        private bool _answered;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Flush() => inner.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

        public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0)
            {
                var header = new byte[Header];
                await inner.ReadExactlyAsync(header, cancellationToken);
                _left = (header[2] << 8 | header[3]) - Header;
            }
            var read = await inner.ReadAsync(buffer[..Math.Min(_left, buffer.Length)], cancellationToken);
            _left -= read;
            return read;
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var length = buffer.Length + Header;
            byte[] packet = [_answered ? PreLogin : Response, 1, (byte)(length >> 8), (byte)length, 0, 0, 1, 0, .. buffer.Span];
            _answered = true;
            await inner.WriteAsync(packet, cancellationToken);
        }
    }
}
