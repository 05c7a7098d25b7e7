using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AiWorkflows.Features;

/// <summary>Writes canonical cells as JSON: times in ISO-8601, enums by name, Guids as text, vectors as arrays.</summary>
internal sealed class JsonCells : ICellSink
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Utf8JsonWriter _writer;
    private readonly IReadOnlyList<FeatureColumn> _columns;
    private readonly bool _names;

    private JsonCells(Utf8JsonWriter writer, IReadOnlyList<FeatureColumn> columns, bool names) => (_writer, _columns, _names) = (writer, columns, names);

    public static string Write(IReadOnlyList<FeatureColumn> columns, Action<ICellSink> bind)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartObject();
        bind(new JsonCells(writer, columns, names: true));
        writer.WriteEndObject();
        writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <param name="bind">Binds event time and keys; only the keys are written.</param>
    public static string WriteKeys(GroupSchema schema, Action<ICellSink> bind)
    {
        var buffer = new ArrayBufferWriter<byte>(64);
        using var writer = new Utf8JsonWriter(buffer, Options);
        writer.WriteStartArray();
        bind(new JsonCells(writer, schema.Columns, names: false));
        writer.WriteEndArray();
        writer.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public void Null(int ordinal)
    {
        if (Name(ordinal))
            _writer.WriteNullValue();
    }

    public void Integer(int ordinal, long value)
    {
        if (!Name(ordinal))
            return;
        switch (_columns[ordinal].Type)
        {
            case ColumnType.Boolean: _writer.WriteBooleanValue(value != 0); break;
            case ColumnType.Timestamp: _writer.WriteStringValue(Timestamps.Iso(Timestamps.FromMicros(value))); break;
            case ColumnType.Date: _writer.WriteStringValue(DateOnly.FromDayNumber((int)value + CellWriter.EpochDay).ToString("O", CultureInfo.InvariantCulture)); break;
            case ColumnType.Decimal: _writer.WriteNumberValue(value / Canonical.PowerOfTen(_columns[ordinal].Scale)); break;
            default: _writer.WriteNumberValue(value); break;
        }
    }

    public void Real(int ordinal, double value)
    {
        if (!Name(ordinal))
            return;
        if (_columns[ordinal].Type == ColumnType.Single)
            _writer.WriteNumberValue((float)value);
        else
            _writer.WriteNumberValue(value);
    }

    public void Text(int ordinal, string value)
    {
        if (Name(ordinal))
            _writer.WriteStringValue(value);
    }

    public void Blob(int ordinal, ReadOnlySpan<byte> value)
    {
        if (!Name(ordinal))
            return;
        if (_columns[ordinal].Type == ColumnType.Guid)
        {
            _writer.WriteStringValue(new Guid(value, bigEndian: true));
            return;
        }
        _writer.WriteStartArray();
        for (var i = 0; i < value.Length; i += 4)
            if (BinaryPrimitives.ReadSingleLittleEndian(value[i..]) is var element && float.IsNaN(element))
                _writer.WriteNullValue();
            else
                _writer.WriteNumberValue(element);
        _writer.WriteEndArray();
    }

    /// <summary>Writes the property's name, or says that the cell is left out.</summary>
    private bool Name(int ordinal)
    {
        if (!_names)
            return _columns[ordinal].Role == ColumnRole.Key;
        _writer.WritePropertyName(_columns[ordinal].Name);
        return true;
    }
}
