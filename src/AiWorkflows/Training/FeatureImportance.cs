using System.Reflection;
using System.Text.Json;
using AiWorkflows.Models;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace AiWorkflows.Training;

/// <summary>
/// Share of the gain of all splits that fell on each feature: exact and free, where permutation costs seconds. Only tree ensembles have it.
/// The members of ML.NET's tree models are found by name, so that the core needs no reference to a trainer's package.
/// </summary>
internal static class FeatureImportance
{
    /// <summary>Features by falling share, which add up to 1; null for a model without trees or where its slots cannot be named.</summary>
    public static IReadOnlyList<(string Feature, double Share)>? Of(ITransformer model, ExampleSchema schema)
    {
        if (FindPredictor(model) is not { } found || Trees(found.Model) is not { } trees)
            return null;
        var slots = SlotNames(model, schema, found.FeatureColumn);
        if (slots is null)
            return null;
        var gains = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (slot, gain) in trees)
        {
            if (slot < 0 || slot >= slots.Length)
                return null;
            var feature = FeatureOf(slots[slot], schema);
            gains[feature] = gains.GetValueOrDefault(feature) + gain;
        }
        var total = gains.Values.Sum();
        return total <= 0 ? null : [.. gains.OrderByDescending(g => g.Value).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => (g.Key, g.Value / total))];
    }

    /// <summary>A JSON object of feature to share, highest first; null for null.</summary>
    public static string? ToJson(IReadOnlyList<(string Feature, double Share)>? shares) =>
        shares is null ? null : JsonSerializer.Serialize(shares.ToDictionary(s => s.Feature, s => Math.Round(s.Share, 6)), Text);

    private static readonly JsonSerializerOptions Text = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static (object Model, string FeatureColumn)? FindPredictor(ITransformer model)
    {
        if (model is IEnumerable<ITransformer> chain)
            return chain.Reverse().Select(FindPredictor).FirstOrDefault(p => p is not null);
        var features = Get(model, "FeatureColumnName") as string;
        var predictor = Get(model, "Model");
        while (predictor is not null && Get(predictor, "SubModel") is { } inner)
            predictor = inner;
        return features is null || predictor is null ? null : (predictor, features);
    }

    private static IEnumerable<(int Slot, double Gain)>? Trees(object predictor)
    {
        if (Get(predictor, "TrainedTreeEnsemble") is not { } ensemble || Get(ensemble, "Trees") is not System.Collections.IEnumerable trees)
            return null;
        return Splits(trees);

        static IEnumerable<(int, double)> Splits(System.Collections.IEnumerable trees)
        {
            foreach (var tree in trees)
            {
                var gains = (IReadOnlyList<double>)Get(tree, "SplitGains")!;
                var features = (IReadOnlyList<int>)Get(tree, "NumericalSplitFeatureIndexes")!;
                var categorical = (IReadOnlyList<bool>)Get(tree, "CategoricalSplitFlags")!;
                var slotsOf = tree.GetType().GetMethod("GetCategoricalSplitFeaturesAt");
                for (var node = 0; node < gains.Count; node++)
                    yield return (categorical[node] && slotsOf?.Invoke(tree, [node]) is IReadOnlyList<int> { Count: > 0 } slots ? slots[0] : features[node], gains[node]);
            }
        }
    }

    private static string[]? SlotNames(ITransformer model, ExampleSchema schema, string column)
    {
        if (model.GetOutputSchema(schema.DataView).GetColumnOrNull(column) is not { } features)
            return null;
        if (features.Type == NumberDataViewType.Single)
            return [column];
        if (features.Type is not VectorDataViewType { Size: > 0 } type)
            return null;
        if (features.Annotations.Schema.GetColumnOrNull("SlotNames") is not { } slots)
            return schema.Columns.Any(c => c.Name == column) ? [.. Enumerable.Repeat(column, type.Size)] : null;
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        features.Annotations.GetGetter<VBuffer<ReadOnlyMemory<char>>>(slots)(ref names);
        return NameVectors([.. names.DenseValues().Select(n => n.ToString())], schema);
    }

    /// <summary>ML.NET leaves the slots of a plain vector unnamed: they go to the vector columns in their order, which is that of <see cref="ExampleColumns.Numeric"/>.</summary>
    private static string[] NameVectors(string[] slots, ExampleSchema schema)
    {
        var vectors = new Queue<ExampleColumn>(schema.Columns.Where(c => c.Kind == ExampleColumnKind.Vector));
        for (var i = 0; i < slots.Length; i++)
            if (slots[i].Length == 0)
            {
                var (name, length) = vectors.TryDequeue(out var vector) ? (vector.Name, vector.Length) : ($"slot {i}", 1);
                for (var end = Math.Min(slots.Length, i + length); i < end && slots[i].Length == 0; i++)
                    slots[i] = name;
                i--;
            }
        return slots;
    }

    /// <summary>A slot is named after its column, or <c>column.slot</c> where one column gave several: they are added up.</summary>
    private static string FeatureOf(string slot, ExampleSchema schema) =>
        schema.Columns.FirstOrDefault(c => slot == c.Name || (slot.StartsWith(c.Name, StringComparison.Ordinal) && slot.Length > c.Name.Length && slot[c.Name.Length] == '.'))?.Name ?? slot;

    private static object? Get(object target, string property)
    {
        for (var type = target.GetType(); type is not null; type = type.BaseType)
            if (type.GetProperty(property, BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly) is { } found)
                return found.GetValue(target);
        return null;
    }
}
