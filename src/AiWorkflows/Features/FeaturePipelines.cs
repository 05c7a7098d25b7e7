namespace AiWorkflows;

/// <summary>What all feature pipelines have in common: they write one feature group and may expect something of its rows.</summary>
/// <typeparam name="TRow">The record of the feature group.</typeparam>
public abstract class FeaturePipeline<TRow> where TRow : class
{
    /// <summary>Name of the stage, in kebab case.</summary>
    /// <value>The default value is the class name without "Pipeline".</value>
    public virtual string Name => Naming.Kebab(GetType(), "FeaturePipeline", "Pipeline");

    /// <summary>How far before its window the pipeline reads its inputs; late input within it reopens the window.</summary>
    /// <value>The default value is zero.</value>
    public virtual TimeSpan Lookback => TimeSpan.Zero;

    /// <summary>Declares what must hold for every row, and what happens to a row that violates it.</summary>
    protected internal virtual void Expect(Expectations<TRow> e) { }
}

/// <summary>A feature pipeline in plain C#: a window in, the rows of that window out.</summary>
/// <typeparam name="TRow">The record of the feature group.</typeparam>
public abstract class BatchFeaturePipeline<TRow> : FeaturePipeline<TRow> where TRow : class
{
    /// <summary>
    /// Where the window of a stage with partitions may be cut: at multiples of this length, counted from the start of 0001. By default it is cut into cells of the
    /// workflow's grid, so that the pipeline sees no other windows than without partitions.
    /// </summary>
    /// <value>The default value is null.</value>
    public virtual TimeSpan? SliceUnit => null;

    /// <summary>Computes exactly the rows whose event time lies in <paramref name="window"/>; a row outside fails the commit.</summary>
    /// <param name="window">Half-open interval of event time, UTC; of a stage with partitions, that of one slice.</param>
    /// <param name="ct">Cancelled when the run is cancelled, the host stops, or the lease is lost.</param>
    public abstract IAsyncEnumerable<TRow> ComputeAsync(Window window, CancellationToken ct);
}

/// <summary>Sliding windows over an event group, declared once; the engine runs it over history, over a day, or over a stream, and gives the same rows.</summary>
/// <typeparam name="TEvent">The record of the group that is aggregated.</typeparam>
/// <typeparam name="TRow">The record of the group that is written.</typeparam>
public abstract class AggregateFeaturePipeline<TEvent, TRow> : FeaturePipeline<TRow> where TEvent : class where TRow : class
{
    /// <summary>Declares key, hop and row: <c>events.By(…).Every(…).Select(…)</c>.</summary>
    protected internal abstract void Define(AggregationBuilder<TEvent, TRow> events);
}

/// <summary>Reads a feature group inside a pipeline. A constructor parameter of this type is lineage, edge of the workflow and snapshot at once.</summary>
/// <typeparam name="TRow">The record of the group that is read.</typeparam>
public interface IFeatureReader<TRow> where TRow : class
{
    /// <summary>The current rows with an event time in <paramref name="window"/>, in canonical order (event time, then keys), as of the run's snapshot.</summary>
    IAsyncEnumerable<TRow> ReadAsync(Window window, CancellationToken ct = default);
}
