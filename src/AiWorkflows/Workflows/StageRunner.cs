using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Monitoring;
using AiWorkflows.Training;
using Microsoft.Extensions.Logging;

namespace AiWorkflows.Workflows;

/// <summary>Executes the code of one step and says what it wants to publish.</summary>
internal sealed class StageRunner(EngineStores stores, RunEngineOptions options)
{
    private readonly InferenceStores _inference = new(stores.Features, stores.Registry, stores.Predictions);
    private readonly TrainingStores _training = new(stores.Features, stores.Registry, options.DatasetDirectory);

    public async Task<Publication> RunAsync(WorkflowDefinition workflow, StageDefinition stage, StageRunRecord row, StageContext context, CancellationToken ct)
    {
        var covers = (context.Window, OwedWindows.Start(workflow, stage));
        var publication = row.Kind != StepKinds.Control ? await ExecuteAsync(workflow, stage, context, ct)
            : row.Step == RunPlanner.PublishOf(stage.Name) ? new Publication(context.Attempt) { Kind = PublicationKind.AllSlices, Coverage = Counts(stage, context) ? covers : null }
            : stage.Inference is { } inference ? await FillInOutcomesAsync(inference, context, ct)
            // A command executes such a step itself, and ended before it was done.
            : throw new StageFailedException($"{row.Step} was cut short with the command that had begun it, and nothing of it was published. Run the command again.");
        if (row.IsSlice)
            publication = publication with { Kind = PublicationKind.Slice };
        else if (row.Kind != StepKinds.Control && Counts(stage, context))
            publication = publication with { Coverage = covers };
        return publication with { RowsRead = context.Progress.RowsRead, RowsWritten = context.Progress.RowsWritten, ProgressText = context.Progress.Text };
    }

    /// <summary>Models and predictions of a backtest stand beside the workflow's own, which are still owed.</summary>
    private static bool Counts(StageDefinition stage, StageContext context) => stage.Feature is not null || context.Backfill is not { Backtest: true };

    private async Task<Publication> ExecuteAsync(WorkflowDefinition workflow, StageDefinition stage, StageContext context, CancellationToken ct)
    {
        if (stage.Feature is { } feature)
            return new(context.Attempt) { Commit = await feature.ExecuteAsync(context, stores.Features, ct) };
        if (stage.Training is { } training)
        {
            try
            {
                var result = await training.ExecuteAsync(context, _training, ct);
                return new(context.Attempt) { Dataset = result.Dataset, Model = result.Model, Alias = result.Alias };
            }
            catch (StageFailedException e) when (e.NoHistory && context.Backfill is not null)
            {
                context.Log.LogInformation("Skipped: {Reason}", e.Message);
                return new(context.Attempt) { SkipReason = RunPlanner.NoHistory };
            }
        }
        var inference = stage.Inference!;
        if (await PinAsync(inference.Model, context, ct) is { } version)
            return new(context.Attempt) { Batch = await inference.ExecuteAsync(context, version, _inference, ct) };
        return context.Backfill is not null ? new(context.Attempt) { SkipReason = RunPlanner.NoModel } : throw await NoChampionAsync(workflow, inference.Model, ct);
    }

    private Task<int?> PinAsync(string model, StageContext context, CancellationToken ct) => context.Backfill is { } backfill
        ? stores.Ledger.PinTrainedModelAsync(context.Attempt.RunId, model, backfill.Alias, context.Window.From, ct)
        : stores.Ledger.PinModelAsync(context.Attempt.RunId, model, "champion", ct);

    private async Task<Publication> FillInOutcomesAsync(InferenceDefinition inference, StageContext context, CancellationToken ct)
    {
        await OutcomesStep.ExecuteAsync(context, inference, _inference, ct);
        return new(context.Attempt);
    }

    private async Task<StageFailedException> NoChampionAsync(WorkflowDefinition workflow, string model, CancellationToken ct) => new(
        await stores.Registry.ModelExistsAsync(model, ct)
            ? $"Model '{model}' has no champion: none of its versions was promoted. See why with 'models show {model}', and promote one with 'models promote {model} VERSION'; then 'runs resume'."
            : $"Model '{model}' has no champion: it was never trained. Train it with 'run {workflow.Name}' or 'run {workflow.Name} --monolith train'; then 'runs resume'.");
}
