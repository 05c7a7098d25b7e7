using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Models;

/// <summary>One live row: set <see cref="Current"/>, then read what is mapped on top of it. Not for several threads.</summary>
internal sealed class ExampleRow<TExample>(ExampleSchema<TExample> schema) : DataViewRow where TExample : class
{
    private TExample? _current;
    private long _position = -1;

    /// <summary>The example that the getters read.</summary>
    public TExample Current
    {
        set
        {
            _current = value;
            // ML.NET answers from its cache as long as the position stands.
            _position++;
        }
    }

    public override long Position => _position;

    public override long Batch => 0;

    public override DataViewSchema Schema => schema.DataView;

    public override bool IsColumnActive(DataViewSchema.Column column) => true;

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new((ulong)_position, 0);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Delegate getter = column.Index == schema.LabelIndex ? UnknownLabel() : schema.Columns[column.Index].Kind switch
        {
            ExampleColumnKind.Number => Number((Func<TExample, float>)schema.Getters[column.Index]),
            ExampleColumnKind.Text => Text((Func<TExample, string?>)schema.Getters[column.Index]),
            _ => Vector((Func<TExample, float[]?>)schema.Getters[column.Index], schema.Columns[column.Index].Length),
        };
        return getter as ValueGetter<TValue> ?? throw new InvalidOperationException($"Column {column.Name} is {column.Type}, not {typeof(TValue).Name}.");
    }

    private ValueGetter<float> Number(Func<TExample, float> get) => (ref float value) => value = get(_current!);

    private ValueGetter<ReadOnlyMemory<char>> Text(Func<TExample, string?> get) => (ref ReadOnlyMemory<char> value) => value = get(_current!).AsMemory();

    private ValueGetter<VBuffer<float>> Vector(Func<TExample, float[]?> get, int length) => (ref VBuffer<float> value) =>
    {
        var editor = VBufferEditor.Create(ref value, length);
        if (get(_current!) is { } vector)
            for (var i = 0; i < length; i++)
                editor.Values[i] = ExampleGetters.Canonical(vector[i], typeof(TExample).Name);
        else
            editor.Values.Fill(float.NaN);
        value = editor.Commit();
    };

    /// <summary>A loaded model may want the label's column to exist; nothing that is scored depends on it.</summary>
    private Delegate UnknownLabel() => ModelTasks.Of(schema.Label!) switch
    {
        ModelTask.Binary => (ValueGetter<bool>)((ref bool value) => value = false),
        ModelTask.Multiclass => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = default),
        _ => (ValueGetter<float>)((ref float value) => value = float.NaN),
    };
}
