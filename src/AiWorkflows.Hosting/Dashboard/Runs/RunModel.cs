using AiWorkflows.Workflows;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Runs;

/// <summary>A page of the list of runs.</summary>
/// <param name="Older">What the next page begins below; null where there is none.</param>
/// <param name="LookedDownTo">The oldest run that was looked at, where the page ends although older ones may fit.</param>
internal sealed record RunsModel(
    DashboardRunFilter Filter, IReadOnlyList<DashboardRun> Runs, IReadOnlyDictionary<long, DashboardRunSteps> Steps, long? Older, long? LookedDownTo, bool IsFirstPage);

/// <summary>Everything about one run.</summary>
internal sealed record RunModel
{
    public required DashboardRun Run { get; init; }
    public required IReadOnlyList<DashboardStep> Steps { get; init; }
    public required IReadOnlyList<DashboardEdge> Edges { get; init; }

    /// <summary>By stage run.</summary>
    public required ILookup<long, DashboardAttempt> Attempts { get; init; }
    public required IReadOnlyList<DashboardOutput> Outputs { get; init; }

    /// <summary>The succeeded run before it, for comparison.</summary>
    public DashboardRun? Previous { get; init; }
    public required IReadOnlyList<DashboardLogLine> Log { get; init; }
    public required DashboardLogFilter LogFilter { get; init; }
    public required string EngineId { get; init; }

    /// <summary>Which panels could not be read.</summary>
    public PanelErrors Errors { get; init; } = PanelErrors.None;

    /// <summary>Queues in which steps wait although no host takes any from them.</summary>
    public IReadOnlyList<QueueState> Unserved { get; init; } = [];

    /// <summary>Finished share of all steps, 0 to 1.</summary>
    public double Share => Steps.Count == 0 ? 0 : Steps.Sum(step => step.State is States.Succeeded or States.Skipped ? 1 : step.Share ?? 0) / Steps.Count;

    public long LastLogId => Log.Count == 0 ? 0 : Log[^1].LogId;
}
