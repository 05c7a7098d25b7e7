using AiWorkflows;

namespace FlightDelays;

/// <summary>What is decided about a departing flight.</summary>
/// <param name="Probability">That it arrives more than 15 minutes late.</param>
/// <param name="Warn">Whether the people at the destination should be told.</param>
public sealed record DelayPrediction(float Probability, bool Warn);

/// <summary>Predicts each flight one hour before its scheduled departure with the champion.</summary>
public sealed class DelayScoring : BatchInferencePipeline<DelayExample, DelayPrediction>
{
    /// <inheritdoc/>
    public override string Model => "flight-delay";

    /// <inheritdoc/>
    public override DelayPrediction Decide(DelayExample example, Score score) => new(score.Probability, Warn: score.Probability > 0.4f);
}
