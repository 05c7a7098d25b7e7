using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AiWorkflows.Features;

/// <summary>Hands one typed value to a store, as the shape that its column has there. Called from compiled codecs.</summary>
internal static class CellWriter
{
    public static void Put(ICellSink sink, int ordinal, string? value)
    {
        if (value is null)
            sink.Null(ordinal);
        else
            sink.Text(ordinal, value);
    }

    public static void Put(ICellSink sink, int ordinal, bool value) => sink.Integer(ordinal, value ? 1 : 0);

    public static void Put(ICellSink sink, int ordinal, byte value) => sink.Integer(ordinal, value);

    public static void Put(ICellSink sink, int ordinal, short value) => sink.Integer(ordinal, value);

    public static void Put(ICellSink sink, int ordinal, int value) => sink.Integer(ordinal, value);

    public static void Put(ICellSink sink, int ordinal, long value) => sink.Integer(ordinal, value);

    public static void Put(ICellSink sink, int ordinal, float value)
    {
        if (float.IsNaN(value))
            sink.Null(ordinal);
        else
            sink.Real(ordinal, value + 0f);
    }

    public static void Put(ICellSink sink, int ordinal, double value)
    {
        if (double.IsNaN(value))
            sink.Null(ordinal);
        else
            sink.Real(ordinal, value + 0d);
    }

    public static void Put(ICellSink sink, int ordinal, DateTime value) => sink.Integer(ordinal, Timestamps.ToMicros(value));

    public static void Put(ICellSink sink, int ordinal, DateOnly value) => sink.Integer(ordinal, value.DayNumber - EpochDay);

    public static void Put(ICellSink sink, int ordinal, Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, bigEndian: true, out _);
        sink.Blob(ordinal, bytes);
    }

    public static void Put(ICellSink sink, int ordinal, float[]? value)
    {
        if (value is null)
            sink.Null(ordinal);
        else if (BitConverter.IsLittleEndian)
            sink.Blob(ordinal, MemoryMarshal.AsBytes(value.AsSpan()));
        else
        {
            var bytes = new byte[value.Length * 4];
            for (var i = 0; i < value.Length; i++)
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * 4), value[i]);
            sink.Blob(ordinal, bytes);
        }
    }

    public static void PutEnum<TEnum>(ICellSink sink, int ordinal, TEnum value) where TEnum : struct, Enum => sink.Text(ordinal, EnumNames<TEnum>.Name(value));

    /// <param name="unit">Ten to the power of the column's scale.</param>
    public static void PutDecimal(ICellSink sink, int ordinal, decimal value, decimal unit) => sink.Integer(ordinal, (long)(value * unit));

    public static readonly int EpochDay = new DateOnly(1970, 1, 1).DayNumber;
}
