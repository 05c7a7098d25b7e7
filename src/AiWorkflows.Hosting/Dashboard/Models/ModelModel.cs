using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>The models of the registry, each with its newest versions.</summary>
internal sealed record ModelsModel(IReadOnlyList<ModelRow> Models, ILookup<string, DashboardVersion> Versions);

/// <summary>Everything about one model.</summary>
/// <param name="Shown">The champion, or the newest version where there is none.</param>
/// <param name="Live">The live metric per day, oldest first.</param>
internal sealed record ModelModel(
    string Model, IReadOnlyList<VersionRow> Versions, VersionDetail Shown, IReadOnlyList<AliasHistoryRow> History, IReadOnlyList<DashboardDailyMetric> Live)
{
    public bool HasChampion => Shown.Aliases?.Split(", ").Contains("champion") == true;
}
