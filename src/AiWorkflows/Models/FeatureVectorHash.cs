using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace AiWorkflows.Models;

/// <summary>Hashes the canonical feature vector of an example: what a model saw, in eight bytes. Not for several threads.</summary>
internal sealed class FeatureVectorHash<TExample>(ExampleSchema<TExample> schema) where TExample : class
{
    private byte[] _buffer = new byte[256];
    private int _length;

    /// <summary>XxHash3 over the values in column order: Single as little-endian bits, text with its length in bytes before it (-1 for missing).</summary>
    public long Of(TExample example)
    {
        _length = 0;
        for (var i = 0; i < schema.Columns.Count; i++)
            switch (schema.Columns[i].Kind)
            {
                case ExampleColumnKind.Number:
                    Single(((Func<TExample, float>)schema.Getters[i])(example));
                    break;
                case ExampleColumnKind.Text:
                    Text(((Func<TExample, string?>)schema.Getters[i])(example));
                    break;
                default:
                    Vector(((Func<TExample, float[]?>)schema.Getters[i])(example), schema.Columns[i].Length);
                    break;
            }
        return unchecked((long)XxHash3.HashToUInt64(_buffer.AsSpan(0, _length)));
    }

    private void Vector(float[]? vector, int length)
    {
        for (var i = 0; i < length; i++)
            Single(vector is null ? float.NaN : ExampleGetters.Canonical(vector[i], typeof(TExample).Name));
    }

    private void Single(float value) => BinaryPrimitives.WriteSingleLittleEndian(Next(4), value);

    private void Text(string? value)
    {
        var bytes = value is null ? -1 : Encoding.UTF8.GetByteCount(value);
        BinaryPrimitives.WriteInt32LittleEndian(Next(4), bytes);
        if (bytes > 0)
            Encoding.UTF8.GetBytes(value!, Next(bytes));
    }

    private Span<byte> Next(int bytes)
    {
        if (_length + bytes > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + bytes));
        _length += bytes;
        return _buffer.AsSpan(_length - bytes, bytes);
    }
}
