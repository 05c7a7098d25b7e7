using System.Linq.Expressions;

namespace AiWorkflows;

/// <summary>A named selection of features, and optionally a label, joined point-in-time onto a spine; its example type is what a model sees.</summary>
/// <typeparam name="TSpine">The record of the group whose rows examples are made for.</typeparam>
/// <typeparam name="TExample">The record that a model sees: numbers, booleans, strings, enums, <c>float[]</c>.</typeparam>
public abstract class FeatureView<TSpine, TExample> where TSpine : class where TExample : class
{
    /// <summary>Name of the view, in kebab case.</summary>
    /// <value>The default value is the class name without "View".</value>
    public virtual string Name => Naming.Kebab(GetType(), "FeatureView", "View");

    /// <summary>Version of the view; raise it when the meaning of an example changes.</summary>
    /// <value>The default value is 1.</value>
    public virtual int Version => 1;

    /// <summary>Declares joins, label and the one <c>Select</c>.</summary>
    protected internal abstract void Define(FeatureViewBuilder<TSpine, TExample> view);
}

/// <summary>From when on a joined row counts as known.</summary>
public enum Known
{
    /// <summary>From its event time on (plus the group's declared lag).</summary>
    AtEventTime,

    /// <summary>From its event time on, but not before the commit that brought it was published: a later correction does not leak into earlier examples.</summary>
    AsPublished,
}

/// <summary>What online inference does with an entity that is given by its keys alone and has no row in the spine's group.</summary>
public enum UnknownEntity
{
    /// <summary>Answers with every feature missing, and says so in <c>missing</c>; refused all the same where a feature cannot be missing.</summary>
    Answer,

    /// <summary>Refuses the request (400) and names the instance: for models whose answer would mean nothing.</summary>
    Refuse,
}

/// <summary>A joined group, seen from inside <c>Select</c>. The variable that holds it names the join in lineage and in explanations.</summary>
/// <typeparam name="TRow">The record of the joined group.</typeparam>
public sealed class Joined<TRow> where TRow : class
{
    internal Joined(int index) => Index = index;

    internal int Index { get; }

    /// <summary>The latest row known at the example's event time and within its maximum age. What uses a missing row is missing itself.</summary>
    public TRow Row => throw new InvalidOperationException("Use it only inside Select: the expression is read, not executed.");

    /// <summary>Whether there is such a row.</summary>
    public bool Exists => throw new InvalidOperationException("Use it only inside Select: the expression is read, not executed.");
}

/// <summary>Collects the definition of a feature view.</summary>
/// <typeparam name="TSpine">The record of the spine.</typeparam>
/// <typeparam name="TExample">The record that a model sees.</typeparam>
public sealed class FeatureViewBuilder<TSpine, TExample> where TSpine : class where TExample : class
{
    internal sealed record JoinSpec(Type Row, LambdaExpression On, TimeSpan MaxAge, bool StrictlyBefore, Known Known);

    internal sealed record LabelSpec(Type Row, LambdaExpression On, TimeSpan Within, LambdaExpression Value);

    internal List<JoinSpec> Joins { get; } = [];

    internal List<LabelSpec> Labels { get; } = [];

    internal List<Expression<Func<TSpine, TExample>>> Selections { get; } = [];

    internal UnknownEntity Unknown { get; private set; }

    /// <summary>Joins the latest row of a group that was known at the example's event time.</summary>
    /// <param name="on">Equalities combined with &amp;&amp;; binds every entity key of the joined group exactly once.</param>
    /// <param name="maxAge">Largest age of the row, inclusive.</param>
    /// <param name="strictlyBefore">Whether a row with the example's very event time does not count yet.</param>
    /// <param name="known">From when on a row counts as known.</param>
    public Joined<TRow> Join<TRow>(Expression<Func<TSpine, TRow, bool>> on, TimeSpan maxAge, bool strictlyBefore = false, Known known = Known.AtEventTime)
        where TRow : class
    {
        Joins.Add(new(typeof(TRow), on, maxAge, strictlyBefore, known));
        return new(Joins.Count - 1);
    }

    /// <summary>Declares the label: the row with the same whole key and an event time in <c>(t, t + within]</c>.</summary>
    /// <param name="on">Equalities that bind every entity key of the group.</param>
    /// <param name="within">Horizon after the example's event time, inclusive.</param>
    /// <param name="value"><see cref="bool"/> for binary classification, <see cref="float"/> for regression, an enum or string for classes.</param>
    public void Label<TRow, TLabel>(Expression<Func<TSpine, TRow, bool>> on, TimeSpan within, Expression<Func<TRow, TLabel>> value)
        where TRow : class => Labels.Add(new(typeof(TRow), on, within, value));

    /// <summary>Builds the example: <c>f => new Example(…)</c>. Called exactly once.</summary>
    public void Select(Expression<Func<TSpine, TExample>> example) => Selections.Add(example);

    /// <summary>Declares what online inference does with an entity that it does not know; it decides nothing about what an example is.</summary>
    /// <param name="entity">Without this call it is <see cref="UnknownEntity.Answer"/>.</param>
    public void WhenUnknown(UnknownEntity entity) => Unknown = entity;
}
