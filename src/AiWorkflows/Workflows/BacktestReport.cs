using AiWorkflows.Features;
using AiWorkflows.Inference;
using AiWorkflows.Models;
using AiWorkflows.Training;
using Microsoft.Extensions.DependencyInjection;

namespace AiWorkflows.Workflows;

/// <summary>How one pipeline of a backtest did in one period.</summary>
/// <param name="Model">Null where nothing was predicted; <paramref name="Reason"/> says why.</param>
/// <param name="Trained">Whether the version was trained for this period; false where an earlier one still was the better.</param>
/// <param name="Value">The metric on the predictions whose label is known; null where it cannot be told.</param>
/// <param name="Baseline">The strongest naive predictor on the same rows.</param>
internal sealed record BacktestPeriod(
    long RunId, DateTime WindowFrom, DateTime WindowTo, string State, string Pipeline, string? Model, int? Version, DateTime? CutOff, bool Trained, long Predictions, long Known,
    string Metric, double? Value, string? Baseline, double? BaselineValue, string? Reason)
{
    /// <summary>Null where it cannot be told.</summary>
    public bool? BeatsBaseline => Value is { } value && BaselineValue is { } baseline ? Metric == ModelTask.Regression.PrimaryMetric() ? value < baseline : value > baseline : null;
}

/// <summary>Compares what a backtest has predicted with what became of it. It reads only, so it can be made again at any time, and knows more labels then.</summary>
internal sealed class BacktestReport(Catalog catalog, EngineStores stores, RunEngineOptions options, IServiceScopeFactory scopes)
{
    public async Task<IReadOnlyList<BacktestPeriod>> MakeAsync(string workflowName, IEnumerable<(long RunId, Window Window, string State)> runs, CancellationToken ct)
    {
        var workflow = catalog.Workflow(workflowName);
        await using var scope = scopes.CreateAsyncScope();
        var seq = await stores.Features.CurrentSeqAsync(ct);
        var periods = new List<BacktestPeriod>();
        foreach (var (runId, window, state) in runs)
        {
            var steps = await stores.Ledger.StageRunsAsync(runId, ct);
            foreach (var stage in workflow.Stages)
                if (stage.Inference is { } inference && catalog.Trainings.FirstOrDefault(t => t.ModelName == inference.Model) is { } training)
                    periods.Add(await OfAsync(runId, window, state, stage, inference, training, steps, seq, scope.ServiceProvider, ct));
        }
        return periods;
    }

    private async Task<BacktestPeriod> OfAsync(
        long runId, Window window, string state, StageDefinition stage, InferenceDefinition inference, TrainingDefinition training, IReadOnlyList<StageRunRecord> steps, long seq,
        IServiceProvider services, CancellationToken ct)
    {
        var task = ModelTasks.Of(training.View.LabelType!);
        var period = new BacktestPeriod(runId, window.From, window.To, state, inference.Name, null, null, null, false, 0, 0, task.PrimaryMetric(), null, null, null, null);
        var own = steps.Where(s => s.Stage == stage.Name && s.Kind == StepKinds.Inference).ToArray();
        if (own.Length == 0 || own.Any(s => s.State != States.Succeeded))
        {
            var why = own.FirstOrDefault(s => s.State != States.Succeeded);
            return period with { Reason = why?.Error ?? why?.Reason ?? state };
        }
        if ((await stores.Ledger.PinsAsync(runId, ct)).FirstOrDefault(p => p.Model == inference.Model) is not { } pin
            || await stores.Registry.FindVersionAsync(pin.Model, pin.Version, ct) is not { } version)
            return period with { Reason = RunPlanner.NoModel };
        var reading = new TrainingStores(stores.Features, stores.Registry, options.DatasetDirectory);
        var evaluation = await training.EvaluateAsync(
            version, stores.Predictions.BacktestedAsync(runId, inference.Name, ct), window, new FeatureReadSession(stores.Features, seq), reading, services, ct);
        return period with
        {
            Model = pin.Model,
            Version = pin.Version,
            CutOff = version.CutOff,
            Trained = version.RunId == runId,
            Predictions = evaluation.Predictions,
            Known = evaluation.Known,
            Value = Told(task.Primary(evaluation.Model)),
            Baseline = evaluation.Baseline?.Name,
            BaselineValue = evaluation.Baseline is { } baseline ? Told(task.Primary(baseline.Evaluation.Metrics)) : null,
        };
    }

    private static double? Told(double value) => double.IsFinite(value) ? value : null;
}
