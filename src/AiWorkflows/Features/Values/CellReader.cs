using System.Buffers.Binary;

namespace AiWorkflows.Features;

/// <summary>Reads one typed value from a store. Called from compiled codecs.</summary>
internal static class CellReader
{
    public static DateTime Time(IRowCursor cursor, int ordinal) => Timestamps.FromMicros(cursor.Integer(ordinal));

    public static DateOnly Date(IRowCursor cursor, int ordinal) => DateOnly.FromDayNumber((int)cursor.Integer(ordinal) + CellWriter.EpochDay);

    public static decimal Decimal(IRowCursor cursor, int ordinal, int scale)
    {
        var value = cursor.Integer(ordinal);
        var magnitude = Math.Abs(value);
        return new decimal((int)(magnitude & 0xFFFFFFFF), (int)(magnitude >> 32), 0, value < 0, (byte)scale);
    }

    public static Guid Guid(IRowCursor cursor, int ordinal) => new(cursor.Blob(ordinal), bigEndian: true);

    public static TEnum Enumeration<TEnum>(IRowCursor cursor, int ordinal) where TEnum : struct, Enum => EnumNames<TEnum>.Parse(cursor.Text(ordinal));

    public static float[] Vector(IRowCursor cursor, int ordinal)
    {
        var bytes = cursor.Blob(ordinal);
        var vector = new float[bytes.Length / 4];
        for (var i = 0; i < vector.Length; i++)
            vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * 4));
        return vector;
    }
}
