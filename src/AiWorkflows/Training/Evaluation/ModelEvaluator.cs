using AiWorkflows.Models;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Training;

/// <summary>Evaluates a model on a range of a dataset, in one pass over the scored cursor.</summary>
internal static class ModelEvaluator
{
    public static Evaluation Evaluate(ITransformer model, DatasetView rows, ModelTask task, string name)
    {
        var scored = model.Transform(rows);
        var columns = ScoreColumns.Find(scored.Schema, task, name);
        var label = LabelColumn(scored.Schema, rows.Schema);
        using var cursor = scored.GetRowCursor(columns.Active.Append(label));
        return task switch
        {
            ModelTask.Binary => Binary(cursor, columns, label, rows.Rows),
            ModelTask.Multiclass => Multiclass(cursor, columns, label),
            _ => Regression(cursor, columns, label),
        };
    }

    private static Evaluation Binary(DataViewRowCursor cursor, ScoreColumns columns, DataViewSchema.Column label, long rows)
    {
        var evaluation = new BinaryEvaluation(checked((int)rows));
        var (read, labelOf, actual) = (columns.Reader(cursor), cursor.GetGetter<bool>(label), false);
        while (cursor.MoveNext())
        {
            var score = read();
            labelOf(ref actual);
            evaluation.Add(score.Value, score.Probability, actual);
        }
        return evaluation.Finish();
    }

    private static Evaluation Regression(DataViewRowCursor cursor, ScoreColumns columns, DataViewSchema.Column label)
    {
        var evaluation = new RegressionEvaluation();
        var (read, labelOf, actual) = (columns.Reader(cursor), cursor.GetGetter<float>(label), 0f);
        while (cursor.MoveNext())
        {
            labelOf(ref actual);
            evaluation.Add(read().Value, actual);
        }
        return evaluation.Finish();
    }

    private static Evaluation Multiclass(DataViewRowCursor cursor, ScoreColumns columns, DataViewSchema.Column label)
    {
        var evaluation = new MulticlassEvaluation();
        var classes = columns.Classes.Select((c, i) => (c, i)).ToDictionary(c => c.c, c => c.i, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        var scores = cursor.GetGetter<VBuffer<float>>(cursor.Schema[columns.ScoreColumn.Index]);
        var labelOf = cursor.GetGetter<ReadOnlyMemory<char>>(label);
        var (vector, dense, actual) = (default(VBuffer<float>), new float[columns.Classes.Length], default(ReadOnlyMemory<char>));
        while (cursor.MoveNext())
        {
            scores(ref vector);
            vector.CopyTo(dense);
            labelOf(ref actual);
            var known = classes.TryGetValue(actual.Span, out var index);
            evaluation.Add(known && dense.AsSpan().IndexOf(dense.Max()) == index, known ? dense[index] : 0);
        }
        return evaluation.Finish();
    }

    /// <summary>The label as the dataset holds it: the trainer's pipeline may have hidden it behind a key of the same name.</summary>
    private static DataViewSchema.Column LabelColumn(DataViewSchema scored, DataViewSchema input)
    {
        var type = input[ExampleSchema.LabelName].Type;
        return scored.First(c => c.Name == ExampleSchema.LabelName && c.Type.Equals(type));
    }
}
