using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace AiWorkflows.Inference;

/// <summary>SHA-256 over what a batch says: entity key, event time, score, probability, label and output of every row, in order.</summary>
internal sealed class BatchContentHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] _buffer = new byte[1 << 16];
    private int _length;

    public void Add(in PredictionRow row)
    {
        Text(row.EntityKey);
        BinaryPrimitives.WriteInt64LittleEndian(Next(8), Timestamps.ToMicros(row.EventTime));
        Number(row.Score);
        Number(row.Probability);
        Text(row.Label);
        Text(row.Output);
    }

    public string Finish()
    {
        Flush();
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose() => _hash.Dispose();

    private void Number(double? value) => BinaryPrimitives.WriteInt64LittleEndian(Next(8), value is { } number ? BitConverter.DoubleToInt64Bits(number) : long.MinValue + 1);

    private void Text(string? text)
    {
        var bytes = text is null ? -1 : Encoding.UTF8.GetByteCount(text);
        BinaryPrimitives.WriteInt32LittleEndian(Next(4), bytes);
        if (bytes > 0)
            Encoding.UTF8.GetBytes(text!, Next(bytes));
    }

    private Span<byte> Next(int bytes)
    {
        if (_length + bytes > _buffer.Length)
        {
            Flush();
            if (bytes > _buffer.Length)
                _buffer = new byte[bytes];
        }
        _length += bytes;
        return _buffer.AsSpan(_length - bytes, bytes);
    }

    private void Flush()
    {
        _hash.AppendData(_buffer, 0, _length);
        _length = 0;
    }
}
