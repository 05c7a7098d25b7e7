using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Models;

/// <summary>The columns of a scored row, and how a <see cref="AiWorkflows.Score"/> is read from them.</summary>
internal sealed class ScoreColumns
{
    private readonly ModelTask _task;
    private readonly DataViewSchema.Column _score;
    private readonly DataViewSchema.Column? _probability;

    private ScoreColumns(ModelTask task, DataViewSchema.Column score, DataViewSchema.Column? probability, string[] classes) =>
        (_task, _score, _probability, Classes) = (task, score, probability, classes);

    /// <summary>Names of the classes in the order of the score vector; empty unless there are several.</summary>
    public string[] Classes { get; }

    public DataViewSchema.Column ScoreColumn => _score;

    public bool HasProbability => _probability is not null;

    public IEnumerable<DataViewSchema.Column> Active => _probability is { } p ? [_score, p] : [_score];

    /// <exception cref="StageFailedException">The model gives no score of the type that its task needs.</exception>
    public static ScoreColumns Find(DataViewSchema schema, ModelTask task, string model)
    {
        if (schema.GetColumnOrNull("Score") is not { } score || (task == ModelTask.Multiclass ? score.Type is not VectorDataViewType : score.Type != NumberDataViewType.Single))
            throw new StageFailedException($"Model {model} gives {(schema.GetColumnOrNull("Score") is { } found ? $"a Score of type {found.Type}" : "no Score")}; a {task.Name()} label needs a {task.Name()} trainer at the end of Fit.");
        var probability = task == ModelTask.Binary && schema.GetColumnOrNull("Probability") is { } p && p.Type == NumberDataViewType.Single ? p : (DataViewSchema.Column?)null;
        return new(task, score, probability, task == ModelTask.Multiclass ? ClassNames(score) : []);
    }

    /// <summary>Reads the score of the row on which <paramref name="row"/> stands.</summary>
    public Func<Score> Reader(DataViewRow row)
    {
        if (_task == ModelTask.Multiclass)
            return ClassReader(row.GetGetter<VBuffer<float>>(Same(row, _score)));
        var score = row.GetGetter<float>(Same(row, _score));
        if (_probability is not { } column)
            return () =>
            {
                float value = 0;
                score(ref value);
                return new(value, float.NaN);
            };
        var probability = row.GetGetter<float>(Same(row, column));
        return () =>
        {
            float value = 0, p = 0;
            score(ref value);
            probability(ref p);
            return new(value, p);
        };
    }

    private Func<Score> ClassReader(ValueGetter<VBuffer<float>> get)
    {
        var buffer = default(VBuffer<float>);
        var dense = new float[Classes.Length];
        return () =>
        {
            get(ref buffer);
            buffer.CopyTo(dense);
            var best = 0;
            for (var i = 1; i < dense.Length; i++)
                if (dense[i] > dense[best])
                    best = i;
            return new(dense[best], dense[best], Classes[best]);
        };
    }

    private static DataViewSchema.Column Same(DataViewRow row, DataViewSchema.Column column) => row.Schema[column.Index];

    private static string[] ClassNames(DataViewSchema.Column score)
    {
        var size = ((VectorDataViewType)score.Type).Size;
        if (score.Annotations.Schema.GetColumnOrNull("SlotNames") is not { } slots)
            return [.. Enumerable.Range(0, size).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        score.Annotations.GetGetter<VBuffer<ReadOnlyMemory<char>>>(slots)(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }
}
