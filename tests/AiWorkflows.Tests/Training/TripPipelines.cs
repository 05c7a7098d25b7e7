using AiWorkflows.Features;
using AiWorkflows.Training;
using Microsoft.ML;
using Microsoft.ML.Trainers.FastTree;
using Microsoft.ML.Trainers.LightGbm;

namespace AiWorkflows.Tests.Training;

internal class TripTraining : TrainingPipeline<TripExample>
{
    public static readonly TimeSpan History = TimeSpan.FromDays(40), Holdout = TimeSpan.FromDays(12);

    protected internal override void Define(TrainingBuilder<TripExample> train) => train
        .Model("trip-delay", "Probability that a trip is late").Split(History, Holdout).Baseline("hour", e => e.Hour / 24)
        .Fit((ml, columns) => Features(ml, columns).Append(Trainer(ml, columns)));

    protected static IEstimator<ITransformer> Features(MLContext ml, ExampleColumns columns) =>
        ml.Transforms.Categorical.OneHotEncoding([.. columns.Text.Select(t => new InputOutputColumnPair(t))]).Append(ml.Transforms.Concatenate("Features", [.. columns.Numeric, .. columns.Text]));

    /// <summary>FastTree and linear trainers skip examples with missing values.</summary>
    protected static IEstimator<ITransformer> Filled(MLContext ml) => ml.Transforms.ReplaceMissingValues("Features");

    protected virtual IEstimator<ITransformer> Trainer(MLContext ml, ExampleColumns columns) => ml.BinaryClassification.Trainers.LightGbm(
        new LightGbmBinaryTrainer.Options { LabelColumnName = columns.Label, NumberOfIterations = 30, Seed = 1, Deterministic = true, NumberOfThreads = 1 });
}

internal sealed class FastTreeTripTraining : TripTraining
{
    protected override IEstimator<ITransformer> Trainer(MLContext ml, ExampleColumns columns) => Filled(ml).Append(ml.BinaryClassification.Trainers.FastTree(
        new FastTreeBinaryTrainer.Options { LabelColumnName = columns.Label, NumberOfTrees = 20, NumberOfThreads = 1 }));
}

internal sealed class RefitTripTraining : TripTraining
{
    protected internal override void Define(TrainingBuilder<TripExample> train)
    {
        base.Define(train);
        train.Refit();
    }
}

internal sealed class UnseededTripTraining : TripTraining
{
    protected internal override void Define(TrainingBuilder<TripExample> train)
    {
        base.Define(train);
        train.WithSeed(null);
    }
}

internal sealed class SdcaTripTraining : TripTraining
{
    protected override IEstimator<ITransformer> Trainer(MLContext ml, ExampleColumns columns) => Filled(ml)
        .Append(ml.BinaryClassification.Trainers.SdcaLogisticRegression(columns.Label, maximumNumberOfIterations: 2));
}

internal sealed class NumberTripTraining : TripTraining
{
    protected internal override void Define(TrainingBuilder<TripExample> train) => train.Model("trip-minutes").Split(History, Holdout).Baseline("gap", e => e.Gap ?? double.NaN)
        .Fit((ml, columns) => Features(ml, columns).Append(Filled(ml)).Append(ml.Regression.Trainers.FastTree(new FastTreeRegressionTrainer.Options { LabelColumnName = columns.Label, NumberOfTrees = 20, NumberOfThreads = 1 })));
}

internal sealed class ClassTripTraining : TripTraining
{
    protected internal override void Define(TrainingBuilder<TripExample> train) => train.Model("trip-weather").Split(History, Holdout)
        .Fit((ml, columns) => ml.Transforms.Conversion.MapValueToKey(columns.Label).Append(ml.Transforms.Concatenate("Features", columns.Numeric))
            .Append(ml.MulticlassClassification.Trainers.LightGbm(new LightGbmMulticlassTrainer.Options { LabelColumnName = columns.Label, NumberOfIterations = 10, NumberOfThreads = 1, Deterministic = true }))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")));
}

internal sealed class BrokenTripTraining : TripTraining
{
    protected override IEstimator<ITransformer> Trainer(MLContext ml, ExampleColumns columns) => ml.BinaryClassification.Trainers.LightGbm("Late");
}

/// <summary>Definitions over examples in memory.</summary>
internal static class TripDefinitions
{
    /// <summary>As many trips as history needs, and some days more.</summary>
    public const int Rows = 144 * 50;

    public static readonly DateTime CutOff = Trips.Start + TimeSpan.FromDays(48);

    public static TrainingDefinition Training<TPipeline>(FeatureViewDefinition view, Stage stage)
    {
        var errors = new List<string>();
        var definition = TrainingDefinitions.TryCreate(typeof(TPipeline), [view], stage.Services, errors);
        errors.ShouldBeEmpty();
        return definition!;
    }

    public static ListView<TripExample> View(IReadOnlyList<Example<TripExample>> trips, Type? label = null, string fingerprint = "f1") => new(trips, label ?? typeof(bool), Trips.Within, fingerprint);
}
