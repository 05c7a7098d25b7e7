using AiWorkflows.Features;

namespace AiWorkflows.Workflows;

/// <summary>Executes the code of one step and says what it wants to publish.</summary>
internal sealed class StageRunner(EngineStores stores, RunEngineOptions options)
{
    public async Task<Publication> RunAsync(WorkflowDefinition workflow, StageDefinition stage, StageRunRecord row, StageContext context, CancellationToken ct)
    {
        var covered = (context.Window, OwedWindows.Start(workflow, stage));
        Publication publication;
        if (row.Kind == StepKinds.Control)
            publication = await OutcomesAsync(stage, context, ct);
        else if (stage.Feature is { } feature)
            publication = new(context.Attempt) { Commit = await feature.ExecuteAsync(context, stores.Features, ct), Coverage = covered };
        else if (stage.Training is { } training)
        {
            var result = await training.ExecuteAsync(context, new(stores.Features, stores.Registry, options.DatasetDirectory), ct);
            publication = new(context.Attempt) { Dataset = result.Dataset, Model = result.Model, Alias = result.Alias, Coverage = covered };
        }
        else
        {
            var inference = stage.Inference!;
            var version = await stores.Ledger.PinModelAsync(context.Attempt.RunId, inference.Model, "champion", ct) ?? throw await NoChampionAsync(workflow, inference.Model, ct);
            var batch = await inference.ExecuteAsync(context, version, new(stores.Features, stores.Registry, stores.Predictions), ct);
            publication = new(context.Attempt) { Batch = batch, Coverage = covered };
        }
        return publication with { RowsRead = context.Progress.RowsRead, RowsWritten = context.Progress.RowsWritten, ProgressText = context.Progress.Text };
    }

    private static Task<Publication> OutcomesAsync(StageDefinition stage, StageContext context, CancellationToken ct) =>
        throw new StageFailedException($"Outcomes of {stage.Name} cannot be filled in by this version.");

    private async Task<StageFailedException> NoChampionAsync(WorkflowDefinition workflow, string model, CancellationToken ct) => new(
        await stores.Registry.ModelExistsAsync(model, ct)
            ? $"Model '{model}' has no champion: none of its versions was promoted. See why with 'models show {model}', and promote one with 'models promote {model} VERSION'; then 'runs resume'."
            : $"Model '{model}' has no champion: it was never trained. Train it with 'run {workflow.Name}' or 'run {workflow.Name} --monolith train'; then 'runs resume'.");
}
