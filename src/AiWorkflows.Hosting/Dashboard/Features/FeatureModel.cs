using AiWorkflows.Storage.Queries;

namespace AiWorkflows.Hosting.Dashboard.Features;

/// <summary>Everything about one feature group.</summary>
/// <param name="Statistics">Of the newest commit that stored rows; null where none has.</param>
internal sealed record FeatureGroupModel(
    GroupRow Group, IReadOnlyList<CommitRow> Commits, CommitStatistics? Statistics, IReadOnlyList<QuarantineCount> Quarantine, IReadOnlyList<LineageRow> UsedBy);
