using AiWorkflows.Hosting.Cli;
using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Predictions;

/// <summary>What somebody looks for; null members do not narrow.</summary>
internal sealed record PredictionSearch(string? Model = null, int? Version = null, string? Key = null, DateTime? From = null, DateTime? To = null, bool Online = false);

/// <summary>Predictions of one model.</summary>
/// <param name="Versions">Of all models, the newest.</param>
/// <param name="Shown">The champion, or the newest version; null where there is no model.</param>
/// <param name="Batches">The newest that fit the search.</param>
/// <param name="Live">The live metric per day, oldest first.</param>
internal sealed record PredictionsModel(
    PredictionSearch Search, IReadOnlyList<DashboardVersion> Versions, DashboardVersion? Shown, IReadOnlyList<DashboardBatch> Batches, IReadOnlyList<PredictionListRow> Rows, bool HasOlder, bool IsFirstPage,
    IReadOnlyList<DashboardDailyMetric> Live)
{
    /// <summary>Which panels could not be read.</summary>
    public PanelErrors Errors { get; init; } = PanelErrors.None;

    public static PredictionsModel Nothing(PredictionSearch search) => new(search, [], null, [], [], false, true, []);
}

/// <summary>One prediction with all that it was made from.</summary>
/// <param name="Online">What was kept with an online prediction; null for one made in a batch.</param>
/// <param name="Notice">Why there is no example; null where there is one.</param>
/// <param name="Commits">Where the rows that were joined came from.</param>
internal sealed record PredictionModel(
    PredictionListRow Prediction, PredictionOrigin Batch, VersionDetail Version, OnlineInputs? Online, ShownExample? Example, string? Notice,
    IReadOnlyDictionary<long, DashboardCommitRun> Commits, IReadOnlyList<DashboardInput> Inputs, FeatureDistributions Training);
