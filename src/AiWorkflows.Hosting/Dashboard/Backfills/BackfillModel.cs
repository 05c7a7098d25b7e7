using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Backfills;

/// <summary>What the page of a backfill shows.</summary>
/// <param name="Steps">Of the windows that are running.</param>
internal sealed record BackfillModel(BackfillRow Backfill, IReadOnlyList<BackfillWindowRow> Windows, IReadOnlyDictionary<long, DashboardRunSteps> Steps);
