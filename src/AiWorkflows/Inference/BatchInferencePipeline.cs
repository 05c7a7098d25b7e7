namespace AiWorkflows;

/// <summary>What a model says about one example.</summary>
/// <param name="Value">Raw score; the prediction itself for regression.</param>
/// <param name="Probability">Probability of the positive class, or of the predicted class; NaN where the task has none.</param>
/// <param name="Label">The predicted class of a multi-class model; null otherwise.</param>
public readonly record struct Score(float Value, float Probability, string? Label = null);

/// <summary>A batch inference pipeline: the spine rows of a window and the champion in, logged predictions out.</summary>
/// <typeparam name="TExample">The example type of exactly one feature view.</typeparam>
/// <typeparam name="TPrediction">An immutable record of what was decided; logged as JSON.</typeparam>
public abstract class BatchInferencePipeline<TExample, TPrediction> where TExample : class where TPrediction : class
{
    /// <summary>Name of the stage, in kebab case.</summary>
    /// <value>The default value is the class name without "Pipeline".</value>
    public virtual string Name => Naming.Kebab(GetType(), "Pipeline");

    /// <summary>Name of the model in the registry; its champion scores.</summary>
    public abstract string Model { get; }

    /// <summary>Turns a score into the prediction that is logged.</summary>
    public abstract TPrediction Decide(TExample example, Score score);
}
