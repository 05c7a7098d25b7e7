using AiWorkflows.Storage;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting;

/// <summary>A workflow in a line: its schedule, what it owes, its last run.</summary>
internal sealed record WorkflowLine(
    string Workflow, string? Schedule, bool Paused, string? PausedBy, int OwedWindows, DateTime? OwedFrom, DateTime? OwedTo, long? LastRunId, string? LastRunState, Utc? LastRunFinishedAt);

/// <summary>A stage in a line: what it reads and writes, and how far it has come.</summary>
internal sealed record StageLine(string Stage, string Kind, IReadOnlyList<string> After, string? Reads, string? Writes, Utc? Watermark);

/// <summary>How a workflow stands: what the command line and the API tell of it.</summary>
internal sealed class WorkflowOverview(ILedger ledger, RunEngine engine, StoreDatabase database)
{
    private readonly RunQueries _runs = new(database);

    public async Task<WorkflowLine> LineAsync(WorkflowDefinition workflow, CancellationToken ct)
    {
        var state = (await ledger.WorkflowStatesAsync(ct)).FirstOrDefault(s => s.Workflow == workflow.Name);
        var owed = await engine.OwedAsync(workflow.Name, RunModes.Stages, ct);
        var last = await _runs.LastAsync(workflow.Name, ct);
        return new(workflow.Name, workflow.Cron, state?.PausedAt is not null, state?.PausedBy, owed.Count,
            owed.Count > 0 ? owed[0].Window.From : null, owed.Count > 0 ? owed[^1].Window.To : null, last?.RunId, last?.State, last?.FinishedAt);
    }

    public async Task<IReadOnlyList<StageLine>> StagesAsync(WorkflowDefinition workflow, CancellationToken ct)
    {
        var watermarks = (await _runs.WatermarksAsync(ct)).ToDictionary(w => w.Pipeline, w => w.EventTime);
        return [.. workflow.Stages.Select(s => new StageLine(s.Name, s.Kind, s.After, Reads(s), Writes(s), watermarks.TryGetValue(s.Name, out var w) ? w : null))];
    }

    private static string? Reads(StageDefinition stage) =>
        stage.Feature is { } feature ? string.Join(", ", feature.Reads.Select(g => g.Name))
        : stage.Training is { } training ? $"view {training.View.Name}"
        : stage.Inference is { } inference ? $"view {inference.View.Name}, model {inference.Model}" : null;

    private static string? Writes(StageDefinition stage) =>
        stage.Feature?.Writes.Name ?? (stage.Training is { } training ? $"model {training.ModelName}" : stage.Inference is not null ? "predictions" : null);
}
