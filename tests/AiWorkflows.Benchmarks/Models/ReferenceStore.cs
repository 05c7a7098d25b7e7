using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Storage;
using AiWorkflows.Training;
using AiWorkflows.Workflows;
using FlightDelays;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AiWorkflows.Benchmarks.Models;

/// <summary>The store that a run of the reference application has left, with the definitions of its view, its training and its batch inference, without a job engine.</summary>
internal sealed class ReferenceStore : IAsyncDisposable
{
    private const string Workflow = "bench";

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
        await services.GetRequiredService<ILedger>().RegisterWorkflowsAsync([(Workflow, 1, OverlapPolicy.Queue)], ct);
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
        var ledger = _services.GetRequiredService<ILedger>();
        var champion = await Registry.FindAliasAsync(Scoring.Model, "champion", ct) ?? throw new InvalidOperationException("The run of the reference application has promoted no model.");
        var (run, _) = await ledger.RequestAsync(new RunRequest(Workflow, window, "benchmark", "manual"), ct);
        await ledger.AdmitAsync(run, new RunPlan([new(Scoring.Name, Scoring.Name, StepKinds.Inference, 0, "inference", 1, null, null)], []), "benchmark", ct);
        var step = (await ledger.AdvanceAsync(run, "benchmark", 1, ct)).Dispatched.Single();
        var lease = (await ledger.ClaimAsync(step.StageRunId, new ClaimRequest(Guid.NewGuid(), "benchmark", null, "benchmark", TimeSpan.FromHours(1)), ct)).Lease
            ?? throw new InvalidOperationException($"Step {step.Step} could not be claimed.");
        var context = new StageContext
        {
            Attempt = new AttemptRef(run, step.StageRunId, lease.Attempt, lease.Stage),
            Workflow = Workflow,
            Window = window,
            AsOfSeq = lease.AsOfSeq ?? 0,
            CodeVersion = "benchmark",
            Services = _services,
            Clock = TimeProvider.System,
            Progress = new StageProgress(),
            Log = NullLogger.Instance,
        };
        var seal = await Scoring.ExecuteAsync(context, champion.Version, new(Features, Registry, _services.GetRequiredService<IPredictionLog>()), ct);
        var published = await ledger.WinAsync(new Publication(context.Attempt) { Batch = seal }, ct);
        if (published.Outcome != PublishOutcome.Published)
            throw new InvalidOperationException($"The batch was not published: {published.Outcome}.");
        await ledger.AdvanceAsync(run, "benchmark", 1, ct);
        return context.Progress.RowsWritten;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
