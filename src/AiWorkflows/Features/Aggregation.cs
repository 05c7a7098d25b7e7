using System.Linq.Expressions;

namespace AiWorkflows;

/// <summary>First step of an aggregation: by what.</summary>
/// <typeparam name="TEvent">The record that is aggregated.</typeparam>
/// <typeparam name="TRow">The record that is written.</typeparam>
public sealed class AggregationBuilder<TEvent, TRow> where TEvent : class where TRow : class
{
    internal LambdaExpression? Key { get; private set; }

    internal LambdaExpression? Row { get; set; }

    internal TimeSpan Hop { get; set; }

    /// <summary>Groups the events by <paramref name="key"/>: a property, or <c>new { … }</c> of several.</summary>
    public KeyedAggregation<TEvent, TKey, TRow> By<TKey>(Expression<Func<TEvent, TKey>> key)
    {
        Key = key;
        return new(this);
    }
}

/// <summary>Second step of an aggregation: how often, and which row.</summary>
/// <typeparam name="TEvent">The record that is aggregated.</typeparam>
/// <typeparam name="TKey">What the events are grouped by.</typeparam>
/// <typeparam name="TRow">The record that is written.</typeparam>
public sealed class KeyedAggregation<TEvent, TKey, TRow> where TEvent : class where TRow : class
{
    private readonly AggregationBuilder<TEvent, TRow> _builder;

    internal KeyedAggregation(AggregationBuilder<TEvent, TRow> builder) => _builder = builder;

    /// <summary>Sets the hop: rows end at multiples of <paramref name="hop"/> since 0001-01-01 UTC; spans are multiples of it.</summary>
    public KeyedAggregation<TEvent, TKey, TRow> Every(TimeSpan hop)
    {
        _builder.Hop = hop;
        return this;
    }

    /// <summary>Declares the row that is written at each hop where an event entered or left a span. The expression is read, not executed.</summary>
    public void Select(Expression<Func<Sliding<TEvent, TKey>, TRow>> row) => _builder.Row = row;
}

/// <summary>A key and a moment, seen from inside <c>Select</c>. Its members are read from the expression, never executed.</summary>
/// <typeparam name="TEvent">The record that is aggregated.</typeparam>
/// <typeparam name="TKey">What the events are grouped by.</typeparam>
public abstract class Sliding<TEvent, TKey> where TEvent : class
{
    private protected Sliding() { }

    /// <summary>The key.</summary>
    public TKey Key => throw OnlyInsideSelect();

    /// <summary>End of the hop, UTC: the event time of the row. Events from exactly then on belong to the next row.</summary>
    public DateTime End => throw OnlyInsideSelect();

    /// <summary>The events of the key in <c>[End - span, End)</c>.</summary>
    public abstract AggregationSpan<TEvent> Last(TimeSpan span);

    internal static InvalidOperationException OnlyInsideSelect() => new("Use it only inside Select: the expression is read, not executed.");
}

/// <summary>The events of one key in one span, seen from inside <c>Select</c>. Aggregates of no events are NaN (or 0 for counts and sums).</summary>
/// <typeparam name="TEvent">The record that is aggregated.</typeparam>
public abstract class AggregationSpan<TEvent> where TEvent : class
{
    private protected AggregationSpan() { }

    /// <summary>Number of events, or of those for which <paramref name="where"/> holds.</summary>
    public abstract int Count(Func<TEvent, bool>? where = null);

    /// <summary>Sum of <paramref name="of"/>, ignoring missing values.</summary>
    public abstract float Sum(Func<TEvent, double> of, Func<TEvent, bool>? where = null);

    /// <summary>Mean of <paramref name="of"/>, ignoring missing values.</summary>
    public abstract float Mean(Func<TEvent, double> of, Func<TEvent, bool>? where = null);

    /// <summary>Smallest <paramref name="of"/>.</summary>
    public abstract float Min(Func<TEvent, double> of, Func<TEvent, bool>? where = null);

    /// <summary>Largest <paramref name="of"/>.</summary>
    public abstract float Max(Func<TEvent, double> of, Func<TEvent, bool>? where = null);

    /// <summary>Share of the events for which <paramref name="of"/> holds.</summary>
    public abstract float Share(Func<TEvent, bool> of, Func<TEvent, bool>? where = null);

    /// <summary>Value of the earliest event in canonical order.</summary>
    public abstract float First(Func<TEvent, double> of, Func<TEvent, bool>? where = null);

    /// <summary>Value of the latest event in canonical order.</summary>
    public abstract float Last(Func<TEvent, double> of, Func<TEvent, bool>? where = null);

    /// <summary>Number of distinct values of <paramref name="of"/>; exact, so its state grows with them.</summary>
    public abstract int DistinctCount(Func<TEvent, object?> of, Func<TEvent, bool>? where = null);

    /// <summary>Standard deviation (population) of <paramref name="of"/>.</summary>
    public abstract float StandardDeviation(Func<TEvent, double> of, Func<TEvent, bool>? where = null);
}
