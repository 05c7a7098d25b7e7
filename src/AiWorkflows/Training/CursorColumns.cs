using System.Text;
using AiWorkflows.Models;
using Apache.Arrow;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Training;

/// <summary>One active column of a cursor: the values of the current record batch, and a getter over them.</summary>
internal abstract class CursorColumn(string name)
{
    protected string Name => name;

    public abstract void Load(RecordBatch batch);

    public abstract Delegate Getter(DatasetCursor cursor);

    public static CursorColumn For(ExampleSchema schema, int index)
    {
        if (index == schema.LabelIndex)
            return ModelTasks.Of(schema.Label!) switch
            {
                ModelTask.Binary => new BooleanCursorColumn(DatasetFile.LabelColumn),
                ModelTask.Multiclass => new TextCursorColumn(DatasetFile.LabelColumn),
                _ => new NumberCursorColumn(DatasetFile.LabelColumn),
            };
        var column = schema.Columns[index];
        return column.Kind switch
        {
            ExampleColumnKind.Number => new NumberCursorColumn(column.Name),
            ExampleColumnKind.Text => new TextCursorColumn(column.Name),
            _ => new VectorCursorColumn(column.Name, column.Length),
        };
    }
}

internal sealed class NumberCursorColumn(string name) : CursorColumn(name)
{
    private readonly float[] _values = new float[DatasetFile.BatchRows];

    public override void Load(RecordBatch batch) => ((FloatArray)batch.Column(Name)).Values.CopyTo(_values);

    public override Delegate Getter(DatasetCursor cursor)
    {
        var values = _values;
        return (ValueGetter<float>)((ref float value) => value = values[cursor.Row]);
    }
}

internal sealed class BooleanCursorColumn(string name) : CursorColumn(name)
{
    private readonly byte[] _bits = new byte[DatasetFile.BatchRows / 8];

    public override void Load(RecordBatch batch)
    {
        var array = (BooleanArray)batch.Column(Name);
        array.Values[..((array.Length + 7) / 8)].CopyTo(_bits);
    }

    public override Delegate Getter(DatasetCursor cursor)
    {
        var bits = _bits;
        return (ValueGetter<bool>)((ref bool value) => value = (bits[cursor.Row >> 3] >> (cursor.Row & 7) & 1) != 0);
    }
}

internal sealed class VectorCursorColumn(string name, int length) : CursorColumn(name)
{
    private readonly float[] _values = new float[DatasetFile.BatchRows * length];

    public override void Load(RecordBatch batch) => ((FloatArray)((FixedSizeListArray)batch.Column(Name)).Values).Values.CopyTo(_values);

    public override Delegate Getter(DatasetCursor cursor)
    {
        var values = _values;
        return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
        {
            var editor = VBufferEditor.Create(ref value, length);
            values.AsSpan(cursor.Row * length, length).CopyTo(editor.Values);
            value = editor.Commit();
        });
    }
}

/// <summary>Text, interned per cursor: what repeats is decoded into the same string.</summary>
internal sealed class TextCursorColumn(string name) : CursorColumn(name)
{
    private const int MostInterned = 65_536;

    private readonly string?[] _values = new string?[DatasetFile.BatchRows];
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private char[] _characters = new char[256];

    /// <summary>Of the record batch loaded last; null where missing.</summary>
    public ReadOnlySpan<string?> Values => _values;

    public override void Load(RecordBatch batch)
    {
        var array = (StringArray)batch.Column(Name);
        var known = _known.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var i = 0; i < array.Length; i++)
        {
            if (array.IsNull(i))
            {
                _values[i] = null;
                continue;
            }
            var bytes = array.GetBytes(i);
            if (bytes.Length > _characters.Length)
                _characters = new char[bytes.Length * 2];
            var characters = _characters.AsSpan(0, Encoding.UTF8.GetChars(bytes, _characters));
            if (!known.TryGetValue(characters, out var text))
            {
                text = characters.ToString();
                if (_known.Count < MostInterned)
                    _known.Add(text);
            }
            _values[i] = text;
        }
    }

    public override Delegate Getter(DatasetCursor cursor)
    {
        var values = _values;
        return (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = values[cursor.Row].AsMemory());
    }
}
