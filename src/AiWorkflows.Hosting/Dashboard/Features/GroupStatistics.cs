using System.Text.Json;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>What one commit counted, column by column, and how its expectations came out.</summary>
internal sealed record GroupStatistics(DashboardCommit Commit, IReadOnlyDictionary<string, ColumnStatistics> Columns, IReadOnlyList<ExpectationResult> Expectations)
{
    public static GroupStatistics Of(DashboardCommit commit)
    {
        var columns = new Dictionary<string, ColumnStatistics>(StringComparer.Ordinal);
        if (Parse(commit.StatisticsJson) is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("columns", out var all) && all.ValueKind == JsonValueKind.Array)
            foreach (var column in all.EnumerateArray())
                columns[Text(column, "name")] = ColumnStatistics.Of(column);
        var rules = Parse(commit.Expectations) is { ValueKind: JsonValueKind.Array } results
            ? results.EnumerateArray().Select(rule => new ExpectationResult(Text(rule, "rule"), Text(rule, "outcome"), (long)(Value(rule, "violations") ?? 0), Text(rule, "first"))).ToArray() : [];
        return new(commit, columns, rules);
    }

    internal static string Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) ? value.ValueKind == JsonValueKind.String ? value.GetString()! : value.ToString() : "";

    internal static double? Value(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static JsonElement Parse(JsonText? text) => text is { Text: { Length: > 0 } } json ? json.Parse() : default;
}

/// <param name="Outcome">What happens to a row that violates it: fail, quarantine, warn.</param>
/// <param name="First">An example; empty where there was none.</param>
internal sealed record ExpectationResult(string Rule, string Outcome, long Violations, string First);

/// <summary>Numbers of a column in a commit; texts have their most frequent values instead of a histogram.</summary>
internal sealed record ColumnStatistics(long Count, long Nulls, string Least, double? Mean, string Greatest, IReadOnlyList<double> Histogram, string Top)
{
    public double NullRate => Nulls / (double)Math.Max(1, Count + Nulls);

    public static ColumnStatistics Of(JsonElement s)
    {
        double[] histogram = s.TryGetProperty("histogram", out var h) && h.TryGetProperty("counts", out var counts) ? [.. counts.EnumerateArray().Select(c => c.GetDouble())] : [];
        var top = s.TryGetProperty("top", out var values) && values.ValueKind == JsonValueKind.Array
            ? string.Join(", ", values.EnumerateArray().Take(5).Select(v => GroupStatistics.Text(v, "value"))) : "";
        if (GroupStatistics.Value(s, "distinct") is { } distinct)
            top = $"{Rendering.Format.Count((long)distinct, "value")}{(top.Length > 0 ? ": " + top : "")}";
        return new((long)(GroupStatistics.Value(s, "count") ?? 0), (long)(GroupStatistics.Value(s, "nulls") ?? 0), Edge(s, "min", "from"), GroupStatistics.Value(s, "mean"), Edge(s, "max", "to"), histogram, top);
    }

    private static string Edge(JsonElement s, string number, string time) =>
        GroupStatistics.Value(s, number) is { } value ? Rendering.Format.Number(value, "#,0.###") : GroupStatistics.Text(s, time).Replace("T00:00:00Z", "", StringComparison.Ordinal).Replace('T', ' ').TrimEnd('Z');
}
