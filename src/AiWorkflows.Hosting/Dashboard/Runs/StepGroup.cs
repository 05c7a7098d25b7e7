using AiWorkflows.Hosting.Dashboard.Rendering;
using AiWorkflows.Storage.Queries;
using AiWorkflows.Workflows;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>A step with its partitions, of which most steps have one.</summary>
internal sealed record StepGroup(string Step, IReadOnlyList<DashboardStep> Parts)
{
    public static IReadOnlyList<StepGroup> Of(IReadOnlyList<DashboardStep> steps) => [.. steps.GroupBy(step => step.Step).Select(group => new StepGroup(group.Key, [.. group]))];

    public DashboardStep First => Parts[0];

    public bool IsPartitioned => Parts.Count > 1;

    /// <summary>The worst of the partitions decides.</summary>
    public string State => PartitionedStep.State([.. Parts.Select(part => part.State)]);

    /// <summary>How many partitions have succeeded.</summary>
    public int Done => Parts.Count(part => part.State == States.Succeeded);

    public string Look => Status.Of(State);

    public double? Share => State != States.Running ? null
        : IsPartitioned ? Parts.Sum(part => part.State == States.Succeeded ? 1 : part.Share ?? 0) / Parts.Count : First.Share;

    public long RowsRead => Parts.Sum(part => part.RowsRead);

    public long RowsWritten => Parts.Sum(part => part.RowsWritten);

    public int Setbacks => Parts.Sum(part => part.Failures + part.Lost);

    public DateTime? StartedAt => Parts.Min(part => part.StartedAt?.Value);

    public DateTime? FinishedAt => Parts.All(part => part.FinishedAt is not null || part.StartedAt is null) ? Parts.Max(part => part.FinishedAt?.Value) : null;

    public string Anchor => $"step-{First.StageRunId}";

    public TimeSpan? Took(DateTime now) => StartedAt is not { } start ? null : FinishedAt is { } end ? end - start : State == States.Running ? now - start : null;
}
