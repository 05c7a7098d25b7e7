using System.Text.Json;
using System.Text.Json.Serialization;

namespace AiWorkflows.Features;

/// <summary>Statistics of all rows that a pipeline gave for a window (not only of those that were new), stored with the commit.</summary>
internal sealed record CommitStatistics(long Rows, IReadOnlyList<ColumnStatistics> Columns)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    public static CommitStatistics? Parse(string? json) => string.IsNullOrEmpty(json) ? null : JsonSerializer.Deserialize<CommitStatistics>(json, Json);
}

/// <summary>Statistics of one column.</summary>
/// <param name="Count">Values that are not missing.</param>
/// <param name="Min">Smallest number; null for texts and times.</param>
/// <param name="Deviation">Standard deviation of the population.</param>
/// <param name="From">Earliest time, ISO-8601; null for other types.</param>
/// <param name="Histogram">At most 20 bins; null for texts and times.</param>
/// <param name="Distinct">Number of distinct texts; null where there were too many to count.</param>
/// <param name="Top">The most frequent texts, at most 20.</param>
internal sealed record ColumnStatistics(
    string Name, long Count, long Nulls, double? Min = null, double? Max = null, double? Mean = null, double? Deviation = null,
    string? From = null, string? To = null, Histogram? Histogram = null, int? Distinct = null, IReadOnlyList<ValueCount>? Top = null);

internal sealed record ValueCount(string Value, long Count);

/// <summary>Counts between edges: <c>Counts[i]</c> values lie in <c>[Edges[i], Edges[i + 1])</c>.</summary>
internal sealed record Histogram(IReadOnlyList<double> Edges, IReadOnlyList<long> Counts)
{
    /// <summary>The sum of two histograms, on the edges that cut no bin of either.</summary>
    public Histogram Add(Histogram other)
    {
        bool CutsNone(double edge, Histogram h)
        {
            for (var i = 0; i < h.Counts.Count; i++)
                if (edge > h.Edges[i] && edge < h.Edges[i + 1])
                    return false;
            return true;
        }
        double[] edges = [.. Edges.Where(e => CutsNone(e, other)).Concat(other.Edges.Where(e => CutsNone(e, this))).Distinct().Order()];
        return new Histogram(edges, [.. edges.Skip(1).Select((to, i) => CountIn(edges[i], to) + other.CountIn(edges[i], to))]);
    }

    /// <summary>The counts moved onto other edges, in proportion where a bin is cut; what lies outside goes to the first or last bin. For comparing a day with a reference.</summary>
    public double[] On(IReadOnlyList<double> edges)
    {
        var counts = new double[edges.Count - 1];
        for (var i = 0; i < Counts.Count; i++)
        {
            var width = Edges[i + 1] - Edges[i];
            for (var j = 0; j < counts.Length; j++)
            {
                var from = j == 0 ? double.NegativeInfinity : edges[j];
                var to = j == counts.Length - 1 ? double.PositiveInfinity : edges[j + 1];
                var overlap = Math.Min(to, Edges[i + 1]) - Math.Max(from, Edges[i]);
                if (overlap > 0)
                    counts[j] += Counts[i] * overlap / width;
            }
        }
        return counts;
    }

    private long CountIn(double from, double to)
    {
        var count = 0L;
        for (var i = 0; i < Counts.Count; i++)
            if (Edges[i] >= from && Edges[i + 1] <= to)
                count += Counts[i];
        return count;
    }
}
