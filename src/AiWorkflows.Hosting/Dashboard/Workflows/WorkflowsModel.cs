using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Workflows;

/// <summary>What the overview shows beside the definitions.</summary>
internal sealed record WorkflowsModel
{
    /// <summary>Runs that are requested or running, and failed ones that nothing has made good.</summary>
    public required IReadOnlyList<DashboardRun> OpenAndFailed { get; init; }

    /// <summary>The newest runs of each workflow by window.</summary>
    public required IReadOnlyList<DashboardRun> Runs { get; init; }
    public required IReadOnlyList<DashboardWorkflow> States { get; init; }
    public required IReadOnlyDictionary<long, DashboardRunSteps> Steps { get; init; }

    /// <summary>By pipeline.</summary>
    public required IReadOnlyDictionary<string, DateTime> Watermarks { get; init; }

    /// <summary>By model, oldest first.</summary>
    public required ILookup<string, DashboardVersion> Versions { get; init; }
    public required DashboardTotals Totals { get; init; }
    public required IReadOnlyList<DashboardDailyMetric> LiveAuc { get; init; }

    /// <summary>Whether the schedules come due by the business clock.</summary>
    public bool IsReplay { get; init; }

    /// <summary>The business clock.</summary>
    public required DateTime EventTime { get; init; }

    /// <summary>Which panels could not be read.</summary>
    public PanelErrors Errors { get; init; } = PanelErrors.None;
}
