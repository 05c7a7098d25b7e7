using System.Collections.Concurrent;
using AiWorkflows.Features;
using AiWorkflows.Models;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.ML;

namespace AiWorkflows.Inference;

/// <summary>What a model version says about one example, as it is logged and answered.</summary>
internal readonly record struct ScoredExample(double? Score, double? Probability, string? Label, string Output, string Features, long FeatureHash);

/// <summary>A model version that is loaded and answers, on any number of threads.</summary>
internal abstract class OnlineVersion(InferenceDefinition pipeline, ModelVersionRecord version)
{
    public InferenceDefinition Pipeline => pipeline;

    public string Model => version.Model;

    public int Version => version.Version;

    /// <param name="example">Of the view's example type.</param>
    public abstract ScoredExample Score(object example);
}

/// <summary>A version of known types. What is not for several threads at once is pooled: the row that the model's mapper reads, the hash, the pipeline's own object.</summary>
internal sealed class OnlineVersion<TExample, TPrediction>(
    InferenceDefinition pipeline, ModelVersionRecord version, ITransformer model, ExampleSchema<TExample> schema, ModelTask task, IServiceProvider services)
    : OnlineVersion(pipeline, version) where TExample : class where TPrediction : class
{
    private readonly ConcurrentBag<Scorer> _idle = [];

    public override ScoredExample Score(object example)
    {
        var scorer = _idle.TryTake(out var idle) ? idle : new Scorer(
            new ModelScorer<TExample>(model, schema, task, $"{Model} v{Version}"), new FeatureVectorHash<TExample>(schema),
            (BatchInferencePipeline<TExample, TPrediction>)ActivatorUtilities.GetServiceOrCreateInstance(services, Pipeline.Type));
        // Not returned when it throws: nobody knows in which state a mapper is then.
        var scored = scorer.Score((TExample)example);
        _idle.Add(scorer);
        return scored;
    }

    private sealed record Scorer(ModelScorer<TExample> Model, FeatureVectorHash<TExample> Hash, BatchInferencePipeline<TExample, TPrediction> Pipeline)
    {
        public ScoredExample Score(TExample example)
        {
            var score = Model.Score(example);
            return new(PredictionRow.Finite(score.Value), PredictionRow.Finite(score.Probability), score.Label,
                PredictionJson.Write(Pipeline.Decide(example, score)), PredictionJson.Write(example), Hash.Of(example));
        }
    }
}
