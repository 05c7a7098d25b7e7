using System.Data;
using AiWorkflows.Features;
using Microsoft.Data.SqlClient;

namespace AiWorkflows.Storage.SqlServer;

/// <summary>Canonical cells as values of the columns' own types, and back.</summary>
internal static class SqlServerCells
{
    private const long MicrosADay = 86_400_000_000;

    public static SqlParameter Time(string name, DateTime time) => new(name, SqlDbType.DateTime2) { Scale = 6, Value = time };

    /// <summary>The CLR type of what <see cref="ToColumn(FeatureColumn, object)"/> returns.</summary>
    public static Type TypeOf(FeatureColumn column) => column.Type switch
    {
        ColumnType.Text or ColumnType.Enum => typeof(string),
        ColumnType.Boolean => typeof(bool),
        ColumnType.Byte => typeof(byte),
        ColumnType.Int16 => typeof(short),
        ColumnType.Int32 => typeof(int),
        ColumnType.Int64 => typeof(long),
        ColumnType.Single => typeof(float),
        ColumnType.Double => typeof(double),
        ColumnType.Decimal => typeof(decimal),
        ColumnType.Timestamp or ColumnType.Date => typeof(DateTime),
        _ => typeof(byte[]),
    };

    /// <summary>A canonical key: long, string or byte[].</summary>
    public static object ToColumn(FeatureColumn column, object cell) => cell switch
    {
        long integer => ToColumn(column, integer),
        string or byte[] => cell,
        _ => throw new ArgumentException($"A canonical key is long, string or byte[]; {column.Name} is {cell?.GetType().Name ?? "null"}.", nameof(cell)),
    };

    public static object ToColumn(FeatureColumn column, long cell) => column.Type switch
    {
        ColumnType.Boolean => cell != 0,
        ColumnType.Byte => (byte)cell,
        ColumnType.Int16 => (short)cell,
        ColumnType.Int32 => (int)cell,
        ColumnType.Timestamp => Timestamps.FromMicros(cell),
        ColumnType.Date => Timestamps.FromMicros(cell * MicrosADay),
        ColumnType.Decimal => new decimal((int)(Magnitude(cell) & 0xFFFFFFFF), (int)(Magnitude(cell) >> 32), 0, cell < 0, (byte)column.Scale),
        _ => cell,
    };

    /// <summary>The server has no NaN.</summary>
    public static object ToColumn(FeatureColumn column, double cell) => double.IsNaN(cell) ? DBNull.Value : column.Type == ColumnType.Single ? (float)cell : cell;

    public static long Integer(SqlDataReader reader, int ordinal, FeatureColumn column) => column.Type switch
    {
        ColumnType.Boolean => reader.GetBoolean(ordinal) ? 1 : 0,
        ColumnType.Byte => reader.GetByte(ordinal),
        ColumnType.Int16 => reader.GetInt16(ordinal),
        ColumnType.Int32 => reader.GetInt32(ordinal),
        ColumnType.Timestamp => Timestamps.ToMicros(reader.GetDateTime(ordinal)),
        ColumnType.Date => Timestamps.ToMicros(reader.GetDateTime(ordinal)) / MicrosADay,
        ColumnType.Decimal => Scaled(reader.GetDecimal(ordinal), column.Scale),
        _ => reader.GetInt64(ordinal),
    };

    public static double Real(SqlDataReader reader, int ordinal, FeatureColumn column) => column.Type == ColumnType.Single ? reader.GetFloat(ordinal) : reader.GetDouble(ordinal);

    private static long Scaled(decimal value, int scale)
    {
        for (var i = 0; i < scale; i++)
            value *= 10;
        return (long)value;
    }

    private static ulong Magnitude(long cell) => (ulong)Math.Abs(cell);
}
