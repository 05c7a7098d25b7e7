using AiWorkflows.Benchmarks.Data;
using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Training;
using AiWorkflows.Workflows;
using FlightDelays;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Benchmarks.Models;

/// <summary>The store that a run of the reference application has left, with the definitions of its view, its training and its batch inference, without a job engine.</summary>
internal sealed class ReferenceStore : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private ReferenceStore(ServiceProvider services, FeatureViewDefinition<DelayExample> view, ExampleSchema<DelayExample> schema, InferenceDefinition scoring) =>
        (_services, View, Schema, Scoring) = (services, view, schema, scoring);

    public FeatureViewDefinition<DelayExample> View { get; }

    public ExampleSchema<DelayExample> Schema { get; }

    public IFeatureStore Features => _services.GetRequiredService<IFeatureStore>();

    public IModelRegistry Registry => _services.GetRequiredService<IModelRegistry>();

    private InferenceDefinition Scoring { get; }

    public static async Task<ReferenceStore> OpenAsync(string database, CancellationToken ct)
    {
        var services = new ServiceCollection().AddSqliteStorage(database).AddLogging().BuildServiceProvider();
        var errors = new List<string>();
        var view = (FeatureViewDefinition<DelayExample>?)FeatureDefinitions.TryCreateView(typeof(DelayView), services, errors);
        var scoring = view is null ? null : InferenceDefinitions.TryCreate(typeof(DelayScoring), [view], services, errors);
        if (errors.Count > 0)
            throw new InvalidDefinitionsException(errors);
        var store = new ReferenceStore(services, view!, ExampleSchema<DelayExample>.TryCreate(view!.LabelType, errors)!, scoring!);
        await BenchRun.RegisterAsync(services, ct);
        return store;
    }

    /// <summary>From the store to a fitted model, as the training stage does it.</summary>
    public async Task<MaterializedDataset> TrainAsync(TrainingSplit split, string directory, CancellationToken ct)
    {
        var dataset = await MaterializeAsync(split, directory, ct);
        using var file = new DatasetFile(dataset.Path);
        var train = Training();
        await ModelFitting.FitAsync(train.Estimator!, Schema, new DatasetView(file, Schema, 0, file.RowsBefore(split.Training.To), ct), train.Seed, nameof(DelayTraining), ct);
        return dataset;
    }

    public async Task<MaterializedDataset> MaterializeAsync(TrainingSplit split, string directory, CancellationToken ct) =>
        await DatasetMaterializer.WriteTemporaryAsync(View, Schema, new FeatureReadSession(Features, await Features.CurrentSeqAsync(ct)), split, directory, null, ct);

    /// <summary>Fits what the reference application fits, with ML.NET alone.</summary>
    public void Fit(Microsoft.ML.IDataView rows)
    {
        var train = Training();
        train.Estimator!(new(train.Seed), Schema.ForTrainer).Fit(rows);
    }

    private static TrainingBuilder<DelayExample> Training()
    {
        var train = new TrainingBuilder<DelayExample>();
        new DelayTraining().Define(train);
        return train;
    }

    /// <summary>One run with the batch inference stage alone: claimed, read, scored, written, published.</summary>
    /// <returns>Rows scored.</returns>
    public async Task<long> ScoreAsync(Window window, CancellationToken ct)
    {
        var champion = await Registry.FindAliasAsync(Scoring.Model, "champion", ct) ?? throw new InvalidOperationException("The run of the reference application has promoted no model.");
        var rows = 0L;
        await BenchRun.ExecuteAsync(_services, window, [(Scoring.Name, StepKinds.Inference)], async context =>
        {
            var seal = await Scoring.ExecuteAsync(context, champion.Version, new(Features, Registry, _services.GetRequiredService<IPredictionLog>()), ct);
            rows = context.Progress.RowsWritten;
            return new Publication(context.Attempt) { Batch = seal };
        }, ct);
        return rows;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
