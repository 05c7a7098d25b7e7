using System.Buffers.Binary;

namespace AiWorkflows.Features;

/// <summary>Turns a cell of a store into a typed value. Called from compiled codecs.</summary>
internal static class CellReader
{
    public static DateTime Time(long cell) => Timestamps.FromMicros(cell);

    public static DateOnly Date(long cell) => DateOnly.FromDayNumber((int)cell + CellWriter.EpochDay);

    public static decimal Decimal(long cell, int scale)
    {
        var magnitude = Math.Abs(cell);
        return new decimal((int)(magnitude & 0xFFFFFFFF), (int)(magnitude >> 32), 0, cell < 0, (byte)scale);
    }

    public static Guid Guid(byte[] cell) => new(cell, bigEndian: true);

    public static TEnum Enumeration<TEnum>(string cell) where TEnum : struct, Enum => EnumNames<TEnum>.Parse(cell);

    public static float[] Vector(byte[] cell)
    {
        var vector = new float[cell.Length / 4];
        for (var i = 0; i < vector.Length; i++)
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(cell.AsSpan(i * 4));
        return vector;
    }
}
