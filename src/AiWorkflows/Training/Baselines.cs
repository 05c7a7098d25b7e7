using System.Text;
using System.Text.Json;
using AiWorkflows.Features;
using AiWorkflows.Models;

namespace AiWorkflows.Training;

/// <summary>
/// Scores of the naive predictors on the holdout. They are functions of an example, so they are computed while examples are read;
/// what needs the training rows (the prior) is filled in afterwards.
/// </summary>
internal sealed class Baselines<TExample>(ModelTask task, IReadOnlyList<(string Name, Func<TExample, double> Score)> declared) where TExample : class
{
    public const string Prior = "prior";

    private readonly List<double>[] _scores = [.. declared.Select(_ => new List<double>())];

    /// <summary>Takes a labelled example of the holdout, in order.</summary>
    public void Add(in Example<TExample> example)
    {
        for (var i = 0; i < declared.Count; i++)
            _scores[i].Add(declared[i].Score(example.Features));
    }

    /// <summary>Evaluates the prior and the declared baselines on the holdout; a NaN score counts as the prior.</summary>
    /// <param name="labels">Labels of the holdout, in the order in which examples were added.</param>
    public IReadOnlyList<NamedEvaluation> Evaluate(LabelSummary training, IEnumerable<ActualLabel> labels)
    {
        if (task == ModelTask.Multiclass)
            return [new(Prior, Classes(training, labels))];
        var prior = training.Mean;
        var all = labels.Select(l => l.Number).ToArray();
        return [new(Prior, Numbers(all, _ => prior)), .. declared.Select((d, i) => new NamedEvaluation(d.Name, Numbers(all, row => double.IsNaN(_scores[i][row]) ? prior : _scores[i][row])))];
    }

    /// <summary>A JSON object of baseline name to metrics.</summary>
    public static string ToJson(IReadOnlyList<NamedEvaluation> baselines)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var baseline in baselines)
            {
                json.WritePropertyName(baseline.Name);
                baseline.Evaluation.Write(json);
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private Evaluation Numbers(double[] labels, Func<int, double> score)
    {
        if (task == ModelTask.Regression)
        {
            var regression = new RegressionEvaluation();
            for (var row = 0; row < labels.Length; row++)
                regression.Add(score(row), labels[row]);
            return regression.Finish();
        }
        var binary = new BinaryEvaluation(labels.Length);
        for (var row = 0; row < labels.Length; row++)
            binary.Add(score(row), score(row), labels[row] > 0.5);
        return binary.Finish();
    }

    private static Evaluation Classes(LabelSummary training, IEnumerable<ActualLabel> labels)
    {
        var evaluation = new MulticlassEvaluation();
        var commonest = training.Classes.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).First().Key;
        foreach (var label in labels)
            evaluation.Add(label.Text == commonest, training.Classes.GetValueOrDefault(label.Text!) / (double)training.Rows);
        return evaluation.Finish();
    }
}
