using System.Linq.Expressions;

namespace AiWorkflows;

/// <summary>
/// A keyed fold over an event group, for what no sliding window expresses: each event of a key makes the key's next row out of the last one. A stream runs it as
/// events arrive; as a stage of a workflow it folds the events of a window, from the last row before it on, and gives the same rows.
/// </summary>
/// <typeparam name="TEvent">The record of the group that is folded.</typeparam>
/// <typeparam name="TRow">The record of the group that is written; its group is declared with <c>Online = true</c>, because a fold goes on from the last row of a key.</typeparam>
public abstract class StreamFeaturePipeline<TEvent, TRow> : FeaturePipeline<TRow> where TEvent : class where TRow : class
{
    /// <summary>Declares the key, and sessions where the fold has them: <c>events.By(…).Session(…)</c>.</summary>
    protected internal abstract void Define(StreamBuilder<TEvent, TRow> events);

    /// <summary>The next row of the event's key. Depends on nothing but its arguments: it is called again whenever an event comes out of order.</summary>
    /// <param name="last">The row before; null where there is none, or the session has ended.</param>
    /// <param name="e">The next event of the key, in the order of event time.</param>
    /// <returns>A row with the event's key and event time.</returns>
    protected internal abstract TRow Apply(TRow? last, TEvent e);
}

/// <summary>First step of a fold: by what.</summary>
/// <typeparam name="TEvent">The record that is folded.</typeparam>
/// <typeparam name="TRow">The record that is written.</typeparam>
public sealed class StreamBuilder<TEvent, TRow> where TEvent : class where TRow : class
{
    internal LambdaExpression? Key { get; private set; }

    internal TimeSpan? Gap { get; set; }

    /// <summary>Folds the events of each <paramref name="key"/>: a property, or <c>new { … }</c> of several; in the order of the keys of <typeparamref name="TRow"/>, and of their types.</summary>
    public KeyedStream<TEvent, TRow> By<TKey>(Expression<Func<TEvent, TKey>> key)
    {
        Key = key;
        return new(this);
    }
}

/// <summary>Second step of a fold: sessions.</summary>
/// <typeparam name="TEvent">The record that is folded.</typeparam>
/// <typeparam name="TRow">The record that is written.</typeparam>
public sealed class KeyedStream<TEvent, TRow> where TEvent : class where TRow : class
{
    private readonly StreamBuilder<TEvent, TRow> _builder;

    internal KeyedStream(StreamBuilder<TEvent, TRow> builder) => _builder = builder;

    /// <summary>Ends a session, so that the next event starts anew, when more than <paramref name="gap"/> lies between two events of a key.</summary>
    public void Session(TimeSpan gap) => _builder.Gap = gap;
}
