using System.Globalization;
using System.Text.Json;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Predictions;

/// <summary>The features of a training dataset, as its bins tell: where in it a value lies.</summary>
internal sealed class FeatureDistributions
{
    private readonly Dictionary<string, (double[] Edges, long[] Counts)> _features = new(StringComparer.Ordinal);

    public static FeatureDistributions Of(JsonText statistics)
    {
        var found = new FeatureDistributions();
        if (statistics.Text is null || statistics.Parse() is not { ValueKind: JsonValueKind.Object } json || !json.TryGetProperty("columns", out var columns) || columns.ValueKind != JsonValueKind.Object)
            return found;
        foreach (var column in columns.EnumerateObject())
            if (column.Value.TryGetProperty("edges", out var edges) && column.Value.TryGetProperty("bins", out var bins) && bins.GetArrayLength() == edges.GetArrayLength() + 1)
                found._features[column.Name] = ([.. edges.EnumerateArray().Select(e => e.GetDouble())], [.. bins.EnumerateArray().Select(b => b.GetInt64())]);
        return found;
    }

    /// <summary>The share of the training examples with a smaller value, to the middle of its bin; null for what is not a number or was not counted.</summary>
    public double? ShareBelow(string feature, object? value)
    {
        if (value is null or string or bool or DateTime || value is not IConvertible number || !_features.TryGetValue(feature, out var bins) || bins.Counts.Sum() is not (> 0 and var all))
            return null;
        var x = number.ToDouble(CultureInfo.InvariantCulture);
        if (!double.IsFinite(x))
            return null;
        var bin = bins.Edges.Count(edge => x >= edge);
        return (bins.Counts.Take(bin).Sum() + bins.Counts[bin] / 2d) / all;
    }
}
