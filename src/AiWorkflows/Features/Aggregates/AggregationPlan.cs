using System.Linq.Expressions;

namespace AiWorkflows.Features;

/// <summary>A component of an aggregation over one span: where its result lies in the buffer of results.</summary>
/// <param name="Panes">Length of the span in hops.</param>
internal readonly record struct PlannedSpan(int Component, int Panes, int Offset, int Length);

/// <summary>How one call in <c>Select</c> gets its value from the buffer of results.</summary>
internal sealed record PlannedCall(string Function, int Offset, int SecondOffset);

/// <summary>An aggregation as it was declared, taken apart: what to keep for each pane, what to combine, how to build the row.</summary>
internal sealed class AggregationPlan<TEvent, TKey, TRow> where TEvent : class where TRow : class where TKey : notnull
{
    public required TimeSpan Hop { get; init; }

    /// <summary>The distinct lengths of spans, in hops, ascending.</summary>
    public required int[] SpanPanes { get; init; }

    public required IReadOnlyList<Func<PaneStore<TEvent>>> Components { get; init; }

    public required IReadOnlyList<PlannedSpan> Spans { get; init; }

    public required IReadOnlyList<PlannedCall> Calls { get; init; }

    public required int Results { get; init; }

    public required Func<TEvent, TKey> Key { get; init; }

    /// <summary>Whether a part of the key is missing: such an event belongs to no key.</summary>
    public required Func<TEvent, bool> HasNoKey { get; init; }

    public required Func<TKey, DateTime, double[], TRow> Row { get; init; }

    /// <summary>The properties of the event that are read; null for all.</summary>
    public required IReadOnlySet<string>? EventProperties { get; init; }

    public TimeSpan LongestSpan => Hop * SpanPanes[^1];

    /// <summary>How far before its window the pipeline reads: one hop more than the longest span, in order to see what left it.</summary>
    public TimeSpan Lookback => LongestSpan + Hop;

    /// <summary>The value of a call from the combined results.</summary>
    public static double Finish(PlannedCall call, ReadOnlySpan<double> results)
    {
        var (a, b) = (call.Offset, call.SecondOffset);
        return call.Function switch
        {
            nameof(AggregationSpan<>.Mean) => results[a + 1] > 0 ? results[a] / results[a + 1] : double.NaN,
            nameof(AggregationSpan<>.Share) => results[b] > 0 ? results[a] / results[b] : double.NaN,
            nameof(AggregationSpan<>.Max) or nameof(AggregationSpan<>.Last) => results[a + 1],
            nameof(AggregationSpan<>.StandardDeviation) => results[a] > 0 ? Math.Sqrt(results[a + 2] / results[a]) : double.NaN,
            _ => results[a],
        };
    }
}
