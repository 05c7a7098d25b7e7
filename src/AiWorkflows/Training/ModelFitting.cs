using AiWorkflows.Models;
using Microsoft.ML;

namespace AiWorkflows.Training;

/// <summary>A fitted model and what it was fitted with.</summary>
internal sealed record FittedModel(MLContext Context, ITransformer Model, TrainerParameters Parameters);

/// <summary>Runs the user's estimator over a range of a dataset.</summary>
internal static class ModelFitting
{
    /// <exception cref="StageFailedException">The estimator does not fit the examples; trying again would not help.</exception>
    public static async Task<FittedModel> FitAsync(
        Func<MLContext, ExampleColumns, IEstimator<ITransformer>> estimator, ExampleSchema schema, DatasetView rows, int? seed, string pipeline, CancellationToken ct)
    {
        var ml = new MLContext(seed);
        try
        {
            var built = estimator(ml, schema.ForTrainer);
            var model = await Task.Run(() => built.Fit(rows), ct);
            return new(ml, model, TrainerParameters.Of(built));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            ct.ThrowIfCancellationRequested();
            throw new StageFailedException($"{pipeline}: ML.NET refused to train: {e.Message} Check Fit against the columns of the example ({string.Join(", ", schema.Columns.Select(c => $"{c.Name}: {c.DataType}"))}).", e);
        }
    }
}
