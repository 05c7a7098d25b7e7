using System.Text.Json;
using AiWorkflows.Models;
using Apache.Arrow;

namespace AiWorkflows.Training;

/// <summary>Statistics per column of a dataset: what later days are compared with. A second pass over the mapped file, flat in memory.</summary>
internal static class DatasetStatistics
{
    private const int Bins = 20;
    private const int SampleRows = 20_000;
    private const int MostDistinct = 10_000;
    private const int TopValues = 20;

    /// <summary>
    /// <c>{"rows": n, "columns": {name: {count, missing, min, max, mean, deviation, edges, bins}}}</c>: <c>edges</c> are quantiles of an even sample,
    /// <c>bins</c> the exact counts between them (below the first edge first, above the last one last). Text has <c>count, missing, distinct, top</c>.
    /// </summary>
    public static string ToJson(DatasetFile file, ExampleSchema schema)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("rows", file.Rows);
            json.WriteStartObject("columns");
            foreach (var column in schema.Columns.Where(c => c.Kind != ExampleColumnKind.Vector))
                Column(json, file, column.Name, column.Kind == ExampleColumnKind.Text);
            switch (ModelTasks.Of(schema.Label!))
            {
                case ModelTask.Binary:
                    Boolean(json, file);
                    break;
                case ModelTask.Multiclass:
                    Column(json, file, DatasetFile.LabelColumn, isText: true);
                    break;
                default:
                    Column(json, file, DatasetFile.LabelColumn, isText: false);
                    break;
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Column(Utf8JsonWriter json, DatasetFile file, string name, bool isText)
    {
        json.WriteStartObject(name);
        if (isText)
            Text(json, file, name);
        else
            Number(json, file, name);
        json.WriteEndObject();
    }

    private static void Boolean(Utf8JsonWriter json, DatasetFile file)
    {
        var positive = 0L;
        foreach (var batch in file.Batches())
        {
            var labels = (BooleanArray)batch.Column(DatasetFile.LabelColumn);
            for (var i = 0; i < labels.Length; i++)
                positive += labels.GetValue(i) is true ? 1 : 0;
        }
        json.WriteStartObject(DatasetFile.LabelColumn);
        json.WriteNumber("count", file.Rows);
        json.WriteNumber("positive", positive);
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, DatasetFile file, string name)
    {
        var edges = Edges(file, name);
        var bins = new long[edges.Length + 1];
        var (count, missing, mean, deviations, min, max) = (0L, 0L, 0.0, 0.0, float.PositiveInfinity, float.NegativeInfinity);
        foreach (var batch in file.Batches())
            foreach (var value in ((FloatArray)batch.Column(name)).Values)
            {
                if (float.IsNaN(value))
                {
                    missing++;
                    continue;
                }
                var distance = value - mean;
                mean += distance / ++count;
                deviations += distance * (value - mean);
                (min, max) = (Math.Min(min, value), Math.Max(max, value));
                var place = System.Array.BinarySearch(edges, value);
                bins[place < 0 ? ~place : place + 1]++;
            }
        json.WriteNumber("count", count);
        json.WriteNumber("missing", missing);
        if (count == 0)
            return;
        json.WriteNumber("min", min);
        json.WriteNumber("max", max);
        json.WriteNumber("mean", mean);
        json.WriteNumber("deviation", count > 1 ? Math.Sqrt(deviations / (count - 1)) : 0);
        json.WriteStartArray("edges");
        foreach (var edge in edges)
            json.WriteNumberValue(edge);
        json.WriteEndArray();
        json.WriteStartArray("bins");
        foreach (var bin in bins)
            json.WriteNumberValue(bin);
        json.WriteEndArray();
    }

    /// <summary>Distinct quantiles of every n-th row, so that bins hold about as many rows each.</summary>
    private static float[] Edges(DatasetFile file, string name)
    {
        var step = Math.Max(1, file.Rows / SampleRows);
        var (sample, row) = (new List<float>(), 0L);
        foreach (var batch in file.Batches())
            foreach (var value in ((FloatArray)batch.Column(name)).Values)
                if (row++ % step == 0 && !float.IsNaN(value))
                    sample.Add(value);
        sample.Sort();
        return sample.Count == 0 ? [] : [.. Enumerable.Range(1, Bins - 1).Select(i => sample[i * sample.Count / Bins]).Distinct()];
    }

    private static void Text(Utf8JsonWriter json, DatasetFile file, string name)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var (column, missing, more) = (new TextCursorColumn(name), 0L, false);
        foreach (var batch in file.Batches())
        {
            column.Load(batch);
            foreach (var value in column.Values[..batch.Length])
                if (value is null)
                    missing++;
                else if (counts.Count < MostDistinct || counts.ContainsKey(value))
                    counts[value] = counts.GetValueOrDefault(value) + 1;
                else
                    more = true;
        }
        json.WriteNumber("count", file.Rows - missing);
        json.WriteNumber("missing", missing);
        json.WriteNumber("distinct", counts.Count);
        json.WriteBoolean("more", more);
        json.WriteStartArray("top");
        foreach (var (value, count) in counts.OrderByDescending(c => c.Value).ThenBy(c => c.Key, StringComparer.Ordinal).Take(TopValues))
        {
            json.WriteStartObject();
            json.WriteString("value", value);
            json.WriteNumber("count", count);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
