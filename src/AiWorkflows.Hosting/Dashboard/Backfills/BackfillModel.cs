using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Backfills;

/// <summary>What the page of a backfill shows.</summary>
/// <param name="Steps">Of the windows that are running.</param>
internal sealed record BackfillModel(BackfillRow Backfill, IReadOnlyList<BackfillWindowRow> Windows, IReadOnlyDictionary<long, DashboardRunSteps> Steps);

/// <summary>A page of the list of backfills.</summary>
/// <param name="Older">What the next page begins below; null where there is none.</param>
internal sealed record BackfillsModel(IReadOnlyList<BackfillRow> Backfills, long? Older);
