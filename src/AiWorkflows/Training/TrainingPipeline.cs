using Microsoft.ML;

namespace AiWorkflows;

/// <summary>A training pipeline: the examples of a view in, a versioned, evaluated, reproducible model out.</summary>
/// <typeparam name="TExample">The example type of exactly one feature view with a label.</typeparam>
public abstract class TrainingPipeline<TExample> where TExample : class
{
    /// <summary>Name of the stage, in kebab case.</summary>
    /// <value>The default value is the class name without "Pipeline".</value>
    public virtual string Name => Naming.Kebab(GetType(), "Pipeline");

    /// <summary>Declares model, split, baselines, promotion rule and trainer.</summary>
    protected internal abstract void Define(TrainingBuilder<TExample> train);
}

/// <summary>What the trainer can use: the columns of the example, as ML.NET sees them.</summary>
/// <param name="Label">Name of the label column.</param>
/// <param name="Numeric">Columns of type Single (or vectors of it); missing values are NaN.</param>
/// <param name="Text">Columns of text: strings and enums by name.</param>
public sealed record ExampleColumns(string Label, string[] Numeric, string[] Text);

/// <summary>Metrics of a model or a baseline on holdout rows. Those that do not apply to the task are NaN.</summary>
public sealed record ModelMetrics
{
    /// <summary>Rows that were evaluated.</summary>
    public long Rows { get; init; }

    /// <summary>Area under the ROC curve, 0.5 for guessing.</summary>
    public double Auc { get; init; } = double.NaN;

    /// <summary>Mean negative log likelihood, in nats.</summary>
    public double LogLoss { get; init; } = double.NaN;

    /// <summary>Mean squared error of the probability.</summary>
    public double Brier { get; init; } = double.NaN;

    /// <summary>Share of right answers at the threshold 0.5, or of the most probable class.</summary>
    public double Accuracy { get; init; } = double.NaN;

    /// <summary>Area under the precision-recall curve.</summary>
    public double AveragePrecision { get; init; } = double.NaN;

    /// <summary>Share of positive labels.</summary>
    public double PositiveRate { get; init; } = double.NaN;

    /// <summary>Mean absolute error, in the label's unit.</summary>
    public double MeanAbsoluteError { get; init; } = double.NaN;

    /// <summary>Root of the mean squared error, in the label's unit.</summary>
    public double RootMeanSquaredError { get; init; } = double.NaN;

    /// <summary>Share of the variance explained.</summary>
    public double RSquared { get; init; } = double.NaN;
}

/// <summary>Collects the definition of a training pipeline.</summary>
/// <typeparam name="TExample">The example type.</typeparam>
public sealed class TrainingBuilder<TExample> where TExample : class
{
    internal string? ModelName { get; private set; }

    internal string? Description { get; private set; }

    internal TimeSpan History { get; private set; }

    internal TimeSpan Holdout { get; private set; }

    internal bool RefitOnAll { get; private set; }

    internal List<(string Name, Func<TExample, double> Score)> Baselines { get; } = [];

    internal Func<ModelMetrics, ModelMetrics, bool>? Rule { get; private set; }

    internal Func<MLContext, ExampleColumns, IEstimator<ITransformer>>? Estimator { get; private set; }

    internal int? Seed { get; private set; } = 1;

    /// <summary>Names the model in the registry.</summary>
    public TrainingBuilder<TExample> Model(string name, string? description = null)
    {
        (ModelName, Description) = (name, description);
        return this;
    }

    /// <summary>
    /// Splits by time. With the run's cut-off c (its window's start) and the label's horizon w: training <c>[c - history, c - holdout - w]</c>,
    /// holdout <c>[c - holdout, c - w]</c>.
    /// </summary>
    public TrainingBuilder<TExample> Split(TimeSpan history, TimeSpan holdout)
    {
        (History, Holdout) = (history, holdout);
        return this;
    }

    /// <summary>After evaluation, trains once more on training and holdout together; the metrics stay those of the holdout.</summary>
    public TrainingBuilder<TExample> Refit()
    {
        RefitOnAll = true;
        return this;
    }

    /// <summary>Adds a naive predictor that the model must beat, beside the prior, which is always there. NaN counts as the prior.</summary>
    public TrainingBuilder<TExample> Baseline(string name, Func<TExample, double> score)
    {
        Baselines.Add((name, score));
        return this;
    }

    /// <summary>Decides whether a candidate becomes champion.</summary>
    /// <param name="rule">Candidate and reference: asked with the best baseline on the whole holdout, and with the champion on the rows after the champion's cut-off. Both must hold.</param>
    public TrainingBuilder<TExample> PromoteWhen(Func<ModelMetrics, ModelMetrics, bool> rule)
    {
        Rule = rule;
        return this;
    }

    /// <summary>Seed of the <see cref="MLContext"/>.</summary>
    /// <value>The default value is 1; <see langword="null"/> gives up reproducibility.</value>
    public TrainingBuilder<TExample> WithSeed(int? seed)
    {
        Seed = seed;
        return this;
    }

    /// <summary>Builds the ML.NET estimator.</summary>
    public TrainingBuilder<TExample> Fit(Func<MLContext, ExampleColumns, IEstimator<ITransformer>> estimator)
    {
        Estimator = estimator;
        return this;
    }
}
