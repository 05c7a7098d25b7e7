using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace AiWorkflows.Features;

/// <summary>Cells of one row that came as JSON, strictly checked: what a type does not hold is refused, never bent.</summary>
internal sealed class InstanceCells(IReadOnlyList<FeatureColumn> columns, object?[] cells) : IRowCursor
{
    public long CommitId => 0;

    public bool IsDeleted => false;

    public bool Read() => true;

    public bool IsNull(int ordinal) => cells[ordinal] is null;

    public long Integer(int ordinal) => cells[ordinal] is long value ? value : 0;

    public double Real(int ordinal) => cells[ordinal] is double value ? value : 0;

    public string Text(int ordinal) => cells[ordinal] as string ?? "";

    public byte[] Blob(int ordinal) => cells[ordinal] as byte[] ?? [];

    public void Dispose() { }

    public IReadOnlyList<FeatureColumn> Columns => columns;

    /// <summary>The canonical cell (long, double, string or byte[]; null for missing) of a JSON value.</summary>
    /// <param name="enumType">The enum of an enum's column.</param>
    /// <param name="path">Where the row stands in what was sent; with <paramref name="item"/>, where the array of rows does.</param>
    /// <exception cref="InstanceException">The column cannot hold it.</exception>
    public static object? Of(FeatureColumn column, Type? enumType, JsonElement value, string path, int? item = null)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return column.IsNullable ? null : throw Refuse("null, but it is never missing");
        return column.Type switch
        {
            ColumnType.Text => Text(),
            ColumnType.Enum => Enum.TryParse(enumType!, Text(), ignoreCase: false, out var member) && Enum.IsDefined(enumType!, member!)
                ? Text() : throw new InstanceException(Field(), NearMatches.Unknown("value", Text(), Enum.GetNames(enumType!)).Message),
            ColumnType.Boolean => value.ValueKind switch
            {
                JsonValueKind.True => 1L,
                JsonValueKind.False => 0L,
                _ => throw Expected("true or false"),
            },
            ColumnType.Byte => Whole(byte.MinValue, byte.MaxValue),
            ColumnType.Int16 => Whole(short.MinValue, short.MaxValue),
            ColumnType.Int32 => Whole(int.MinValue, int.MaxValue),
            ColumnType.Int64 => Whole(long.MinValue, long.MaxValue),
            ColumnType.Single => Number(float.MaxValue),
            ColumnType.Double => Number(double.MaxValue),
            ColumnType.Decimal => Decimal(),
            ColumnType.Timestamp => Time(),
            ColumnType.Date => DateOnly.TryParseExact(Text(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
                ? (long)(date.DayNumber - CellWriter.EpochDay) : throw Expected("a date such as 2001-06-30"),
            ColumnType.Guid => Guid.TryParse(Text(), out var guid) ? guid.ToByteArray(bigEndian: true) : throw Expected("a GUID"),
            _ => Vector(),
        };

        string Field() => item is { } i ? $"{path}[{i}].{column.Name}" : $"{path}.{column.Name}";
        InstanceException Refuse(string problem) => new(Field(), $"it is {problem}.");
        InstanceException Expected(string what) => Refuse($"{Shown(value)}, expected is {what}");

        string Text() => value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Expected("a text");

        long Whole(long least, long most) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most
            ? number : throw Expected($"a whole number from {least} to {most}");

        double Number(double most) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Abs(number) <= most
            ? column.Type == ColumnType.Single ? (float)number : number
            : throw Expected(value.ValueKind == JsonValueKind.Number ? $"a number of at most {most:R} in size" : "a number, or null where it is missing");

        long Decimal()
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetDecimal(out var number))
                throw Expected($"a decimal of at most {column.Precision} digits, {column.Scale} of them after the point");
            try
            {
                return (long)(Canonical.Decimal(number, column.Precision, column.Scale) * Canonical.PowerOfTen(column.Scale));
            }
            catch (ValueRefusedException e)
            {
                throw new InstanceException(Field(), e.Message, e);
            }
        }

        long Time()
        {
            var text = Text();
            // Without an offset nobody knows which moment is meant.
            var hasOffset = text.EndsWith('Z') || text.EndsWith('z') || (text.Length > 16 && text.AsSpan(11).IndexOfAny('+', '-') >= 0);
            return hasOffset && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
                ? Timestamps.ToMicros(time.UtcDateTime) : throw Expected("a time with its offset, such as 2001-06-30T17:05:00Z");
        }

        byte[] Vector()
        {
            if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != column.MaxLength)
                throw Expected($"an array of {column.MaxLength} numbers");
            var bytes = new byte[column.MaxLength * sizeof(float)];
            var i = 0;
            foreach (var element in value.EnumerateArray())
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(sizeof(float) * i++), element.ValueKind == JsonValueKind.Null ? float.NaN
                    : element.ValueKind == JsonValueKind.Number && element.TryGetSingle(out var number) && float.IsFinite(number) ? number
                    : throw new InstanceException($"{Field()}[{i - 1}]", $"it is {Shown(element)}, expected is a number."));
            return bytes;
        }
    }

    /// <summary>A value as an error shows it: never more than a line of it.</summary>
    private static string Shown(JsonElement value) => value.GetRawText() is var text && text.Length <= 60 ? text.ReplaceLineEndings(" ") : text[..60].ReplaceLineEndings(" ") + "…";
}
