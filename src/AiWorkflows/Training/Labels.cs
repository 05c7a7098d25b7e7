using AiWorkflows.Models;
using Microsoft.ML;

namespace AiWorkflows.Training;

/// <summary>A label as a number (0 or 1, or the value), or as the name of a class.</summary>
internal readonly record struct ActualLabel(double Number, string? Text);

/// <summary>What is known about the labels of a range of rows.</summary>
/// <param name="Mean">Share of positive labels, or the mean; NaN for classes and where there are no rows.</param>
/// <param name="Classes">Rows by class; <c>true</c> and <c>false</c> for a binary label, empty for a number.</param>
internal sealed record LabelSummary(long Rows, double Mean, IReadOnlyDictionary<string, long> Classes)
{
    public static LabelSummary Of(DatasetView rows, ModelTask task)
    {
        var (count, sum, classes) = (0L, 0.0, new Dictionary<string, long>(StringComparer.Ordinal));
        foreach (var label in Labels.Read(rows, task))
        {
            count++;
            sum += label.Number;
            if (task != ModelTask.Regression)
            {
                var name = label.Text ?? (label.Number > 0.5 ? "true" : "false");
                classes[name] = classes.GetValueOrDefault(name) + 1;
            }
        }
        return new(count, task == ModelTask.Multiclass || count == 0 ? double.NaN : sum / count, classes);
    }

    /// <summary>Whether there is enough to learn from, or to judge by: rows, and for classes more than one of them.</summary>
    public bool Suffices(ModelTask task) => Rows > 0 && (task == ModelTask.Regression || Classes.Count > 1);

    /// <summary>"12,345 rows (2,345 true, 10,000 false)".</summary>
    public override string ToString()
    {
        var culture = System.Globalization.CultureInfo.InvariantCulture;
        var rows = $"{Rows.ToString("N0", culture)} row{(Rows == 1 ? "" : "s")}";
        return Classes.Count == 0 ? rows
            : $"{rows} ({string.Join(", ", Classes.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(5).Select(c => $"{c.Value.ToString("N0", culture)} {c.Key}"))})";
    }
}

internal static class Labels
{
    /// <summary>The labels of a range of rows, in order.</summary>
    public static IEnumerable<ActualLabel> Read(DatasetView rows, ModelTask task)
    {
        var column = rows.Schema[ExampleSchema.LabelName];
        using var cursor = rows.GetRowCursor([column]);
        switch (task)
        {
            case ModelTask.Binary:
                var (flag, boolean) = (false, cursor.GetGetter<bool>(column));
                while (cursor.MoveNext())
                {
                    boolean(ref flag);
                    yield return new(flag ? 1 : 0, null);
                }
                break;
            case ModelTask.Multiclass:
                var (name, text) = (default(ReadOnlyMemory<char>), cursor.GetGetter<ReadOnlyMemory<char>>(column));
                while (cursor.MoveNext())
                {
                    text(ref name);
                    yield return new(double.NaN, name.ToString());
                }
                break;
            default:
                var (value, number) = (0f, cursor.GetGetter<float>(column));
                while (cursor.MoveNext())
                {
                    number(ref value);
                    yield return new(value, null);
                }
                break;
        }
    }
}
