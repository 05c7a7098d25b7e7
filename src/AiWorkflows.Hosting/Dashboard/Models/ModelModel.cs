using AiWorkflows.Models;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Models;

/// <summary>The models of the registry, each with its newest versions.</summary>
internal sealed record ModelsModel(IReadOnlyList<ModelRow> Models, ILookup<string, DashboardVersion> Versions);

/// <summary>Everything about one model.</summary>
/// <param name="Shown">The version that was asked for; else the champion, or the newest version where there is none.</param>
/// <param name="History">How the aliases moved, newest first.</param>
/// <param name="Live">The live metric per day, oldest first.</param>
/// <param name="Inputs">The groups that the training dataset was made from.</param>
internal sealed record ModelModel(
    string Model, IReadOnlyList<VersionRow> Versions, VersionDetail Shown, int? Champion, IReadOnlyList<AliasHistoryRow> History, IReadOnlyList<DashboardDailyMetric> Live, IReadOnlyList<DashboardInput> Inputs)
{
    /// <summary>How far each feature of what the version was asked lay from its training data, by day; the newest day first.</summary>
    public IReadOnlyList<DashboardDrift> Drift { get; init; } = [];

    /// <summary>Which panels could not be read.</summary>
    public PanelErrors Errors { get; init; } = PanelErrors.None;

    /// <summary>The champion before this one: what a roll back goes to.</summary>
    public int? Previous => History.FirstOrDefault(move => move.Alias == ModelActions.Champion && move.PreviousVersion != move.Version)?.PreviousVersion;
}

/// <summary>Two versions side by side.</summary>
internal sealed record ComparisonModel(string Model, IReadOnlyList<VersionRow> Versions, VersionDetail A, VersionDetail B);
