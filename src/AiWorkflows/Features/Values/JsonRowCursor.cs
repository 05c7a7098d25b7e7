using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace AiWorkflows.Features;

/// <summary>One row read back from the JSON that <see cref="JsonCells"/> wrote.</summary>
internal sealed class JsonRowCursor(IReadOnlyList<FeatureColumn> columns, string json) : IRowCursor
{
    private readonly JsonDocument _document = JsonDocument.Parse(json);
    private bool _read;

    public long CommitId => 0;

    public bool IsDeleted => false;

    public bool Read() => !_read && (_read = true);

    public bool IsNull(int ordinal) => !_document.RootElement.TryGetProperty(columns[ordinal].Name, out var value) || value.ValueKind == JsonValueKind.Null;

    public long Integer(int ordinal) => IsNull(ordinal) ? 0 : Integer(columns[ordinal], Cell(ordinal));

    public double Real(int ordinal) => IsNull(ordinal) ? 0 : Cell(ordinal).GetDouble();

    public string Text(int ordinal) => IsNull(ordinal) ? "" : Cell(ordinal).GetString()!;

    public byte[] Blob(int ordinal) => IsNull(ordinal) ? [] : Blob(columns[ordinal], Cell(ordinal));

    public void Dispose() => _document.Dispose();

    /// <summary>The canonical value of a key given as JSON: long, string or byte[].</summary>
    public static object Key(FeatureColumn column, JsonElement value) => column.Kind switch
    {
        CellKind.Integer => Integer(column, value),
        CellKind.Blob => Blob(column, value),
        _ => value.GetString()!,
    };

    private static long Integer(FeatureColumn column, JsonElement value) => column.Type switch
    {
        ColumnType.Boolean => value.GetBoolean() ? 1 : 0,
        ColumnType.Timestamp => Timestamps.ToMicros(DateTime.Parse(value.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind)),
        ColumnType.Date => DateOnly.ParseExact(value.GetString()!, "O", CultureInfo.InvariantCulture).DayNumber - CellWriter.EpochDay,
        ColumnType.Decimal => (long)(value.GetDecimal() * Canonical.PowerOfTen(column.Scale)),
        _ => value.GetInt64(),
    };

    private static byte[] Blob(FeatureColumn column, JsonElement value)
    {
        if (column.Type == ColumnType.Guid)
            return value.GetGuid().ToByteArray(bigEndian: true);
        var bytes = new byte[value.GetArrayLength() * 4];
        var i = 0;
        foreach (var element in value.EnumerateArray())
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(4 * i++), element.ValueKind == JsonValueKind.Null ? float.NaN : element.GetSingle());
        return bytes;
    }

    private JsonElement Cell(int ordinal) => _document.RootElement.GetProperty(columns[ordinal].Name);
}
