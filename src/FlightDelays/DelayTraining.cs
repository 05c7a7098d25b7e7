using AiWorkflows;
using Microsoft.ML;
using Microsoft.ML.Trainers.LightGbm;

namespace FlightDelays;

/// <summary>Trains on five months and holds the last thirty days back; the model must beat the late rate of route and hour.</summary>
public sealed class DelayTraining : TrainingPipeline<DelayExample>
{
    /// <inheritdoc/>
    protected override void Define(TrainingBuilder<DelayExample> train) => train
        .Model("flight-delay", "Probability that a departing flight arrives more than 15 minutes late.")
        .Split(history: TimeSpan.FromDays(151), holdout: TimeSpan.FromDays(30))
        .Baseline("route and hour", e => e.RouteHourLate)
        .PromoteWhen((candidate, reference) => candidate.Auc > reference.Auc)
        .Fit((ml, columns) => ml.Transforms.Concatenate("Features", columns.Numeric)
            .Append(ml.BinaryClassification.Trainers.LightGbm(new LightGbmBinaryTrainer.Options
            {
                LabelColumnName = columns.Label,
                NumberOfIterations = 100,
                LearningRate = 0.1,
                NumberOfLeaves = 31,
                MinimumExampleCountPerLeaf = 200,
                // One thread and a seed: the same data gives the same model to the bit.
                NumberOfThreads = 1,
                Deterministic = true,
                Seed = 1,
            })));
}
